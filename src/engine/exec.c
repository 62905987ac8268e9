/* Further processes in running containers: what they are is decided here, run/ makes them. */
#include "engine/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/environment.h"
#include "engine/events.h"
#include "engine/exec_relay.h"
#include "engine/exec_session.h"
#include "engine/limits.h"
#include "engine/security.h"
#include "engine/state.h"
#include "engine/user.h"
#include "sys/attach.h"
#include "sys/fd.h"
#include "sys/lsm.h"
#include "sys/pidfd.h"
#include "sys/tty.h"

/* What stands between the request and the plan. */
struct exec {
	struct engine *e;
	struct container *c;
	const struct exec_request *r;
	struct container_state state;
	struct security security;
	struct label_pipes pipes;	/* a label where the process gets one */
	struct passwd_user user;
	struct oci_process process;
	struct oci_spec spec;
	struct oci_linux linux_;
	int target_pidfd, cgroup_fd;
	struct run_moments moments;
	int *preserve_fds;
	size_t preserve_fds_n;
	int bypass;			/* to the monitor of a container with socket bypass; -1 */
};

static int find_target(struct exec *x, struct error *err)
{
	if (container_load_state(x->e, x->c, &x->state, err) < 0)
		return -1;
	if (x->state.status == CONTAINER_RUNNING || x->state.status == CONTAINER_STOPPING)
		x->target_pidfd = state_open_process(&x->state);
	if (x->target_pidfd < 0)
		return error_set(err, ERROR_STATE,
				 "can only create exec sessions on running containers: container state improper");
	return 0;
}

/* --- user, variables, capabilities */
static int resolve_user(struct exec *x, struct error *err)
{
	static const struct strings no_groups;
	const struct container *c = x->c;
	const char *user = x->r->user ? x->r->user : c->request.user ? c->request.user : c->image.user;
	struct userns_user kept = { 0 };
	struct user_files files;
	struct id_maps maps;
	_cleanup_fd_ int root = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%lld/root", (long long)x->state.pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The pidfd was opened before: while its process lives the number is its own. */
	if (root < 0 || pidfd_signal(x->target_pidfd, 0) < 0)
		return error_errno(err, "open the root of container %s", c->name);
	if (userns_mode_maps(x->e, c, &maps, &kept, err) < 0)
		return -1;
	if (user_resolve(x->e, root, user, x->r->user ? &no_groups : &c->request.group_add, &kept, &x->user, &files, err) < 0)
		return -1;
	return user_check(x->e, &x->user, &maps, err);
}

