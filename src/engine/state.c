#include "engine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/container.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/pidfd.h"

#define STATE_MAX ((size_t)256 << 10)

JSON_SHAPE(container_state,
	JSON_FIELD(container_state, pid, "pid", T_INT),
	JSON_FIELD(container_state, monitor_pid, "monitorPid", T_INT),
	JSON_FIELD(container_state, net_pid, "networkPid", T_INT),
	JSON_FIELD(container_state, storage_pid, "storagePid", T_INT),
	JSON_FIELD(container_state, pid_start, "pidStart", T_UINT),
	JSON_FIELD(container_state, monitor_start, "monitorStart", T_UINT),
	JSON_FIELD(container_state, boot_id, "bootId", T_STRING),
	JSON_FIELD(container_state, started_ns, "started", T_INT),
	JSON_FIELD(container_state, cgroup, "cgroup", T_OBJECT, .shape = &cgroup_shape),
	JSON_FIELD(container_state, network_mode, "networkMode", T_STRING),
	JSON_FIELD(container_state, ip, "ip", T_STRING),
	JSON_FIELD(container_state, gateway, "gateway", T_STRING),
	JSON_FIELD(container_state, mac, "mac", T_STRING),
	JSON_FIELD(container_state, networks, "networks", T_OBJECTS, .shape = &bridge_endpoint_shape),
	JSON_FIELD(container_state, ports, "ports", T_STRINGS),
	JSON_FIELD(container_state, restart_count, "restartCount", T_INT));

struct exit_record {
	int64_t exit_code, finished_ns;
	bool oom_killed;
	char *error;
};

JSON_SHAPE(exit_record,
	JSON_FIELD(exit_record, exit_code, "exitCode", T_INT, .required = true),
	JSON_FIELD(exit_record, oom_killed, "oomKilled", T_BOOL),
	JSON_FIELD(exit_record, finished_ns, "finishedAt", T_INT, .required = true),
	JSON_FIELD(exit_record, error, "error", T_STRING));

const char *container_status_name(enum container_status s)
{
	static const char *const names[] = {
		[CONTAINER_CREATED] = "created", [CONTAINER_INITIALIZED] = "initialized", [CONTAINER_RUNNING] = "running",
		[CONTAINER_PAUSED] = "paused", [CONTAINER_STOPPING] = "stopping", [CONTAINER_EXITED] = "exited",
		[CONTAINER_RESTARTING] = "restarting",
	};

	return names[s];
}

int container_run_dir(struct engine *e, const char *id, bool create, struct error *err)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "containers/%s", id);
	if (create && fd_mkdirs(e->run_fd, path, 0700) < 0)
		return error_errno(err, "make %s/%s", e->run_path, path);
	fd = fd_open_dir(e->run_fd, path);
	if (fd < 0)
		return error_errno(err, "open %s/%s", e->run_path, path);
	return fd;
}

int state_write(struct engine *e, int run_dir, const struct container_state *state, struct error *err)
{
	char *text = json_print(e->arena, json_encode(e->arena, &container_state_shape, state), 0);

	if (fd_write_file(run_dir, "state", text, strlen(text), 0600, false) < 0)
		return error_errno(err, "write the container's state in %s", e->run_path);
	return 0;
}

int state_reset(struct engine *e, const char *id, int run_dir, struct error *err)
{
	_cleanup_fd_ int dir = container_store_open(&e->store, id, -1, err);

	if (dir < 0)
		return -1;
	if (unlinkat(dir, "exit", 0) < 0 && errno != ENOENT)
		return error_errno(err, "forget the last exit of %.12s", id);
	unlinkat(run_dir, "exit", 0);
	unlinkat(run_dir, "stopped", 0);
	unlinkat(run_dir, "paused", 0);
	unlinkat(run_dir, "initialized", 0);
	unlinkat(run_dir, "bypass", 0);		/* of a monitor that was killed */
	unlinkat(run_dir, "state", 0);
	return 0;
}

