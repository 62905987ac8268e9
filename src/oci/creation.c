#include "oci/creation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/units.h"
#include "oci/home.h"
#include "oci/limits.h"
#include "oci/network_device.h"
#include "oci/notify.h"
#include "oci/pid_file.h"
#include "oci/rdt.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/lsm.h"
#include "sys/pidfd.h"
#include "sys/trace.h"
#include "sys/tty.h"
#include "userns/maps.h"

/* --- the moments of the child's set-up */

static int write_maps(void *context, pid_t pid, const struct id_maps *maps, struct error *err)
{
	struct creation *c = context;

	return maps_write(c->o->arena, pid, maps, err);
}

static int at_birth(void *context, const struct run_process *p, struct error *err)
{
	struct creation *c = context;
	const struct oci_linux *l = c->bundle.spec.linux_;

	if (cgroup_join(&c->record.cgroup, NULL, p->pid, c->cgroup_fd >= 0, err) < 0)
		return -1;
	if (l->intel_rdt && rdt_join(c->o, l->intel_rdt, c->record.id, p->pid, &c->record.rdt_group, err) < 0)
		return bundle_error(&c->bundle, err);
	if (l->net_devices.n && network_device_move(c->o->arena, l, p->pid, err) < 0)
		return bundle_error(&c->bundle, err);
	return 0;
}

int creation_run_hooks(struct creation *c, pid_t pid, struct error *err)
{
	struct hook_list prestart = HOOKS(&c->bundle.spec, prestart, "prestart");
	struct hook_list runtime = HOOKS(&c->bundle.spec, create_runtime, "createRuntime");
	struct json *state;

	c->record.pid = pid;
	c->hooks_ran = true;
	state = record_state(c->o->arena, &c->record, RECORD_CREATED);
	if (hooks_run(c->o, &prestart, state, &c->hook_output, err) < 0)
		return -1;
	return hooks_run(c->o, &runtime, state, &c->hook_output, err);
}

static int at_mounted(void *context, const struct run_process *p, struct error *err)
{
	struct creation *c = context;

	/* Its cgroup namespace has been made: to it, this is a cgroup below the root. */
	if (c->record.cgroup.leaf && cgroup_join(&c->record.cgroup, c->record.cgroup.leaf, p->pid, false, err) < 0)
		return -1;
	return creation_run_hooks(c, p->pid, err);
}

/* Each moment costs a wait, so only those that there is work for. */
static void choose_moments(struct creation *c)
{
	const struct oci_spec *s = &c->bundle.spec;

	c->moments = (struct run_moments){ .context = c, .map = write_maps };
	if (cgroup_may_need_join(&c->o->cgroup_host, s) || s->linux_->net_devices.n || s->linux_->intel_rdt)
		c->moments.born = at_birth;
	if ((s->hooks && (s->hooks->prestart.n || s->hooks->create_runtime.n)) || map_get(&s->annotations, CGROUP_LEAF))
		c->moments.mounted = at_mounted;
}

/* --- what can be checked before anything is made */

/* The specification lets a container be created without a process; it cannot be started then. */
static void complete_process(struct creation *c)
{
	struct oci_process *p = arena_new_one(c->o->arena, struct oci_process);

	if (c->bundle.spec.process)
		return;
	p->cwd = "/";
	c->bundle.spec.process = p;
	c->has_no_process = true;
}

/* Decoding it costs as much as all the rest of a start or delete. */
static bool needs_config(const struct creation *c)
{
	const struct oci_hooks *hooks = c->bundle.spec.hooks;

	return c->has_no_process || (hooks && (hooks->poststart.n || hooks->poststop.n));
}

static void describe(struct creation *c)
{
	struct record *r = &c->record;
	struct arena *arena = c->o->arena;
	char boot[37];

	r->id = arena_strdup(arena, c->request->id);
	r->bundle = c->bundle.path;
	r->rootfs = c->bundle.rootfs;
	r->created = units_format_time(arena, units_now());
	r->owner = geteuid() == 0 ? "root" : arena_printf(arena, "%u", geteuid());
	r->annotations = c->bundle.spec.annotations;
	r->needs_config = needs_config(c);
	if (pidfd_boot_id(boot) == 0)
		r->boot_id = arena_strdup(arena, boot);
}

/* The state with a hole for the pid, which the child fills with its number in the container. */
static void split_state(struct creation *c, struct run_request *request)
{
	struct json *state = record_state(c->o->arena, &c->record, RECORD_CREATED);
	char *text = json_print(c->o->arena, state, 0), *pid = strstr(text, "\"pid\":0");

	request->state_head = arena_strndup(c->o->arena, text, (size_t)(pid - text) + strlen("\"pid\":"));
	request->state_tail = pid + strlen("\"pid\":0");
}

