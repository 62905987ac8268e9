/* container_wait: until a container is in a state, and its exit code */
#include <time.h>

#include "engine/attach.h"
#include "engine/state.h"
#include "sys/fd.h"

static bool condition_holds(const char *condition, const struct container_state *s)
{
	if (str_is_empty(condition) || strcmp(condition, "stopped") == 0 || strcmp(condition, "exited") == 0 ||
	    strcmp(condition, "not-running") == 0)
		return !state_is_live(s) && s->status != CONTAINER_RESTARTING;
	return strcmp(condition, container_status_name(s->status)) == 0;
}

/* From the monitor's own lips, which work for --rm containers too, whose record vanishes. 1 when it told. */
static int wait_for_exit(struct engine *e, const struct container *c, int *ret_code, struct error *err)
{
	struct attach_options a = { .in = -1, .out = -1, .err_ = -1, .signal_pidfd = -1, .reader_pidfd = -1 };
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	_cleanup_fd_ int socket = run_dir < 0 ? -1 : attach_connect(run_dir);
	unsigned char wants = 0;
	enum attach_end end;

	if (socket < 0 || attach_send(socket, ATTACH_HELLO, &wants, 1) < 0)
		return 0;
	if (attach_session(socket, &a, &end, ret_code, err) < 0)
		return -1;
	return end == ATTACH_ENDED;
}

int container_wait(struct engine *e, struct container *c, const char *condition, int *ret_exit_code, struct error *err)
{
	const struct timespec interval = { 0, 20 * 1000 * 1000 };
	bool removed = str_eq(condition, "removed");
	bool told = false;

	for (;;) {
		struct container_state s;
		struct error gone = { 0 };

		if (container_load_state(e, c, &s, &gone) < 0) {
			if (removed || told)
				return 0;
			*err = gone;
			return -1;
		}
		if (!told)
			*ret_exit_code = (int)s.exit_code;
		if (!removed && condition_holds(condition, &s))
			return 0;
		if (state_is_live(&s) && (removed || str_is_empty(condition) || strcmp(condition, "stopped") == 0 ||
					  strcmp(condition, "exited") == 0)) {
			int r = wait_for_exit(e, c, ret_exit_code, err);

			if (r < 0)
				return -1;
			told |= r == 1;
			if (told && !removed && !c->request.restart)
				return 0;
			continue;
		}
		nanosleep(&interval, NULL);
	}
}
