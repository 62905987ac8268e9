/* A container's life after create: start, stop, kill, pause, remove, wait, and what the monitor asks for at the end */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/attach.h"
#include "engine/events.h"
#include "engine/launch.h"
#include "engine/pause.h"
#include "engine/state.h"
#include "store/container.h"
#include "store/volume.h"
#include "net/net.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/pidfd.h"

static void event(struct engine *e, const struct container *c, const char *status)
{
	event_add(e, "container", status, c->id, c->name, c->image_name, &c->labels);
}

/* --- the end: everything that outlives the container's processes */
static void release_run(struct engine *e, const struct container *c, const struct container_state *s)
{
	net_stop(arena_printf(e->arena, "%s/containers/%s", e->run_path, c->id));
	container_store_unmount(&e->store, c->id);
	if (s->cgroup_path) {
		cgroup_kill(s->cgroup_path);
		cgroup_remove(s->cgroup_path);
	}
}

static int remove_volumes(struct engine *e, const struct container *c, struct error *err)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (c->mounts.v[i].anonymous && volume_remove(&e->store, c->mounts.v[i].name, err) < 0 &&
		    !error_is(err, ERROR_NOT_FOUND))
			return -1;
	error_clear(err);
	return 0;
}

/* The container does not run. With later, the disk is cleaned by the next command instead of this one. */
static int remove_container(struct engine *e, struct container *c, const struct container_state *s, bool volumes,
			    bool later, struct error *err)
{
	release_run(e, c, s);
	if (container_store_remove(&e->store, c->id, c->name, !later, err) < 0)
		return error_frame(err, "remove container %.12s", c->id);
	fd_remove_tree(e->run_fd, arena_printf(e->arena, "containers/%s", c->id));
	if (volumes && remove_volumes(e, c, err) < 0)
		return -1;
	event(e, c, "remove");
	return 0;
}

/* --- start and run */
static uint8_t wanted_streams(const struct start_options *o)
{
	uint8_t wants = 0;
	const struct strings *s = o->attach_streams;
	bool all = !s || !s->n;

	if (!o->attach)
		return 0;
	if (all || strings_has(s, "stdout") || strings_has(s, "STDOUT"))
		wants |= ATTACH_WANT_STDOUT;
	if (all || strings_has(s, "stderr") || strings_has(s, "STDERR"))
		wants |= ATTACH_WANT_STDERR;
	if (o->interactive && (all || strings_has(s, "stdin") || strings_has(s, "STDIN")))
		wants |= ATTACH_WANT_STDIN;
	return wants;
}

/* The container ended behind a socket that broke: its exit is in the record. */
static int exit_code_of_record(struct engine *e, const struct container *c, int *ret, struct error *err)
{
	struct container_state s;

	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s))
		return error_set(err, ERROR_FAILED, "lost the connection to container %s, which still runs: its monitor was killed",
				 c->name);
	*ret = (int)s.exit_code;
	return 0;
}

static int follow(struct engine *e, struct container *c, int client, const struct start_options *o, int *ret_exit_code,
		  bool *ret_detached, struct error *err)
{
	struct attach_options a = { .in = o->interactive ? STDIN_FILENO : -1, .out = STDOUT_FILENO, .err_ = STDERR_FILENO,
				    .terminal = c->request.tty, .detach_keys = o->detach_keys, .signal_pidfd = -1 };
	_cleanup_fd_ int process = -1;
	struct container_state s;
	enum attach_end end;
	int code = 0;

	if (o->sig_proxy && !a.terminal && container_load_state(e, c, &s, NULL) == 0)
		a.signal_pidfd = process = state_open_process(&s);
	if (attach_session(client, &a, &end, &code, err) < 0)
		return -1;
	*ret_detached = end == ATTACH_DETACHED;
	if (end == ATTACH_LOST && exit_code_of_record(e, c, &code, err) < 0)
		return -1;
	*ret_exit_code = code;
	return 0;
}

static int start(struct engine *e, struct container *c, const struct start_options *o, const struct launch_options *lo,
		 int *ret_exit_code, bool *ret_detached, struct error *err)
{
	struct launch l;
	int r;

	*ret_exit_code = 0;
	*ret_detached = false;
	if (launch_prepare(&l, e, c, lo, err) < 0 || launch_go(&l, err) < 0) {
		launch_done(&l, true);
		return error_frame(err, "start container %s", c->name);
	}
	event(e, c, "start");
	fd_close(&l.monitor_client);
	fd_close(&l.dir_fd);
	fd_close(&l.lock_fd);
	for (int i = 0; i < 3; i++) {
		fd_close(&l.child_stdio[i]);
		fd_close(&l.our_stdio[i]);
	}
	r = lo->attach ? follow(e, c, l.client, o, ret_exit_code, ret_detached, err) : 0;
	launch_done(&l, false);
	return r;
}