/* What they are is known when the cgroup is made; the plan has a place for it. */
static bool shows_hierarchies(const struct oci *o)
{
	return o->cgroup_host.v1 && !o->cgroup_host.unified;
}

static int make_plan(struct creation *c, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("plan");
	struct run_request request = {
		.spec = &c->bundle.spec, .id = c->request->id, .bundle = c->bundle.path, .root_mount = -1,
		.stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO }, .cgroup_fd = -1, .cgroup_later = true,
		.no_command = c->has_no_process,
		.cache_dir = arena_printf(c->o->arena, "%s/.cache", c->o->root),
		.preserve_fds = c->preserved.fds, .preserve_fds_n = c->preserved.n, .no_pivot = c->request->no_pivot,
		.keyring = !c->request->no_new_keyring, .make_devices = geteuid() == 0,
		.terminal_text = !c->request->console_socket && !tty_is(STDOUT_FILENO),
		.reset_affinity = true, .cgroup_v1 = shows_hierarchies(c->o) ? &c->hierarchies : NULL,
		.hook_output = c->hook_output.fds, .start_socket = c->waits ? &c->start_socket : NULL,
		.created_lock = c->waits ? &c->created_lock : NULL, .moments = &c->moments, .warnings = &c->warnings,
	};

	split_state(c, &request);
	c->plan = run_plan_new(c->o->arena, &request, err);
	return c->plan ? 0 : bundle_error(&c->bundle, err);
}

static int check_labels(const struct oci_process *p, struct error *err)
{
	if (!str_is_empty(p->selinux_label) && lsm_check_label(p->selinux_label, err) < 0)
		return error_frame(err, ".process.selinuxLabel");
	if (!str_is_empty(p->apparmor_profile) && lsm_check_profile(p->apparmor_profile, err) < 0)
		return error_frame(err, ".process.apparmorProfile");
	return 0;
}

/* What crun does by plugins of its own. Not to do it and run the container all the same would be worse. */
static int check_annotations(const struct string_map *annotations, struct error *err)
{
	static const char *const not_here[] = { "run.oci.handler", "run.oci.seccomp.plugins" };

	for (size_t i = 0; i < ELEMENTS(not_here); i++)
		if (!str_is_empty(map_get(annotations, not_here[i])))
			return error_set(err, ERROR_UNSUPPORTED, ".annotations[\"%s\"]: \"%s\" is not supported", not_here[i],
					 map_get(annotations, not_here[i]));
	return 0;
}

static int check(struct creation *c, struct error *err)
{
	const struct oci_process *p = c->bundle.spec.process;

	if (check_annotations(&c->bundle.spec.annotations, err) < 0 || hooks_check(c->o, &c->bundle.spec, err) < 0)
		return bundle_error(&c->bundle, err);
	if (cgroup_check(&c->o->cgroup_host, c->bundle.spec.linux_->resources, ".linux.resources", err) < 0)
		return bundle_error(&c->bundle, err);
	if (network_device_check(c->o->arena, c->bundle.spec.linux_, err) < 0 ||
	    (c->bundle.spec.linux_->intel_rdt && rdt_check(c->bundle.spec.linux_->intel_rdt, err) < 0))
		return bundle_error(&c->bundle, err);
	if (check_labels(p, err) < 0)
		return bundle_error(&c->bundle, err);
	if (c->request->console_socket && !p->terminal)
		return error_set(err, ERROR_USAGE, "a console socket is given, and process.terminal is not set");
	if (p->terminal && !c->request->console_socket && (c->waits || c->request->detach))
		return error_set(err, ERROR_USAGE, "process.terminal is set: for a container in the background use --console-socket");
	return hooks_open_output(&c->bundle.spec.annotations, &c->hook_output, err);
}

int creation_begin(struct creation *c, struct oci *o, const struct oci_create_request *request, bool waits,
		   struct error *err)
{
	*c = (struct creation){ .o = o, .request = request, .waits = waits, .dir_fd = -1, .cgroup_fd = -1, .start_socket = -1,
				.created_lock = -1, .handover = HANDOVER_NONE, .notify = -1, .hook_output = { { -1, -1 } },
				.process = { .pid = -1, .pidfd = -1, .console = -1, .release = -1 } };
	if (record_check_id(request->id, err) < 0 || bundle_load(o, request->bundle, request->config, &c->bundle, err) < 0 ||
	    limits_host(o, err) < 0)
		return -1;
	complete_process(c);
	if (check(c, err) < 0 ||
	    preserved_list(o->arena, request->preserve_fds, &c->bundle.spec.process->env, &c->preserved, err) < 0)
		return -1;
	home_add(o->arena, c->bundle.rootfs, c->bundle.spec.process);
	describe(c);
	choose_moments(c);
	c->dir_fd = record_claim(o, request->id, err);
	return c->dir_fd < 0 ? -1 : 0;
}

