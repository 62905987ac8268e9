#include "transfer/repack.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/deflate.h"
#include "transfer/inflate.h"
#include "transfer/remake.h"
#include "transfer/sandbox.h"

#define BLOCK ((size_t)1 << 17)
#define TELL_EVERY ((uint64_t)8 << 20)

/* What the process says through its pipe. */
struct message {
	bool done;
	int64_t number;			/* bytes consumed; at the end the size of what was made */
	char digest[DIGEST_TEXT_MAX];
	struct error error;
};
_Static_assert(sizeof(struct message) <= PIPE_BUF, "a message crosses its pipe in one write");

struct output { int fd; struct hash hash; int64_t size; };

static void say(int pipe, const struct message *m)
{
	ssize_t n;

	do
		n = write(pipe, m, sizeof(*m));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		_exit(1);		/* the parent is gone */
}

/* --- in the process */

static int keep(void *context, const void *p, size_t n, struct error *err)
{
	struct output *o = context;

	if (fd_write_all(o->fd, p, n) < 0)
		return error_errno(err, "write a compressed layer");
	hash_add(&o->hash, p, n);
	o->size += (int64_t)n;
	return 0;
}

static int stream(struct inflate *in, struct deflate *out, struct hash *plain, int pipe, struct error *err)
{
	char *block = malloc(BLOCK);
	uint64_t told = 0;
	ssize_t n;

	if (!block)
		return error_errno(err, "allocate a block");
	while ((n = inflate_read(in, block, BLOCK, err)) > 0) {
		struct message m = { .number = (int64_t)inflate_consumed(in) };

		hash_add(plain, block, (size_t)n);
		if (deflate_add(out, block, (size_t)n, false, err) < 0) {
			n = -1;
			break;
		}
		if (inflate_consumed(in) - told < TELL_EVERY)
			continue;
		told = inflate_consumed(in);
		say(pipe, &m);
	}
	free(block);
	return n < 0 ? -1 : deflate_add(out, "", 0, true, err);
}

static struct inflate *open_layer(const struct work *w, const struct repack_request *r, int blob, struct error *err)
{
	if (blob < 0 && errno == ENOENT && remake_can(&w->places, r->chain_id))
		return remake_open(&w->places, r->chain_id, NULL, err);
	if (blob >= 0)
		return inflate_open(blob, err);
	error_errno(err, "open the blob %s", r->digest);
	return NULL;
}

static int convert(const struct work *w, const struct repack_request *r, struct output *o, int pipe, struct error *err)
{
	_cleanup_fd_ int fd = sink_open_blob(&w->places, r->digest);
	struct inflate *in = open_layer(w, r, fd, err);
	struct deflate *out = in ? deflate_open(r->kind, r->level, keep, o, err) : NULL;
	char diff_id[DIGEST_TEXT_MAX];
	struct hash plain;
	int result = -1;

	if (out && hash_init(&plain, r->diff_id, err) == 0) {
		result = stream(in, out, &plain, pipe, err);
		hash_final(&plain, diff_id);
		if (result == 0 && !str_eq(diff_id, r->diff_id))
			result = error_set(err, ERROR_INVALID, "the store's copy is damaged: its content is %s, expected %s", diff_id,
					   r->diff_id);
	}
	inflate_close(in);
	deflate_close(out);
	return result;
}

static void run(const struct work *w, const struct repack_request *r, int fd, int pipe)
{
	struct output o = { .fd = fd };
	struct message m = { .done = true };
	struct error error = { 0 };

	if (hash_init(&o.hash, NULL, &error) == 0 && sandbox_no_network(&error) == 0 &&
	    convert(w, r, &o, pipe, &error) == 0)
		hash_final(&o.hash, m.digest);
	m.number = o.size;
	m.error = error;
	say(pipe, &m);
}

/* --- in the parent */

int repack_start(struct repack *p, const struct work *w, const struct repack_request *r, struct error *err)
{
	pid_t parent = getpid();
	int ends[2];

	*p = (struct repack){ .pipe = -1, .fd = sink_scratch(&w->places) };
	if (p->fd < 0)
		return error_errno(err, "make a file for a layer");
	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			run(w, r, p->fd, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	p->pipe = ends[0];
	if (p->pid > 0 && fd_set_nonblock(ends[0], true) == 0)
		return 0;
	error_errno(err, "start a compressing process");
	repack_done(p);
	return -1;
}

static int reap(struct repack *p)
{
	int status = 0;

	while (p->pid > 0 && waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	fd_close(&p->pipe);
	return status;
}

static int died(struct repack *p, struct error *err)
{
	int status = reap(p);

	if (WIFSIGNALED(status))
		return error_set(err, ERROR_FAILED, "the compressing process was ended by signal %d", WTERMSIG(status));
	return error_set(err, ERROR_FAILED, "the compressing process ended with status %d", WEXITSTATUS(status));
}

int repack_read(struct repack *p, int64_t *ret_consumed, struct error *err)
{
	struct message m;
	ssize_t n;

	do
		n = read(p->pipe, &m, sizeof(m));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != (ssize_t)sizeof(m))
		return died(p, err);
	if (!m.done) {
		*ret_consumed = m.number;
		return 0;
	}
	reap(p);
	if (m.error.kind) {
		if (err)
			*err = m.error;
		return -1;
	}
	memcpy(p->digest, m.digest, sizeof(p->digest));
	p->size = m.number;
	return 1;
}

void repack_done(struct repack *p)
{
	if (p->pid > 0)
		kill(p->pid, SIGKILL);
	reap(p);
	fd_close(&p->fd);
}