/* A container that `init` left waiting. */
static int start_held(struct engine *e, struct container *c, const struct start_options *o, int *ret_exit_code,
		      bool *ret_detached, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, err), client = -1;

	if (run_dir < 0 || launch_release(run_dir, wanted_streams(o), &client, err) < 0)
		return error_frame(err, "start container %s", c->name);
	event(e, c, "start");
	return o->attach ? follow(e, c, client, o, ret_exit_code, ret_detached, err) : 0;
}

int container_start(struct engine *e, struct container *c, const struct start_options *o, int *ret_exit_code,
		    bool *ret_detached, struct error *err)
{
	struct launch_options lo = { .attach = wanted_streams(o) };
	struct container_state s;

	*ret_exit_code = 0;
	*ret_detached = false;
	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s)) {
		if (!o->attach)
			return 0;
		struct attach_options a = { .in = STDIN_FILENO, .out = STDOUT_FILENO, .err_ = STDERR_FILENO,
					    .terminal = c->request.tty, .detach_keys = o->detach_keys, .signal_pidfd = -1 };
		return container_attach(e, c, &a, o->interactive, ret_exit_code, ret_detached, err);
	}
	if (s.status == CONTAINER_INITIALIZED)
		return start_held(e, c, o, ret_exit_code, ret_detached, err);
	release_run(e, c, &s);
	return start(e, c, o, &lo, ret_exit_code, ret_detached, err);
}

int container_run(struct engine *e, const struct create_request *r, struct container *ret, int *ret_exit_code,
		  bool *ret_detached, struct error *err)
{
	struct start_options o = { .attach = !r->detach, .interactive = r->interactive, .sig_proxy = !r->no_sig_proxy,
				   .detach_keys = r->detach_keys };
	struct launch_options lo = { .fresh = true, .client_removes = r->rm && !r->detach };
	struct strings streams = r->attach;

	if (container_create(e, r, ret, err) < 0)
		return -1;
	o.attach_streams = &streams;
	lo.attach = wanted_streams(&o);
	if (start(e, ret, &o, &lo, ret_exit_code, ret_detached, err) < 0) {
		struct error ignored = { 0 };

		if (r->rm && !error_is(err, ERROR_FAILED))
			remove_container(e, ret, &(struct container_state){ 0 }, true, false, &ignored);
		return -1;
	}
	if (!r->rm || r->detach || *ret_detached)
		return 0;
	return container_cleanup(e, ret->id, err);
}

int container_plan(struct engine *e, const struct create_request *r, struct buffer *out, struct error *err)
{
	struct launch_options lo = { .fresh = true, .dry = true };
	struct error ignored = { 0 };
	struct container c;
	struct launch l;
	int result;

	if (container_create(e, r, &c, err) < 0)
		return -1;
	result = launch_prepare(&l, e, &c, &lo, err);
	if (result == 0 && run_plan_print(l.plan, out) < 0)
		result = error_errno(err, "print the plan");
	launch_done(&l, true);
	remove_container(e, &c, &(struct container_state){ 0 }, true, false, &ignored);
	return result;
}

/* --- stop and kill */
static int send(const struct container *c, const struct container_state *s, int signum, struct error *err)
{
	_cleanup_fd_ int process = state_open_process(s);

	if (process < 0 || pidfd_signal(process, signum) < 0) {
		if (errno == ESRCH)
			return 0;
		return error_errno(err, "send signal %d to container %s", signum, c->name);
	}
	return 0;
}

/* Until the process is gone and its monitor has recorded that. 1 gone, 0 timeout. */
static int await_end(const struct container_state *s, int64_t timeout_ms, struct error *err)
{
	_cleanup_fd_ int process = state_open_process(s);
	_cleanup_fd_ int monitor = state_open_monitor(s);
	int r = process < 0 ? 1 : pidfd_wait_exit(process, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);

	if (r < 0)
		return error_errno(err, "wait for the container");
	if (r == 1 && monitor >= 0)
		pidfd_wait_exit(monitor, 10000);
	return r;
}

static int stop_live(struct engine *e, struct container *c, struct container_state *s, int64_t timeout_s, struct error *err)
{
	int number = signal_parse(c->stop_signal), r;

	if (s->status == CONTAINER_PAUSED && container_pause(e, c, false, err) < 0)
		return -1;
	if (timeout_s < 0)
		timeout_s = c->stop_timeout_s;
	if (timeout_s != 0) {
		if (send(c, s, number, err) < 0)
			return -1;
		r = await_end(s, timeout_s < 0 ? -1 : timeout_s * 1000, err);
		if (r != 0)
			return r < 0 ? -1 : 0;
		engine_warn(e, "StopSignal %s failed to stop container %s in %lld seconds, resorting to SIGKILL",
			    c->stop_signal, c->name, (long long)timeout_s);
	}
	if (send(c, s, SIGKILL, err) < 0)
		return -1;
	return await_end(s, 30000, err) == 1 ? 0 :
	       error_set(err, ERROR_FAILED, "container %s did not end after SIGKILL", c->name);
}

