/* container_start, container_run and their relatives: launch, then stay attached or not */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/attach.h"
#include "engine/launch.h"
#include "engine/life.h"
#include "engine/state.h"
#include "sys/fd.h"
#include "sys/trace.h"

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
				    .terminal = c->request.tty, .detach_keys = o->detach_keys, .signal_pidfd = -1, .reader_pidfd = -1 };
	_cleanup_fd_ int process = -1;
	struct container_state s;
	enum attach_end end;
	int code = 0;
	_cleanup_trace_ struct trace_span span = trace_begin("stay attached until the end");

	if (container_load_state(e, c, &s, NULL) == 0)
		process = state_open_process(&s);
	if (o->sig_proxy && !a.terminal)
		a.signal_pidfd = process;
	if (c->request.rm && !c->request.detach)
		a.reader_pidfd = process;
	if (attach_session(client, &a, &end, &code, err) < 0)
		return -1;
	*ret_detached = end == ATTACH_DETACHED;
	if (end == ATTACH_LOST && exit_code_of_record(e, c, &code, err) < 0)
		return -1;
	*ret_exit_code = code;
	return 0;
}

/* Its would-be monitor may take a moment to end. One that another command has started stays. */
static void remove_unstarted(struct engine *e, struct container *c)
{
	struct container_state s;
	struct error ignored = { 0 };

	if (life_settle(e, c, &s, &ignored) == 0)
		life_remove(e, c, true, &ignored);
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
		if (c->request.rm)
			remove_unstarted(e, c);
		return error_frame(err, "start container %s", c->name);
	}
	life_event(e, c, "start");
	fd_close(&l.monitor_client);
	fd_close(&l.dir_fd);
	fd_close(&l.lock_fd);
	fd_close(&l.root_mount);
	network_bridge_close(&l.bridges);
	for (int i = 0; i < 3; i++) {
		fd_close(&l.child_stdio[i]);
		fd_close(&l.our_stdio[i]);
	}
	r = lo->attach ? follow(e, c, l.client, o, ret_exit_code, ret_detached, err) : 0;
	_cleanup_trace_ struct trace_span span = trace_begin("clean up");
	/* Before the socket is closed: the monitor removes the container if this process was killed before it could. */
	if (r == 0 && lo->client_removes && !*ret_detached)
		r = container_cleanup(e, c->id, err);
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
	life_event(e, c, "start");
	return o->attach ? follow(e, c, client, o, ret_exit_code, ret_detached, err) : 0;
}

int container_start(struct engine *e, struct container *c, const struct start_options *o, int *ret_exit_code,
		    bool *ret_detached, struct error *err)
{
	struct launch_options lo = { .attach = wanted_streams(o) };
	struct container_state s;

	*ret_exit_code = 0;
	*ret_detached = false;
	if (life_settle(e, c, &s, err) < 0)
		return -1;
	if (s.status == CONTAINER_RESTARTING) {		/* not later, but now */
		life_end_backoff(e, c, &s);
		if (container_load_state(e, c, &s, err) < 0)
			return -1;
	}
	if (state_is_live(&s)) {
		if (!o->attach)
			return 0;
		struct attach_options a = { .in = STDIN_FILENO, .out = STDOUT_FILENO, .err_ = STDERR_FILENO,
					    .terminal = c->request.tty, .detach_keys = o->detach_keys, .signal_pidfd = -1, .reader_pidfd = -1 };
		return container_attach(e, c, &a, o->interactive, ret_exit_code, ret_detached, err);
	}
	if (s.status == CONTAINER_INITIALIZED)
		return start_held(e, c, o, ret_exit_code, ret_detached, err);
	life_release(e, c, &s);
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
	return start(e, ret, &o, &lo, ret_exit_code, ret_detached, err);
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
	life_remove(e, &c, true, &ignored);
	return result;
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
	life_release(e, c, &s);
	r = launch_prepare(&l, e, c, &lo, err) < 0 || launch_go(&l, err) < 0 ? -1 : 0;
	if (r == 0)
		life_event(e, c, "init");
	launch_done(&l, r < 0);
	return r < 0 ? error_frame(err, "initialize container %s", c->name) : 0;
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
	life_release(e, &c, &s);
	lo.restart_count = s.restart_count + 1;
	return start(e, &c, &o, &lo, &code, &detached, err);
}
