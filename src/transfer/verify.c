/* The operation `verify`: are the blobs still what their names say?
 *
 * As many processes as there are processors share the list; each tells what it finds through one pipe, in messages that
 * are never half. A blob that cannot be read is as damaged as one with other contents. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/work.h"

#define PROCESSES_MAX 16

struct damage {			/* crosses a pipe */
	size_t index;		/* in the request's list */
	int sys;		/* reading failed so; 0: the contents are others */
	char digest[DIGEST_TEXT_MAX];
};
_Static_assert(sizeof(struct damage) <= PIPE_BUF, "a message crosses its pipe in one write");

struct readers { pid_t pids[PROCESSES_MAX]; size_t n; };

static size_t processes(size_t work)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	if (n > PROCESSES_MAX)
		n = PROCESSES_MAX;
	return work < (size_t)n ? work : (size_t)n;
}

/* Fills ret and answers true when there is something wrong. */
static bool is_damaged(const struct work *w, const char *digest, struct damage *ret)
{
	_cleanup_fd_ int fd = sink_open_blob(&w->places, digest);
	struct error why = { 0 };

	ret->sys = 0;
	ret->digest[0] = '\0';
	if (fd < 0) {
		ret->sys = errno;
		return true;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (hash_file(fd, digest, ret->digest, &why) < 0) {
		ret->sys = why.sys ? why.sys : EIO;
		return true;
	}
	return strcmp(ret->digest, digest) != 0;
}

static _Noreturn void read_share(const struct work *w, const struct transfer_request *r, size_t first, size_t step, int pipe)
{
	for (size_t i = first; i < r->digests.n; i += step) {
		struct damage d = { .index = i };

		if (is_damaged(w, r->digests.v[i], &d) && write(pipe, &d, sizeof(d)) != (ssize_t)sizeof(d))
			_exit(1);
	}
	_exit(0);
}

static int start(const struct work *w, const struct transfer_request *r, int pipe, struct readers *ret, struct error *err)
{
	size_t n = processes(r->digests.n);
	pid_t parent = getpid();

	for (size_t i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return error_errno(err, "start a process that reads blobs");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			read_share(w, r, i, n, pipe);
		}
		ret->pids[ret->n++] = pid;
	}
	return 0;
}

static void add(struct work *w, const struct transfer_request *r, const struct damage *d, struct transfer_event *ret)
{
	char *digest = r->digests.v[d->index];
	char *text = d->sys == ENOENT ? arena_strdup(w->arena, "it is missing") :
		     d->sys ? arena_printf(w->arena, "it cannot be read: %s", strerror(d->sys)) :
		     arena_printf(w->arena, "its contents are %s", d->digest);

	*ARRAY_ADD(w->arena, &ret->damaged) = (struct transfer_damage){ digest, text };
}

static int hear(struct work *w, const struct transfer_request *r, int pipe, struct transfer_event *ret, struct error *err)
{
	struct damage d;
	ssize_t n;

	while ((n = fd_read_all(pipe, &d, sizeof(d))) == (ssize_t)sizeof(d))
		if (d.index < r->digests.n)
			add(w, r, &d, ret);
	return n < 0 ? error_errno(err, "hear the processes that read blobs") : 0;
}

static int reap(const struct readers *readers, bool end, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < readers->n; i++) {
		int status = 0;

		if (end)
			kill(readers->pids[i], SIGKILL);
		while (waitpid(readers->pids[i], &status, 0) < 0 && errno == EINTR)
			;
		if (status && !end && result == 0)
			result = error_set(err, ERROR_FAILED, "a process that read blobs ended before it was done");
	}
	return result;
}

int op_verify(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct readers readers = { .n = 0 };
	int ends[2], result;

	for (size_t i = 0; i < r->digests.n; i++)
		if (!digest_is_valid(r->digests.v[i]))
			return error_set(err, ERROR_INVALID, "\"%s\" is not a digest", r->digests.v[i]);
	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	result = start(w, r, ends[1], &readers, err);
	close(ends[1]);
	if (result == 0)
		result = hear(w, r, ends[0], ret, err);
	close(ends[0]);
	if (reap(&readers, result < 0, err) < 0)
		result = -1;
	return result;
}