static int build_environment(struct exec *x, struct error *err)
{
	struct arena *arena = x->e->arena;
	struct strings *env = &x->process.env;

	strings_add_all(arena, env, &x->c->env);
	if (x->r->tty && !environment_get(env, "TERM"))
		environment_set(arena, env, "TERM", "xterm");
	if (!environment_get(env, "HOSTNAME"))
		environment_set(arena, env, "HOSTNAME", x->c->hostname ? x->c->hostname : "");
	if (!environment_get(env, "HOME"))
		environment_set(arena, env, "HOME", x->user.home);
	for (size_t i = 0; i < x->r->env_file.n; i++)
		if (environment_add_file(arena, env, x->r->env_file.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < x->r->env.n; i++)
		if (environment_add(arena, env, x->r->env.v[i], err) < 0)
			return -1;
	return 0;
}

/* Root gets the container's bounding set, other users nothing, --privileged everything. */
static int add_capabilities(struct exec *x, struct error *err)
{
	const struct create_request *r = &x->c->request;
	struct oci_capabilities *caps = arena_new_one(x->e->arena, struct oci_capabilities);
	bool privileged = r->privileged || x->r->privileged;

	if (run_capabilities(x->e->arena, &r->cap_add, &r->cap_drop, privileged, &caps->bounding, err) < 0)
		return -1;
	if (x->user.uid == 0 || x->r->privileged)
		caps->effective = caps->permitted = caps->bounding;
	if (x->user.uid != 0 && x->r->privileged)
		caps->inheritable = caps->ambient = caps->bounding;
	x->process.capabilities = caps;
	return 0;
}

static void set_console_size(struct exec *x)
{
	struct tty_size size;

	if (x->r->detach || (tty_get_size(STDIN_FILENO, &size) < 0 && tty_get_size(STDOUT_FILENO, &size) < 0))
		return;
	x->process.console_size = arena_new_one(x->e->arena, struct oci_box);
	x->process.console_size->height = size.rows;
	x->process.console_size->width = size.columns;
}

static int build_process(struct exec *x, struct error *err)
{
	const struct create_request *r = &x->c->request;
	struct oci_process *p = &x->process;
	uint64_t umask = r->umask ? strtoul(r->umask, NULL, 8) & 0777 : 0022;

	if (!x->r->command.n)
		return error_set(err, ERROR_USAGE, "must provide a non-empty command to start an exec session: invalid argument");
	p->terminal = x->r->tty;
	p->args = x->r->command;
	p->cwd = x->r->workdir ? x->r->workdir : x->c->workdir;
	p->user.uid = x->user.uid;
	p->user.gid = x->user.gid;
	for (size_t i = 0; i < x->user.groups.n; i++)
		*ARRAY_ADD(x->e->arena, &p->user.additional_gids) = x->user.groups.v[i];
	p->user.umask = arena_memdup(x->e->arena, &umask, sizeof(umask));
	p->no_new_privileges = x->security.no_new_privileges;
	p->apparmor_profile = x->security.apparmor;
	p->selinux_label = x->pipes.label ? x->c->process_label : NULL;
	if (p->terminal)
		set_console_size(x);
	if (build_environment(x, err) < 0 || add_capabilities(x, err) < 0)
		return -1;
	return limits_ulimits(x->e->arena, r, p, err);
}

/* --- the container's side of it */

/* The namespaces that the container does not share with this process: what there is to join. */
static int add_namespaces(struct exec *x, struct error *err)
{
	static const struct { const char *type, *file; } kinds[] = {
		{ "user", "user" }, { "pid", "pid" }, { "network", "net" }, { "mount", "mnt" },
		{ "ipc", "ipc" }, { "uts", "uts" }, { "cgroup", "cgroup" }, { "time", "time" },
	};

	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		char path[64];
		struct stat mine, its;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].file);
		if (stat(path, &mine) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%lld/ns/%s", (long long)x->state.pid, kinds[i].file);
		if (stat(path, &its) < 0)
			return error_errno(err, "find the namespaces of container %s", x->c->name);
		if (mine.st_ino == its.st_ino && mine.st_dev == its.st_dev)
			continue;
		ARRAY_ADD(x->e->arena, &x->linux_.namespaces)->type = (char *)kinds[i].type;
	}
	return 0;
}

static int build_spec(struct exec *x, struct error *err)
{
	x->spec.process = &x->process;
	x->spec.linux_ = &x->linux_;
	return add_namespaces(x, err);
}

static int join_cgroup(void *context, const struct run_process *p, struct error *err)
{
	const struct exec *x = context;

	return cgroup_join(x->state.cgroup, NULL, p->pid, x->cgroup_fd >= 0, err);
}

/* The unified hierarchy is entered at birth where that is allowed, and all others right after it. */
static void open_cgroup(struct exec *x)
{
	if (!x->state.cgroup)
		return;
	x->cgroup_fd = cgroup_entry(x->state.cgroup, NULL, NULL);
	if (cgroup_needs_join(x->state.cgroup, x->cgroup_fd))
		x->moments = (struct run_moments){ .context = x, .born = join_cgroup };
}

static int list_preserved(struct exec *x, struct error *err)
{
	unsigned n;

	if (str_is_empty(x->r->preserve_fds))
		return 0;
	if (str_to_u32(x->r->preserve_fds, &n) < 0 || n > 1024)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --preserve-fds", x->r->preserve_fds);
	x->preserve_fds = arena_new_array(x->e->arena, int, n + 1);
	x->preserve_fds_n = n;
	for (unsigned i = 0; i < n; i++) {
		x->preserve_fds[i] = 3 + (int)i;
		if (fcntl(3 + (int)i, F_GETFD) < 0)
			return error_set(err, ERROR_USAGE, "file descriptor %u is not available - the preserve-fds option "
					 "requires that file descriptors must be passed", 3 + i);
	}
	return 0;
}

static int prepare(struct exec *x, struct error *err)
{
	if (list_preserved(x, err) < 0 || find_target(x, err) < 0 ||
	    security_parse(x->e->arena, &x->c->request, &x->security, err) < 0)
		return -1;
	x->pipes.dir = x->e->run_fd;
	x->pipes.label = x->c->process_label && lsm_is_on(LSM_SELINUX) ? x->c->mount_label : NULL;
	if (resolve_user(x, err) < 0 || build_process(x, err) < 0 || build_spec(x, err) < 0)
		return -1;
	open_cgroup(x);
	return 0;
}

