/* restore: a container from the files of a checkpoint */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/creation.h"
#include "oci/foreground.h"
#include "oci/limits.h"
#include "oci/rdt.h"
#include "oci/restore_map.h"
#include "oci/restore_root.h"
#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/pidfd.h"

struct restore {
	struct oci *o;
	const struct oci_restore_request *request;
	struct oci_create_request as_create;
	struct creation creation;
	struct checkpoint_paths paths;
	struct criu criu;
	struct criu_options options;
	struct restore_map map;
	struct restore_root root;
};

static const struct oci_spec *spec_of(const struct restore *x)
{
	return &x->creation.bundle.spec;
}

/* --- options */

static bool has_own_network(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->linux_->namespaces.n; i++)
		if (str_eq(spec->linux_->namespaces.v[i].type, "network"))
			return str_is_empty(spec->linux_->namespaces.v[i].path);
	return false;
}

static int take_options(struct restore *x, struct error *err)
{
	const struct oci_restore_request *r = x->request;
	const struct oci_spec nothing = { 0 };
	struct criu_options *o = &x->options;

	*o = (struct criu_options){
		.images_fd = x->paths.images_fd, .work_fd = x->paths.work_fd, .log_level = 4,
		.log_file = (char *)"restore.log", .root = x->creation.bundle.rootfs, .restore_sibling = true,
		.evasive_devices = true, .notify_scripts = true, .orphan_pts_master = true, .manages_cgroups = true,
		.external_masters = true, .shell_job = r->shell_job, .ext_unix_sk = r->ext_unix_sk,
		.tcp_established = r->tcp_established, .file_locks = r->file_locks, .auto_dedup = r->auto_dedup,
		.lazy_pages = r->lazy_pages, .lsm_profile = r->lsm_profile, .lsm_mount_context = r->lsm_mount_context,
		.config_file = checkpoint_config_file(x->o->arena, &spec_of(x)->annotations),
	};
	if (checkpoint_cgroup_mode(r->manage_cgroups_mode, &o->cgroup_mode, err) < 0 ||
	    checkpoint_network_lock(&x->criu, r->network_lock, &o->network_lock, err) < 0 ||
	    checkpoint_empty_namespaces(&nothing, &r->empty_ns, &o->empty_ns, err) < 0)
		return -1;
	/* Images without a network's configuration are those of a network that others set up. */
	if (has_own_network(spec_of(x)) && !restore_map_has_image(&x->paths, "netns-"))
		o->empty_ns = CLONE_NEWNET;
	if ((r->lsm_profile || r->lsm_mount_context) && x->criu.version < 31600)
		return error_set(err, ERROR_UNSUPPORTED, "other labels than before need criu 3.16 or newer");
	return 0;
}

/* --- while criu works */

/* What criu is in, the processes it makes are in too. With "ignore" that is how they get into their cgroup. */
static int started(void *context, pid_t pid, struct error *err)
{
	struct restore *x = context;
	struct creation *c = &x->creation;
	const struct oci_intel_rdt *rdt = spec_of(x)->linux_->intel_rdt;

	/* From now on criu alone needs its mounts: hooks belong to the host's. */
	if (restore_root_leave(&x->root, err) < 0)
		return -1;
	if (x->options.cgroup_mode == CRIU_CGROUP_IGNORE && cgroup_join(&c->record.cgroup, NULL, pid, false, err) < 0)
		return -1;
	if (rdt && rdt_join(x->o, rdt, c->record.id, pid, &c->record.rdt_group, err) < 0)
		return bundle_error(&c->bundle, err);
	return 0;
}

static int set_loopback_up(pid_t pid, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink_request r;
	_cleanup_fd_ int ns = -1, socket = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return error_errno(err, "%s", path);
	if (netlink_open_in(&ns, 1, &socket, err) < 0)
		return -1;
	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, "lo");
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "set the loopback interface up") : 0;
}

static int at_namespaces(struct restore *x, pid_t pid, struct error *err)
{
	if (x->options.empty_ns && set_loopback_up(pid, err) < 0)
		return -1;
	return creation_run_hooks(&x->creation, pid, err) < 0 ? bundle_error(&x->creation.bundle, err) : 0;
}

/* The processes are there, and do not run yet. */
static int at_restored(struct restore *x, pid_t pid, struct error *err)
{
	struct creation *c = &x->creation;

	c->process.pid = pid;
	c->process.pidfd = pidfd_open_pid(pid);
	if (c->process.pidfd < 0)
		return error_errno(err, "the restored process");
	return creation_save(c, pid, err);
}

static int notified(void *context, const char *script, pid_t pid, int fd, struct error *err)
{
	struct restore *x = context;

	if (str_eq(script, "orphan-pts-master") && x->creation.process.console < 0)
		x->creation.process.console = fd_take(&fd);
	fd_close(&fd);
	if (str_eq(script, "setup-namespaces"))
		return at_namespaces(x, pid, err);
	return str_eq(script, "post-restore") ? at_restored(x, pid, err) : 0;
}

/* --- doing it */