int container_stop(struct engine *e, struct container *c, int64_t timeout_s, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	struct container_state s;

	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (run_dir >= 0 && (state_is_live(&s) || s.status == CONTAINER_RESTARTING))
		state_mark(run_dir, "stopped", true);
	if (s.status == CONTAINER_RESTARTING) {		/* the monitor sleeps before the next start: end it */
		_cleanup_fd_ int monitor = state_open_monitor(&s);

		if (monitor >= 0 && pidfd_signal(monitor, SIGTERM) == 0)
			pidfd_wait_exit(monitor, 10000);
		return 0;
	}
	if (s.status == CONTAINER_INITIALIZED)
		return send(c, &s, SIGKILL, err) < 0 || await_end(&s, 10000, err) < 0 ? -1 : 0;
	if (!state_is_live(&s))
		return 0;
	if (stop_live(e, c, &s, timeout_s, err) < 0)
		return error_frame(err, "stop container %s", c->name);
	event(e, c, "stop");
	return 0;
}

int container_restart(struct engine *e, struct container *c, int64_t timeout_s, struct error *err)
{
	struct start_options o = { 0 };
	bool detached;
	int code;

	if (container_stop(e, c, timeout_s, err) < 0 || container_start(e, c, &o, &code, &detached, err) < 0)
		return -1;
	event(e, c, "restart");
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
	if (send(c, &s, number, err) < 0)
		return -1;
	if (number == SIGKILL)
		await_end(&s, 10000, err);
	event(e, c, "kill");
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
	event(e, c, pause ? "pause" : "unpause");
	return 0;
}

/* --- remove, rename, wait */
int container_rm(struct engine *e, struct container *c, const struct rm_options *o, struct error *err)
{
	struct container_state s;

	if (container_load_state(e, c, &s, err) < 0) {
		if (!o->force)
			return -1;
		error_clear(err);
		s = (struct container_state){ .status = CONTAINER_EXITED };
	}
	if (state_is_live(&s) || s.status == CONTAINER_RESTARTING || s.status == CONTAINER_INITIALIZED) {
		if (!o->force)
			return error_set(err, ERROR_IN_USE, "cannot remove container %s as it is %s - running or paused containers "
					 "cannot be removed without force: container state improper", c->id,
					 container_status_name(s.status));
		if (container_stop(e, c, o->timeout_s >= 0 ? o->timeout_s : -1, err) < 0)
			return -1;
		if (c->request.rm) {		/* its own cleanup may have been faster */
			struct error gone = { 0 };

			if (!container_store_find(e->arena, &e->store, c->id, &gone))
				return 0;
		}
	}
	return remove_container(e, c, &s, o->volumes || c->request.rm, false, err);
}

int container_rename(struct engine *e, struct container *c, const char *new_name, struct error *err)
{
	char *old = c->name;

	if (container_store_rename(&e->store, c->id, old, new_name, err) < 0)
		return -1;
	c->name = arena_strdup(e->arena, new_name);
	if (container_save(e, c, err) < 0)
		return -1;
	event(e, c, "rename");
	return 0;
}

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
	struct attach_options a = { .in = -1, .out = -1, .err_ = -1, .signal_pidfd = -1 };
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

int container_init(struct engine *e, struct container *c, struct error *err)
{
	struct launch_options lo = { .hold = true };
	struct container_state s;
	struct launch l;
	int r;

	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s) || s.status == CONTAINER_INITIALIZED)
		return error_set(err, ERROR_STATE, "container %s has already been created in runtime: container state improper", c->id);
	release_run(e, c, &s);
	r = launch_prepare(&l, e, c, &lo, err) < 0 || launch_go(&l, err) < 0 ? -1 : 0;
	if (r == 0)
		event(e, c, "init");
	launch_done(&l, r < 0);
	return r < 0 ? error_frame(err, "initialize container %s", c->name) : 0;
}

/* --- what the monitor asks for */
int container_cleanup(struct engine *e, const char *id, struct error *err)
{
	struct container_state s;
	struct container c;

	if (container_load(e, id, &c, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? (error_clear(err), 0) : -1;
	if (container_load_state(e, &c, &s, err) < 0)
		return -1;
	if (c.request.rm)
		return remove_container(e, &c, &s, true, false, err);
	release_run(e, &c, &s);
	return 0;
}

int container_restart_now(struct engine *e, const char *id, struct error *err)
{
	struct launch_options lo = { 0 };
	struct start_options o = { 0 };
	struct container_state s;
	struct container c;
	bool detached;
	int code;

	if (container_load(e, id, &c, err) < 0 || container_load_state(e, &c, &s, err) < 0)
		return -1;
	if (s.stopped_by_user || state_is_live(&s))
		return 0;
	release_run(e, &c, &s);
	lo.restart_count = s.restart_count + 1;
	return start(e, &c, &o, &lo, &code, &detached, err);
}
