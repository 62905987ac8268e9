/* events: what a container uses, and that it ran out of memory */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "cgroup/stats.h"
#include "oci/record.h"
#include "sys/clock.h"
#include "sys/fd.h"

struct watch {
	struct oci *o;
	const struct opened *c;
	oci_event *event;
	void *context;
	uint64_t oom_seen;
};

static int tell(struct watch *w, struct arena *arena, const char *type, struct json *data)
{
	struct json *event = json_new_object(arena);

	json_set(arena, event, "type", json_new_string(arena, type));
	json_set(arena, event, "id", json_new_string(arena, w->c->record.id));
	if (data)
		json_set(arena, event, "data", data);
	return w->event(w->context, event);
}

static int tell_stats(struct watch *w, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();	/* this may go on for days */
	struct stats stats = { 0 };

	if (stats_read(arena, &w->c->record.cgroup, &stats, err) < 0)
		return -1;
	return tell(w, arena, "stats", json_encode(arena, &stats_shape, &stats));
}

static int tell_oom(struct watch *w)
{
	uint64_t now = cgroup_oom_count(&w->c->record.cgroup);

	if (now <= w->oom_seen)
		return 0;
	w->oom_seen = now;
	return tell(w, w->o->arena, "oom", NULL);
}

/* 1: the next statistics are due, 0: something happened, -1. */
static int wait_until(struct pollfd polled[2], int64_t due, struct error *err)
{
	char ignored[4096];
	int64_t left = due - clock_now_ms();
	int n = poll(polled, 2, left > 0 ? (int)left : 0);

	if (n < 0 && errno != EINTR)
		return error_errno(err, "wait for events");
	if (n > 0 && polled[1].revents && read(polled[1].fd, ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
		polled[1].fd = -1;
	return n == 0;
}

static int follow(struct watch *w, int process, int64_t interval_ms, struct error *err)
{
	_cleanup_fd_ int happenings = cgroup_watch(&w->c->record.cgroup, NULL);
	struct pollfd polled[2] = { { .fd = process, .events = POLLIN }, { .fd = happenings, .events = POLLIN | POLLPRI } };
	int64_t due = clock_now_ms() + interval_ms;
	int result = 0;

	while (!polled[0].revents && result == 0) {
		int is_due = wait_until(polled, due, err);

		if (is_due < 0)
			return -1;
		result = is_due ? tell_stats(w, err) : tell_oom(w);
		due += is_due ? interval_ms : 0;
	}
	return result < 0 ? result : tell_oom(w);
}

static int events(struct watch *w, bool stats, int64_t interval_ms, struct error *err)
{
	int process = w->c->process;

	if (process < 0)
		return error_set(err, ERROR_STATE, "it is not running");
	if (!w->c->record.cgroup.places.n)
		return error_set(err, ERROR_UNSUPPORTED, "it has no cgroup, so there are no figures about it");
	w->oom_seen = cgroup_oom_count(&w->c->record.cgroup);
	return stats ? tell_stats(w, err) : follow(w, process, interval_ms, err);
}

int oci_events(struct oci *o, const char *id, bool stats, int64_t interval_ms, oci_event *event, void *context,
	       struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;
	struct watch w = { .o = o, .c = &c, .event = event, .context = context };

	if (record_find(o, id, false, &c, err) < 0)
		return -1;
	return events(&w, stats, interval_ms, err) < 0 ? error_frame(err, "events of container `%s`", id) : 0;
}
