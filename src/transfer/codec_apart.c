/* A stream that another process decodes: unpacking and hashing the plain bytes there, parsing and writing here.
 *
 * The process writes to blocks of shared memory and says through a pipe which one is full; a byte in another pipe says
 * which one is free again. It dies with its parent, and its end is the end of the pipe. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/codec.h"
#include "transfer/hash.h"

#define BLOCK_SIZE ((size_t)1 << 18)
#define BLOCKS 8

enum word { WORD_FULL, WORD_END, WORD_FAILED };

struct message {
	enum word word;
	unsigned block;
	size_t size;
	uint64_t consumed;
	union {
		char digest[DIGEST_TEXT_MAX];
		struct error error;
	};
};

_Static_assert(sizeof(struct message) <= PIPE_BUF, "a message crosses the pipe in one write");

struct apart {
	unsigned char *memory;
	pid_t pid;
	int full, vacant;		/* this side's ends */
	int vacant_too;			/* the other end of vacant: giving back to a process that has ended is no SIGPIPE */
	int block;			/* that was given last, -1 */
	bool end;
	char digest[DIGEST_TEXT_MAX];
};

/* --- the other process */

static ssize_t fill(struct inflate *in, unsigned char *block, struct error *err)
{
	size_t size = 0;

	while (size < BLOCK_SIZE) {
		ssize_t n = inflate_read(in, block + size, BLOCK_SIZE - size, err);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	return (ssize_t)size;
}

static void decode(struct inflate *in, struct hash *hash, unsigned char *memory, int full, int vacant)
{
	struct message m = { .word = WORD_FULL };
	unsigned char block;

	while (m.word == WORD_FULL && fd_read_all(vacant, &block, 1) == 1) {
		struct error error = { 0 };
		ssize_t n = fill(in, memory + block * BLOCK_SIZE, &error);

		m = (struct message){ .word = n < 0 ? WORD_FAILED : n ? WORD_FULL : WORD_END, .block = block,
				      .size = n > 0 ? (size_t)n : 0, .consumed = inflate_consumed(in) };
		if (n > 0)
			hash_add(hash, memory + block * BLOCK_SIZE, (size_t)n);
		else if (n == 0)
			hash_final(hash, m.digest);
		else
			m.error = error;
		if (fd_write_all(full, &m, sizeof(m)) < 0)
			break;
	}
}

/* --- this one */

static int give_back(struct apart *a, int block)
{
	unsigned char byte = (unsigned char)block;

	return block < 0 ? 0 : fd_write_all(a->vacant, &byte, 1);
}

static ssize_t apart_next(struct inflate *in, void *state, const void **ret, struct error *err)
{
	struct apart *a = state;
	struct message m;

	if (a->end)
		return 0;
	if (give_back(a, a->block) < 0)
		return error_errno(err, "give a block back");
	a->block = -1;
	if (fd_read_all(a->full, &m, sizeof(m)) != (ssize_t)sizeof(m))
		return error_set(err, ERROR_FAILED, "the decoding process ended unexpectedly");
	in->consumed = m.consumed;
	if (m.word == WORD_FAILED) {
		if (err)
			*err = m.error;
		return -1;
	}
	if (m.word == WORD_END) {
		a->end = true;
		memcpy(a->digest, m.digest, sizeof(a->digest));
		return 0;
	}
	a->block = (int)m.block;
	*ret = a->memory + m.block * BLOCK_SIZE;
	return (ssize_t)m.size;
}

static void apart_close(void *state)
{
	struct apart *a = state;

	fd_close(&a->full);
	fd_close(&a->vacant);
	fd_close(&a->vacant_too);
	if (a->pid > 0) {
		kill(a->pid, SIGKILL);
		while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (a->memory)
		munmap(a->memory, BLOCKS * BLOCK_SIZE);
	free(a);
}

static const struct codec codec_apart = { .name = "apart", .next = apart_next, .close = apart_close };

/* a's ends of both pipes, and the one that the other process alone has. */
static int make_pipes(struct apart *a, int *ret_full)
{
	int full[2], vacant[2];

	if (fd_pipe(full) < 0)
		return -1;
	if (fd_pipe(vacant) < 0) {
		close(full[0]);
		close(full[1]);
		return -1;
	}
	a->full = full[0];
	a->vacant = vacant[1];
	a->vacant_too = vacant[0];
	*ret_full = full[1];
	return 0;
}

static int start(struct apart *a, struct inflate *in, struct hash *hash)
{
	pid_t parent = getpid();
	int full;

	a->memory = mmap(NULL, BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a->memory == MAP_FAILED) {
		a->memory = NULL;
		return -1;
	}
	if (make_pipes(a, &full) < 0)
		return -1;
	a->pid = fork();
	if (a->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd_close(&a->full);
		fd_close(&a->vacant);
		if (getppid() == parent)
			decode(in, hash, a->memory, full, a->vacant_too);
		_exit(0);
	}
	close(full);
	for (int i = 0; a->pid > 0 && i < BLOCKS; i++)
		if (give_back(a, i) < 0)
			return -1;
	return a->pid > 0 ? 0 : -1;
}

int inflate_apart(struct inflate *in, const char *like_digest, struct error *err)
{
	struct apart *a = calloc(1, sizeof(*a));
	struct hash hash;

	if (!a)
		return error_errno(err, "start a decoding process");
	a->full = a->vacant = a->vacant_too = a->block = -1;
	if (hash_init(&hash, like_digest, err) < 0) {
		apart_close(a);
		return -1;
	}
	if (start(a, in, &hash) < 0) {
		error_errno(err, "start a decoding process");
		hash_done(&hash);
		apart_close(a);
		return -1;
	}
	hash_done(&hash);
	if (in->state)
		in->codec->close(in->state);
	in->codec = &codec_apart;
	in->state = a;
	return 0;
}

const char *inflate_apart_digest(const struct inflate *in)
{
	const struct apart *a = in->codec == &codec_apart ? in->state : NULL;

	return a && a->end ? a->digest : "";
}
