/* exec: a further process in a running container */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "oci/bundle.h"
#include "oci/exec_process.h"
#include "oci/foreground.h"
#include "oci/handover.h"
#include "oci/limits.h"
#include "oci/pid_file.h"
#include "oci/preserved.h"
#include "oci/rdt.h"
#include "sys/fd.h"
#include "sys/trace.h"
#include "sys/tty.h"

struct exec {
	struct oci *o;
	const struct oci_exec_request *request;
	struct opened container;
	struct oci_spec spec;
	struct oci_process process;
	int cgroup_fd;
	struct handover handover;
	struct preserved preserved;
	struct run_moments moments;
	struct strings warnings;
	struct run_plan *plan;
	struct run_process started;
};

static int check_status(const struct exec *x, struct error *err)
{
	enum record_status status = x->container.status;

	if (status == RECORD_STOPPED || status == RECORD_CREATING)
		return error_set(err, ERROR_STATE, "it is %s, not running", record_status_names[status]);
	if (status == RECORD_PAUSED && !x->request->ignore_paused)
		return error_set(err, ERROR_STATE, "it is paused: the process would not run");
	return 0;
}

/* --- cgroup */

/* Where the container has made cgroups of its own and moved into them, it may have left none for processes: then the
 * place is that of its first process. */
static const char *below_own(struct exec *x)
{
	const struct record *r = &x->container.record;
	_cleanup_fd_ int fd = cgroup_open(&r->cgroup, NULL, NULL);
	struct strings handed = { 0 };
	char path[64], *text, *line, *found;

	if (fd < 0)
		return NULL;
	control_read_words(x->o->arena, fd, "cgroup.subtree_control", &handed);
	if (!handed.n)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%lld/cgroup", (long long)r->pid);
	text = fd_read_file(x->o->arena, AT_FDCWD, path, 65536, NULL);
	while (text && (line = strsep(&text, "\n")))
		if (str_starts(line, "0::") && (found = strstr(line, r->cgroup.path)))
			return found + strlen(r->cgroup.path) + strspn(found + strlen(r->cgroup.path), "/");
	return NULL;
}

static int at_birth(void *context, const struct run_process *p, struct error *err)
{
	struct exec *x = context;
	const struct oci_intel_rdt *rdt = x->spec.linux_->intel_rdt;

	if (cgroup_join(&x->container.record.cgroup, x->request->cgroup, p->pid, x->cgroup_fd >= 0, err) < 0)
		return -1;
	return rdt ? rdt_follow(x->o, rdt, x->request->id, p->pid, err) : 0;
}

static int open_cgroup(struct exec *x, struct error *err)
{
	const struct cgroup *group = &x->container.record.cgroup;
	const char *sub = x->request->cgroup ? x->request->cgroup : below_own(x);

	if (!group->places.n)
		return 0;
	x->cgroup_fd = cgroup_entry(group, str_is_empty(sub) ? NULL : sub, err);
	if (x->cgroup_fd < 0 && errno != ENOENT)
		return -1;
	if (group->places.n > 1 || x->cgroup_fd < 0)
		x->moments.born = at_birth;
	return 0;
}

/* --- the plan */

static int make_plan(struct exec *x, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("plan");
	struct run_exec_request request = {
		.target = (pid_t)x->container.record.pid, .target_pidfd = x->container.process,
		.spec = &x->spec, .process = &x->process,
		.id = x->request->id, .bundle = x->container.record.bundle,
		.stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO }, .cgroup_fd = x->cgroup_fd,
		.cache_dir = arena_printf(x->o->arena, "%s/.cache", x->o->root), .preserve_fds = x->preserved.fds,
		.preserve_fds_n = x->preserved.n, .process_is_file = x->request->process_file,
		.terminal_text = !x->request->console_socket && !tty_is(STDOUT_FILENO), .moments = &x->moments,
		.warnings = &x->warnings,
	};

	x->plan = run_exec_plan_new(x->o->arena, &request, err);
	if (!x->plan)
		return error_frame(err, "%s", x->request->process_file ? x->request->process_file : "exec");
	for (size_t i = 0; i < x->warnings.n; i++)
		oci_warn(x->o, "%s", x->warnings.v[i]);
	return 0;
}

static int check_console(struct exec *x, struct error *err)
{
	static const struct string_map none;
	const struct oci_exec_request *r = x->request;

	if (x->process.terminal && r->detach && !r->console_socket)
		return error_set(err, ERROR_USAGE, "a terminal in the background needs --console-socket");
	if (!x->process.terminal || !r->console_socket)
		return 0;
	return handover_connect(r->console_socket, &none, &x->handover, err);
}

static int prepare(struct exec *x, struct error *err)
{
	struct oci *o = x->o;

	if (check_status(x, err) < 0 || bundle_load_used(o, x->container.dir_fd, &x->spec, err) < 0 ||
	    exec_process(o, x->request, &x->container.record, &x->spec, &x->process, err) < 0 ||
	    preserved_list(o->arena, x->request->preserve_fds, NULL, &x->preserved, err) < 0 || check_console(x, err) < 0)
		return -1;
	x->moments.context = x;
	if (x->spec.linux_->intel_rdt)
		x->moments.born = at_birth;
	if (open_cgroup(x, err) < 0)
		return -1;
	return make_plan(x, err);
}

/* --- running it */

static int started(void *context, const struct run_process *p, struct error *err)
{
	struct exec *x = context;

	return pid_file_write(x->request->pid_file, p->pid, err);
}

static int start(struct exec *x, struct error *err)
{
	if (run_start(x->plan, started, x, &x->started, err) < 0)
		return -1;
	return handover_send(&x->handover, &x->started, err);
}

static int run(struct exec *x, int *ret_exit_code, struct error *err)
{
	struct foreground f;
	int result;

	if (x->request->detach)
		return start(x, err);
	if (foreground_begin(&f, err) < 0)
		return -1;
	result = start(x, err);
	if (result == 0)
		result = foreground_wait(&f, &x->started, ret_exit_code, err);
	foreground_end(&f);
	return result;
}

int oci_exec(struct oci *o, const struct oci_exec_request *request, int *ret_exit_code, struct error *err)
{
	struct exec x = { .o = o, .request = request, .container = RECORD_NONE, .cgroup_fd = -1,
			  .handover = HANDOVER_NONE,
			  .started = { .pid = -1, .pidfd = -1, .console = -1, .release = -1 } };
	int result;

	*ret_exit_code = 0;
	if (record_find(o, request->id, false, &x.container, err) < 0)
		return -1;
	result = prepare(&x, err);
	if (result == 0)
		result = run(&x, ret_exit_code, err);
	record_close(&x.container);
	fd_close(&x.cgroup_fd);
	handover_close(&x.handover);
	fd_close(&x.started.pidfd);
	return result < 0 ? error_frame(err, "exec in container `%s`", request->id) : 0;
}
