#include "transfer/jobs.h"

#include <errno.h>
#include <sched.h>

size_t jobs_processors(size_t most)
{
	cpu_set_t set;
	size_t n = sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n < most ? n : most;
}

static bool all_are_done(const struct jobs_kind *kind, const void *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!kind->is_done(all, i))
			return false;
	return true;
}

static int wait_for_news(const struct jobs_kind *kind, const void *all, size_t n, struct errands *errands,
			 struct error *err)
{
	struct pollfd fds[64];
	size_t pipes = 0;

	for (size_t i = 0; kind->pipe && i < n && pipes < ELEMENTS(fds); i++) {
		int fd = kind->pipe(all, i);

		if (fd >= 0)
			fds[pipes++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	if (errands)
		return errand_wait(errands, fds, pipes, err);
	return poll(fds, pipes, -1) < 0 && errno != EINTR ? error_errno(err, "wait for processes") : 0;
}

int jobs_work_off(const struct jobs_kind *kind, void *all, size_t n, struct errands *errands, struct error *err)
{
	for (;;) {
		for (size_t i = 0; i < n; i++)
			if (kind->begin(all, i, err) < 0)
				return -1;
		if (all_are_done(kind, all, n))
			return 0;
		if (wait_for_news(kind, all, n, errands, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (kind->hear(all, i, err) < 0)
				return -1;
	}
}