/* The number must not be one of those that are given away. */
static int open_bypass(struct exec *x, struct error *err)
{
	_cleanup_fd_ int dir = container_run_dir(x->e, x->c->id, false, err), fd = -1;

	if (dir < 0)
		return -1;
	if (faccessat(dir, "bypass", F_OK, 0) < 0)
		return 0;
	fd = attach_bypass_connect(dir);
	x->bypass = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3 + (int)x->preserve_fds_n);
	return x->bypass < 0 ? error_errno(err, "reach the monitor, which makes the container's connections") : 0;
}

static struct run_plan *make_plan(const struct exec *x, const int stdio[3], struct error *err)
{
	struct run_exec_request request = {
		.target = (pid_t)x->state.pid, .target_pidfd = x->target_pidfd, .spec = &x->spec, .id = x->c->id,
		.process = &x->process,
		.stdio = { stdio[0], stdio[1], stdio[2] }, .cgroup_fd = x->cgroup_fd,
		.moments = x->moments.born ? &x->moments : NULL,
		.seccomp_default = !x->security.unconfined && !x->r->privileged,
		.seccomp_profile = x->security.seccomp_profile,
		.cache_dir = arena_printf(x->e->arena, "%s/cache/seccomp", x->e->run_path),
		.preserve_fds = x->preserve_fds, .preserve_fds_n = x->preserve_fds_n,
		.bypass_socket = x->bypass < 0 ? NULL : &x->bypass,
	};

	return run_exec_plan_new(x->e->arena, &request, err);
}

/* --- the two ways to run it */

/* Starts the plan and stays with its process. */
static int run_and_wait(const struct exec *x, const struct run_plan *plan, struct exec_relay *relay, int *ret_exit_code,
			struct error *err)
{
	struct run_process p;
	bool left = false;
	int r;

	if (!plan || run_start(plan, NULL, NULL, &p, err) < 0)
		return -1;
	r = x->r->tty ? exec_session_console(&p, x->r, &left, err) : exec_relay_run(relay, p.pidfd, err);
	if (r == 0 && left) {
		r = exec_session_leave(x->e, x->c, &p, err);
		*ret_exit_code = 0;
	} else if (r == 0) {
		*ret_exit_code = pidfd_reap(p.pidfd);
	}
	fd_close(&p.console);
	fd_close(&p.pidfd);
	return r;
}

static int run_foreground(const struct exec *x, int *ret_exit_code, struct error *err)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int streams[3] = { x->r->interactive ? STDIN_FILENO : null, STDOUT_FILENO, STDERR_FILENO };
	static const int none[3] = { -1, -1, -1 };
	struct exec_relay relay;
	int r;

	if (x->r->tty)
		return run_and_wait(x, make_plan(x, none, err), NULL, ret_exit_code, err);
	if (exec_relay_open(&relay, streams, &x->pipes, err) < 0)
		return -1;
	r = run_and_wait(x, make_plan(x, relay.child, err), &relay, ret_exit_code, err);
	exec_relay_close(&relay);
	return r;
}

static int run_detached(const struct exec *x, char **ret_session, struct error *err)
{
	struct exec_streams streams;
	struct run_plan *plan;
	int r = -1;

	if (exec_streams_open(&streams, x->r->tty, &x->pipes, err) < 0)
		return -1;
	plan = make_plan(x, streams.child, err);
	if (plan)
		r = exec_session_detach(x->e, x->c, plan, &streams, ret_session, err);
	exec_streams_close(&streams);
	return r;
}

int exec_run(struct engine *e, struct container *c, const struct exec_request *r, int *ret_exit_code,
	     char **ret_session, struct error *err)
{
	struct exec x = { .e = e, .c = c, .r = r, .target_pidfd = -1, .cgroup_fd = -1, .bypass = -1 };
	int result;

	*ret_exit_code = 0;
	result = prepare(&x, err) < 0 || open_bypass(&x, err) < 0 ? -1 : 0;
	if (result == 0) {
		event_add(e, "container", "exec", c->id, c->name, c->image_name, &c->labels);
		result = r->detach ? run_detached(&x, ret_session, err) : run_foreground(&x, ret_exit_code, err);
		if (!r->detach)
			event_add(e, "container", "exec_died", c->id, c->name, c->image_name, &c->labels);
	}
	fd_close(&x.target_pidfd);
	fd_close(&x.cgroup_fd);
	fd_close(&x.bypass);
	return result;
}