int state_mark(int run_dir, const char *file, bool set)
{
	int fd;

	if (!set)
		return unlinkat(run_dir, file, 0) < 0 && errno != ENOENT ? -1 : 0;
	fd = openat(run_dir, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static bool is_marked(int run_dir, const char *file)
{
	return faccessat(run_dir, file, F_OK, 0) == 0;
}

/* A file of the state: NULL when it is not there, or damaged in a way that its reader does not mind. What cannot be read now
 * must not be taken for missing: then err is set. */
static char *read_part(struct engine *e, int dir, const char *name, size_t *ret_size, struct error *err)
{
	char *text = dir < 0 ? NULL : fd_read_file(e->arena, dir, name, STATE_MAX, ret_size);

	if (!text && dir >= 0 && error_passes(errno))
		error_errno(err, "read the container's %s", name);
	return text;
}

static bool read_exit(struct engine *e, int dir, const char *name, struct exit_record *ret, struct error *err)
{
	size_t size;
	char *text = read_part(e, dir, name, &size, err);
	struct error ignored = { 0 };

	*ret = (struct exit_record){ 0 };
	return text && json_decode(e->arena, &exit_record_shape, ret, text, size, "exit", &ignored) == 0;
}

static bool same_boot(const struct container_state *s)
{
	char boot[37];

	return s->boot_id && (pidfd_boot_id(boot) < 0 || strcmp(boot, s->boot_id) == 0);
}

static void take_exit(struct container_state *s, const struct exit_record *x)
{
	s->exit_code = x->exit_code;
	s->finished_ns = x->finished_ns;
	s->oom_killed = x->oom_killed;
	s->error = x->error && *x->error ? x->error : NULL;
}

/* The monitor is gone and left no record: somebody killed it. The process may still live. */
static void judge_orphan(struct container_state *s)
{
	_cleanup_fd_ int pidfd = -1;

	errno = 0;
	pidfd = same_boot(s) ? state_open_process(s) : -1;
	if (pidfd >= 0 || error_passes(errno)) {
		s->status = CONTAINER_RUNNING;
		return;
	}
	s->status = CONTAINER_EXITED;
	s->exit_code = 255;
	s->finished_ns = s->started_ns;
	s->error = "its monitor ended without recording the exit status (killed, or the machine went down)";
}

static void judge(struct container_state *s, int run_dir, bool ended, bool restarts)
{
	s->stopped_by_user = is_marked(run_dir, "stopped");
	if (!lock_is_held(run_dir, "monitor.lock")) {
		if (ended)
			s->status = CONTAINER_EXITED;
		else
			judge_orphan(s);
	} else if (ended) {
		s->status = restarts && !s->stopped_by_user ? CONTAINER_RESTARTING : CONTAINER_EXITED;
	} else if (is_marked(run_dir, "initialized")) {
		s->status = CONTAINER_INITIALIZED;
	} else if (is_marked(run_dir, "paused")) {
		s->status = CONTAINER_PAUSED;
	} else {
		s->status = s->stopped_by_user ? CONTAINER_STOPPING : CONTAINER_RUNNING;
	}
}

int container_load_state(struct engine *e, const struct container *c, struct container_state *ret, struct error *err)
{
	_cleanup_fd_ int dir = container_store_open(&e->store, c->id, -1, err);

	*ret = (struct container_state){ 0 };
	if (dir < 0)
		return -1;
	return state_load_present(e, c, ret, err);
}

int state_load_present(struct engine *e, const struct container *c, struct container_state *ret, struct error *err)
{
	struct error why = { 0 };
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, &why);
	struct exit_record x;
	char path[96];
	bool ended;
	size_t size;
	char *text;

	*ret = (struct container_state){ 0 };
	if (!error_passes(why.sys))
		error_clear(&why);
	snprintf(path, sizeof(path), "containers/%s/exit", c->id);
	ended = read_exit(e, e->store.root_fd, path, &x, &why) || read_exit(e, run_dir, "exit", &x, &why);
	text = read_part(e, run_dir, "state", &size, &why);
	if (text) {
		struct error bad = { 0 };

		if (json_decode(e->arena, &container_state_shape, ret, text, size, "state", &bad) < 0)
			text = NULL;	/* a torn file: what is left decides */
	}
	if (ended)
		take_exit(ret, &x);
	if (text)
		judge(ret, run_dir, ended && x.finished_ns >= ret->started_ns,
		      c->request.restart && *c->request.restart && strcmp(c->request.restart, "no") != 0);
	else
		ret->status = ended ? CONTAINER_EXITED : CONTAINER_CREATED;
	return why.kind ? error_set(err, why.kind, "the state of container %s: %s", c->name, why.text) : 0;
}

int state_open_process(const struct container_state *s)
{
	errno = ESRCH;
	return s->pid > 0 ? pidfd_open_same((pid_t)s->pid, s->pid_start) : -1;
}

int state_open_monitor(const struct container_state *s)
{
	errno = ESRCH;
	return s->monitor_pid > 0 ? pidfd_open_same((pid_t)s->monitor_pid, s->monitor_start) : -1;
}

bool state_is_live(const struct container_state *s)
{
	return s->status == CONTAINER_RUNNING || s->status == CONTAINER_PAUSED || s->status == CONTAINER_STOPPING;
}

int state_need_running(const struct container *c, const struct container_state *s, const char *doing, struct error *err)
{
	if (state_is_live(s))
		return 0;
	return error_set(err, ERROR_STATE, "can only %s running containers. %s is in state %s: container state improper",
			 doing, c->id, container_status_name(s->status));
}
