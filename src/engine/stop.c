/* container_stop, container_kill, container_pause, container_restart */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/signal.h"
#include "engine/life.h"
#include "engine/pause.h"
#include "engine/state.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

static int stop_live(struct engine *e, struct container *c, struct container_state *s, int64_t timeout_s, struct error *err)
{
	int number = signal_parse(c->stop_signal), r;

	if (s->status == CONTAINER_PAUSED && container_pause(e, c, false, err) < 0)
		return -1;
	if (timeout_s < 0)
		timeout_s = c->stop_timeout_s;
	if (timeout_s != 0) {
		if (life_signal(c, s, number, err) < 0)
			return -1;
		r = life_await_end(s, timeout_s < 0 ? -1 : timeout_s * 1000, err);
		if (r != 0)
			return r < 0 ? -1 : 0;
		engine_warn(e, "StopSignal %s failed to stop container %s in %lld seconds, resorting to SIGKILL",
			    c->stop_signal, c->name, (long long)timeout_s);
	}
	if (life_signal(c, s, SIGKILL, err) < 0)
		return -1;
	return life_await_end(s, 30000, err) == 1 ? 0 :
	       error_set(err, ERROR_FAILED, "container %s did not end after SIGKILL", c->name);
}

int container_stop(struct engine *e, struct container *c, int64_t timeout_s, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	struct container_state s;

	if (life_settle(e, c, &s, err) < 0)
		return -1;
	if (s.status == CONTAINER_RESTARTING) {
		life_end_backoff(e, c, &s);
		return 0;
	}
	if (run_dir >= 0 && state_is_live(&s))
		state_mark(run_dir, "stopped", true);
	if (s.status == CONTAINER_INITIALIZED)
		return life_signal(c, &s, SIGKILL, err) < 0 || life_await_end(&s, 10000, err) < 0 ? -1 : 0;
	if (!state_is_live(&s))
		return 0;
	if (stop_live(e, c, &s, timeout_s, err) < 0)
		return error_frame(err, "stop container %s", c->name);
	life_event(e, c, "stop");
	return 0;
}

int container_restart(struct engine *e, struct container *c, int64_t timeout_s, struct error *err)
{
	struct start_options o = { 0 };
	bool detached;
	int code;

	if (container_stop(e, c, timeout_s, err) < 0 || container_start(e, c, &o, &code, &detached, err) < 0)
		return -1;
	life_event(e, c, "restart");
	return 0;
}

int container_kill(struct engine *e, struct container *c, const char *signal_text, struct error *err)
{
	int number = signal_parse(str_is_empty(signal_text) ? "KILL" : signal_text);
	struct container_state s;

	if (number < 0)
		return error_set(err, ERROR_USAGE, "invalid signal: %s", signal_text);
	if (container_load_state(e, c, &s, err) < 0 || state_need_running(c, &s, "kill", err) < 0)
		return -1;
	if (number == SIGKILL) {
		_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);

		if (run_dir >= 0)
			state_mark(run_dir, "stopped", true);
		if (s.status == CONTAINER_PAUSED && container_pause(e, c, false, err) < 0)
			return -1;
	}
	if (life_signal(c, &s, number, err) < 0)
		return -1;
	if (number == SIGKILL)
		life_await_end(&s, 10000, err);
	life_event(e, c, "kill");
	return 0;
}

int container_pause(struct engine *e, struct container *c, bool pause, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	struct container_state s;

	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (pause ? s.status != CONTAINER_RUNNING : s.status != CONTAINER_PAUSED)
		return error_set(err, ERROR_STATE, "\"%s\" is not %s, can't %spause: container state improper", c->id,
				 pause ? "running" : "paused", pause ? "" : "un");
	if (run_dir < 0 || pause_processes(&s, pause, err) < 0)
		return error_frame(err, "%s container %s", pause ? "pause" : "unpause", c->name);
	state_mark(run_dir, "paused", pause);
	life_event(e, c, pause ? "pause" : "unpause");
	return 0;
}
