/* Records are passed on as they are stored, long lines in their parts; who prints them joins the parts. */
#include "engine/logs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/state.h"
#include "store/container.h"
#include "sys/fd.h"
#include "sys/lock.h"

#define LOG_NAME "ctr.log"
#define WAKE_MS 1000		/* how late an end is seen when nothing else wakes us */
#define WAKE_BLIND_MS 100	/* without inotify */

struct source {
	const struct container *c;
	struct log_reader *reader;
	int dir, monitor;	/* monitor: a pidfd, -1 when none lives */
	bool done;
};

struct follower {
	struct engine *e;
	struct source *v;
	size_t n;
	struct pollfd *poll;	/* n + 1 */
	int inotify;
	int64_t until_ns;
	logs_emit emit;
	void *context;
};

static int parse_times(const struct logs_request *r, struct log_query *q, struct error *err)
{
	int64_t now = units_now();

	if (!str_is_empty(r->since) && units_parse_time(r->since, now, &q->since_ns) < 0)
		return error_set(err, ERROR_USAGE, "invalid time \"%s\" for --since", r->since);
	if (!str_is_empty(r->until) && units_parse_time(r->until, now, &q->until_ns) < 0)
		return error_set(err, ERROR_USAGE, "invalid time \"%s\" for --until", r->until);
	q->tail = r->tail;
	return 0;
}

static int open_source(struct follower *f, struct source *s, const struct container *c, const struct log_query *q,
		       bool follow, struct error *err)
{
	struct container_state state;
	char path[32];

	*s = (struct source){ .c = c, .dir = -1, .monitor = -1 };
	if (str_eq(c->log_driver, "none"))
		return error_set(err, ERROR_UNSUPPORTED,
				 "this container is using the 'none' log driver, cannot read logs: this container is not logging output");
	s->dir = container_store_open(&f->e->store, c->id, -1, err);
	if (s->dir < 0)
		return -1;
	/* Before the log is opened: what is written between is seen by the first read. */
	if (f->inotify >= 0)
		inotify_add_watch(f->inotify, fd_path(s->dir, path), IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_DELETE_SELF);
	s->reader = log_reader_open(f->e->arena, s->dir, LOG_NAME, q, err);
	if (!s->reader)
		return -1;
	if (follow && container_load_state(f->e, c, &state, err) < 0)
		return -1;
	if (follow)
		s->monitor = state_open_monitor(&state);
	return 0;
}

static void close_sources(struct follower *f)
{
	for (size_t i = 0; i < f->n; i++) {
		log_reader_close(f->v[i].reader);
		fd_close(&f->v[i].dir);
		fd_close(&f->v[i].monitor);
	}
	fd_close(&f->inotify);
}

/* Everything that is there now. */
static int drain(struct follower *f, struct source *s, struct error *err)
{
	struct log_record record;
	int more;

	while ((more = log_reader_next(s->reader, &record, err)) == 1)
		if (f->emit(f->context, s->c, &record) < 0)
			return error_errno(err, "write the log");
	return more;
}

/* Nobody writes any more, and nobody will start it again by himself. A monitor that lives may be sleeping before a
 * restart: then its log is followed over it. */
static bool has_ended(struct follower *f, struct source *s)
{
	_cleanup_fd_ int run_dir = container_run_dir(f->e, s->c->id, false, NULL);
	struct container_state state;
	const char *restart = s->c->request.restart;

	if (run_dir >= 0 && lock_is_held(run_dir, "monitor.lock"))
		return false;
	if (str_is_empty(restart) || strcmp(restart, "no") == 0)
		return true;
	/* Between two runs the lock is free for a moment. */
	nanosleep(&(struct timespec){ .tv_nsec = 300 * 1000 * 1000 }, NULL);
	if (container_load_state(f->e, s->c, &state, NULL) < 0)
		return true;
	fd_close(&s->monitor);
	s->monitor = state_open_monitor(&state);
	return !state_is_live(&state) && state.status != CONTAINER_RESTARTING;
}

/* Until something was written, some monitor ended, or it is time to look. */
static void await_change(struct follower *f)
{
	struct pollfd *p = f->poll;
	int timeout = f->inotify >= 0 ? WAKE_MS : WAKE_BLIND_MS;
	char events[4096];

	p[0] = (struct pollfd){ .fd = f->inotify, .events = POLLIN };
	for (size_t i = 0; i < f->n; i++)
		p[i + 1] = (struct pollfd){ .fd = f->v[i].done ? -1 : f->v[i].monitor, .events = POLLIN };
	if (poll(p, f->n + 1, timeout) <= 0)
		return;
	while (p[0].revents && read(f->inotify, events, sizeof(events)) > 0)
		;
	for (size_t i = 0; i < f->n; i++)
		if (p[i + 1].revents)
			fd_close(&f->v[i].monitor);
}

static int follow_all(struct follower *f, struct error *err)
{
	for (;;) {
		size_t done = 0;

		for (size_t i = 0; i < f->n; i++) {
			struct source *s = &f->v[i];
			bool ended = s->done || has_ended(f, s);

			/* The end is asked for first: what was written before it is then read. */
			if (!s->done && drain(f, s, err) < 0)
				return -1;
			s->done = ended;
			done += ended;
		}
		if (done == f->n || (f->until_ns && units_now() > f->until_ns))
			return 0;
		await_change(f);
	}
}

int container_logs(struct engine *e, const struct container *const *list, size_t n, const struct logs_request *r,
		   logs_emit emit, void *context, struct error *err)
{
	struct follower f = { .e = e, .inotify = -1, .emit = emit, .context = context };
	struct log_query q = { 0 };
	int result = 0;

	if (parse_times(r, &q, err) < 0)
		return -1;
	f.until_ns = q.until_ns;
	f.v = arena_new_array(e->arena, struct source, n + 1);
	f.poll = arena_new_array(e->arena, struct pollfd, n + 1);
	if (r->follow)
		f.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (; f.n < n && result == 0; f.n++)
		result = open_source(&f, &f.v[f.n], list[f.n], &q, r->follow, err);
	for (size_t i = 0; i < f.n && result == 0 && !r->follow; i++)
		result = drain(&f, &f.v[i], err);
	if (r->follow && result == 0)
		result = follow_all(&f, err);
	close_sources(&f);
	return result;
}