/* criu takes back what it made, unless it was killed itself. Whatever it made is a child of this process. */
static void kill_remains(const struct restore *x)
{
	char path[64], *text, *word;
	unsigned pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	text = fd_read_file(x->o->arena, AT_FDCWD, path, 65536, NULL);
	while (text && (word = strsep(&text, " ")))
		if (str_to_u32(word, &pid) == 0 && (int)pid != x->creation.record.cgroup.keeper &&
		    (pid_t)pid != x->creation.process.pid && kill((pid_t)pid, SIGKILL) == 0)
			waitpid((pid_t)pid, NULL, 0);
}

/* The group of the container's root on the host, where it has a user namespace. */
static bool root_group(const struct oci_spec *spec, unsigned *ret)
{
	const struct oci_linux *l = spec->linux_;

	for (size_t i = 0; i < l->gid_mappings.n; i++)
		if (l->gid_mappings.v[i].container_id == 0) {
			*ret = (unsigned)l->gid_mappings.v[i].host_id;
			return *ret != 0;
		}
	return false;
}

static int call_criu(struct restore *x, struct error *err)
{
	struct criu_call call = { .type = CRIU_RESTORE, .options = &x->options, .log = x->paths.log, .own_stdio = true,
				  .pass = x->map.pass, .pass_n = x->map.pass_n, .started = started, .notified = notified, .context = x };
	struct restore_access access = { .fd = -1 };
	unsigned gid;
	int result;

	if (restore_root_enter(&x->root, x->creation.bundle.rootfs, err) < 0)
		return -1;
	result = checkpoint_paths_reopen(&x->paths, err);
	x->options.images_fd = x->paths.images_fd;
	x->options.work_fd = x->paths.work_fd;
	if (result == 0 && root_group(spec_of(x), &gid))
		restore_access_open(&access, x->paths.images_fd, gid);
	if (result == 0)
		result = criu_do(&x->criu, &call, NULL, err);
	if (result < 0)
		kill_remains(x);
	restore_access_close(&access);
	return restore_root_leave(&x->root, NULL) < 0 ? -1 : result;
}

static int restore(struct restore *x, struct error *err)
{
	struct creation *c = &x->creation;
	int result;

	if (bundle_save(x->o, &c->bundle, c->dir_fd, err) < 0 ||
	    handover_connect(c->request->console_socket, &c->record.annotations, &c->handover, err) < 0 ||
	    take_options(x, err) < 0)
		return -1;
	if (limits_make(x->o, c->record.id, spec_of(x), &c->record.cgroup, &c->cgroup_fd, &c->hierarchies, err) < 0)
		return bundle_error(&c->bundle, err);
	x->map = (struct restore_map){ .o = x->o, .bundle = &c->bundle, .cgroup = &c->record.cgroup, .paths = &x->paths,
				       .options = &x->options };
	result = restore_map_all(&x->map, err);
	if (result == 0)
		result = call_criu(x, err);
	if (result == 0)
		result = handover_send(&c->handover, &c->process, err);
	if (result == 0)
		cgroup_settle(&c->record.cgroup);
	restore_map_close(&x->map);
	return result;
}

static int in_foreground(struct restore *x, int *ret_exit_code, struct error *err)
{
	struct creation *c = &x->creation;
	struct foreground f;
	int result = foreground_begin(&f, err);

	if (result == 0)
		result = restore(x, err);
	creation_end(c, result < 0);
	if (result == 0)
		result = foreground_wait(&f, &c->process, ret_exit_code, err);
	foreground_end(&f);
	if (result == 0 && !x->request->keep)
		result = oci_delete(x->o, c->record.id, true, err);
	return result;
}

static int in_background(struct restore *x, struct error *err)
{
	int result = restore(x, err);

	creation_end(&x->creation, result < 0);
	return result;
}

static int begin(struct restore *x, struct error *err)
{
	const struct oci_restore_request *r = x->request;

	x->as_create = (struct oci_create_request){ .id = r->id, .bundle = r->bundle, .config = r->config, .detach = r->detach,
						    .console_socket = r->console_socket, .pid_file = r->pid_file };
	if (criu_find(x->o, "restore", &x->criu, err) < 0 ||
	    checkpoint_paths_open(x->o->arena, r->image_path, r->work_path, false, "restore.log", &x->paths, err) < 0)
		return -1;
	if (!restore_map_has_image(&x->paths, "inventory.img"))
		return error_set(err, ERROR_INVALID, "%s has no files of a checkpoint", x->paths.images);
	if (creation_begin(&x->creation, x->o, &x->as_create, false, err) == 0)
		return 0;
	creation_end(&x->creation, true);
	return -1;
}

int oci_restore(struct oci *o, const struct oci_restore_request *request, int *ret_exit_code, struct error *err)
{
	struct restore x = { .o = o, .request = request, .paths.images_fd = -1 };
	int result = begin(&x, err);

	*ret_exit_code = 0;
	if (result == 0)
		result = request->detach ? in_background(&x, err) : in_foreground(&x, ret_exit_code, err);
	if (result == 0)
		fd_close(&x.creation.process.pidfd);
	checkpoint_paths_close(&x.paths);
	return result < 0 ? error_frame(err, "restore container `%s`", request->id) : 0;
}