/* --- making it */

/* Where `start` will find the waiting process, and how everybody knows that it waits. */
static int open_start(struct creation *c, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!c->waits)
		return 0;
	c->created_lock = lock_open(c->dir_fd, "created", LOCK_EXCLUSIVE, false);
	c->start_socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/start", c->dir_fd);
	if (c->created_lock < 0 || c->start_socket < 0 ||
	    bind(c->start_socket, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(c->start_socket, 8) < 0)
		return error_errno(err, "make the socket to start it by");
	return 0;
}

int creation_save(struct creation *c, pid_t pid, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("record the state");

	c->record.pid = pid;
	c->record.start_time = pidfd_start_time(pid);
	if (record_save(c->o->arena, c->dir_fd, &c->record, err) < 0)
		return -1;
	return pid_file_write(c->request->pid_file, pid, err);
}

static int save(void *context, const struct run_process *p, struct error *err)
{
	return creation_save(context, p->pid, err);
}

/* What is wrong with a member may show only now: a seccomp receiver that does not listen. */
static int making_error(const struct creation *c, struct error *err)
{
	return err && err->text[0] == '.' ? bundle_error(&c->bundle, err) : -1;
}

/* The process waits, all is on record, and it goes into its last wait. */
static int leave_waiting(struct creation *c, struct error *err)
{
	if (run_spawn(c->plan, &c->process, err) < 0)
		return making_error(c, err);
	if (handover_send(&c->handover, &c->process, err) < 0 || creation_save(c, c->process.pid, err) < 0)
		return -1;
	return run_release(&c->process, err);
}

static int let_run(struct creation *c, struct error *err)
{
	if (run_start(c->plan, save, c, &c->process, err) < 0)
		return making_error(c, err);
	return handover_send(&c->handover, &c->process, err);
}

int creation_go(struct creation *c, struct error *err)
{
	if (open_start(c, err) < 0 || bundle_save(c->o, &c->bundle, c->dir_fd, err) < 0 ||
	    handover_connect(c->request->console_socket, &c->record.annotations, &c->handover, err) < 0 ||
	    notify_prepare(c->o->arena, c->dir_fd, arena_printf(c->o->arena, "%s/%s", c->o->root, c->record.id),
			   &c->bundle.spec, err) < 0)
		return -1;
	if (!c->waits && notify_listen(c->dir_fd, &c->notify, err) < 0)
		return -1;
	if (make_plan(c, err) < 0)
		return -1;
	if (limits_make(c->o, c->record.id, &c->bundle.spec, &c->record.cgroup, &c->cgroup_fd, &c->hierarchies, err) < 0)
		return bundle_error(&c->bundle, err);
	run_plan_set_cgroup(c->plan, c->cgroup_fd);
	for (size_t i = 0; i < c->warnings.n; i++)
		oci_warn(c->o, "%s: %s", c->bundle.name, c->warnings.v[i]);
	if ((c->waits ? leave_waiting(c, err) : let_run(c, err)) < 0)
		return -1;
	cgroup_settle(&c->record.cgroup);
	return 0;
}

/* --- the end of it */

static void undo(struct creation *c)
{
	struct hook_list poststop = HOOKS(&c->bundle.spec, poststop, "poststop");
	struct error ignored = { 0 };

	run_abandon(&c->process);
	cgroup_settle(&c->record.cgroup);
	cgroup_kill(&c->record.cgroup);
	cgroup_remove(&c->record.cgroup);
	rdt_remove(c->record.rdt_group);
	if (c->hooks_ran)
		hooks_run_all(c->o, &poststop, record_state(c->o->arena, &c->record, RECORD_STOPPED), &c->hook_output);
	if (c->dir_fd >= 0)
		record_remove(c->o, c->record.id, c->dir_fd, &ignored);
}

void creation_end(struct creation *c, bool failed)
{
	if (failed)
		undo(c);
	if (c->dir_fd >= 0)
		record_unlock(c->dir_fd);
	fd_close(&c->dir_fd);
	fd_close(&c->cgroup_fd);
	fd_close(&c->start_socket);
	fd_close(&c->created_lock);
	handover_close(&c->handover);
	fd_close(&c->notify);
	hooks_close_output(&c->hook_output);
}
