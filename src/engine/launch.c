#include "engine/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/launch_bypass.h"
#include "engine/mounts.h"
#include "engine/network_default.h"
#include "engine/own.h"
#include "engine/relabel.h"
#include "engine/state.h"
#include "engine/user_entries.h"
#include "engine/userns_join.h"
#include "engine/volume.h"
#include "store/container.h"
#include "store/container_rootfs.h"
#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/lock.h"
#include "sys/lsm.h"
#include "sys/trace.h"

/* --- the root file system */
static int mount_root(struct launch *l, struct error *err)
{
	const char *step = "";

	if (l->rootfs.kind == ROOTFS_DIRECTORY) {
		l->root_mount = mount_clone(AT_FDCWD, l->rootfs.path, true);
		return l->root_mount < 0 ? error_errno(err, "mount the root file system %s", l->rootfs.path) : 0;
	}
	l->root_mount = mount_overlay(&l->rootfs, &step);
	if (l->root_mount < 0 && errno == EINVAL && strcmp(step, "lowerdir+") == 0) {
		/* Before 6.5: only mount(2), which shows for a moment; so nobody else's mount namespace. */
		if (unshare(CLONE_NEWNS) < 0)
			return error_errno(err, "make a mount namespace");
		l->root_mount = mount_overlay_by_string(&l->rootfs, &step);
	}
	return l->root_mount < 0 ? error_errno(err, "mount the root file system (overlay, %s)", step) : 0;
}

/* An overlay shows one label for all its files; a copy of the image has to get it file by file, once. What
 * fuse-overlayfs serves has that of FUSE. */
static int label_root(struct launch *l, struct error *err)
{
	char *label = l->c->mount_label;

	if (!label || l->storage_pid)
		return 0;
	if (l->rootfs.kind == ROOTFS_OVERLAY)
		l->rootfs.label = label;
	else if (!relabel_has_label(l->rootfs.path, label))
		return relabel_tree(l->e, l->rootfs.path, label, err);
	return 0;
}

/* What it wrote is kept as it is: whoever starts it again decides. */
static void warn_of_lost_writes(struct launch *l)
{
	if (container_rootfs_is_unsynced(&l->e->store, l->c->id))
		engine_warn(l->e, "the disk of container %s was not flushed before the machine went down: files that it wrote last may be "
			    "missing or empty; to start afresh, remove it (bryo rm %s) and create it again", l->c->name, l->c->name);
}

static int open_root(struct launch *l, struct error *err)
{
	struct container *c = l->c;
	_cleanup_trace_ struct trace_span span = trace_begin("mount the root file system");

	if (c->rootfs) {
		l->rootfs = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = c->rootfs };
		return mount_root(l, err);
	}
	warn_of_lost_writes(l);
	if (container_store_rootfs(l->e->arena, &l->e->store, c->id, &c->layers, c->request.rm, &l->rootfs, &l->storage_pid,
				   err) < 0 || label_root(l, err) < 0)
		return -1;
	return mount_root(l, err);
}

static bool is_below_a_mount(const struct container *c, const char *path)
{
	for (size_t i = 0; i < c->mounts.n; i++) {
		const char *rest = str_after(path, c->mounts.v[i].destination);

		if (rest && (!*rest || *rest == '/'))
			return true;
	}
	return false;
}

static int make_workdir(struct launch *l, struct error *err)
{
	const char *path = l->c->workdir;
	struct stat st;
	int fd;

	if (inroot_stat(l->root_mount, path, &st, true) == 0) {
		if (!S_ISDIR(st.st_mode) && !is_below_a_mount(l->c, path))
			return error_set(err, ERROR_USAGE, "workdir \"%s\" is not a directory in the container", path);
		return 0;
	}
	if (is_below_a_mount(l->c, path))
		return 0;
	if (l->c->request.workdir && !str_eq(l->c->request.workdir, l->c->image.working_dir))
		return error_set(err, ERROR_USAGE, "workdir \"%s\" does not exist on container %s", path, l->c->id);
	fd = inroot_mkdirs(l->root_mount, path, 0755);
	if (fd < 0)
		return error_errno(err, "make the working directory %s", path);
	close(fd);
	return 0;
}

static int fill_volumes(struct launch *l, bool dry, struct error *err)
{
	if (mounts_make_anonymous(l->e, l->c, err) < 0)		/* its creation was killed before it came to that */
		return -1;
	for (size_t i = 0; i < l->c->mounts.n; i++) {
		struct container_mount *m = &l->c->mounts.v[i];
		struct volume v;

		if (strcmp(m->type, "volume") != 0)
			continue;
		if (volume_read(l->e->arena, &l->e->store, m->name, &v, err) < 0)
			return error_frame(err, "volume at %s", m->destination);
		m->source = v.mountpoint;
		if (!dry && (v.needs_copy_up || v.needs_chown) &&
		    volume_first_use(l->e, &v, l->root_mount, m->destination, !strings_has(&m->options, "nocopy"), err) < 0)
			return error_frame(err, "fill volume %s", m->name);
	}
	return 0;
}

/* z and Z as asked. A named volume is for containers in any case, and for all of them when nobody says otherwise. */
static int label_volumes(struct launch *l, struct error *err)
{
	for (size_t i = 0; l->c->mount_label && i < l->c->mounts.n; i++) {
		const struct container_mount *m = &l->c->mounts.v[i];
		bool named = strcmp(m->type, "volume") == 0 && !relabel_has_type(l->e, m->source, l->c->mount_label);
		const char *label = l->c->mount_label;

		if (!m->relabel && !named)
			continue;
		if (!str_eq(m->relabel, "private"))
			label = label_shared(l->e->arena, label);
		if (m->source && *m->source == '/' && relabel_volume(l->e, m->source, label, err) < 0)
			return -1;
	}
	return 0;
}

static int give_to_user(struct launch *l, const struct passwd_user *user, struct error *err)
{
	uint32_t uid = l->maps.uid.n ? idmap_to_outside(&l->maps.uid, user->uid) : user->uid;
	uint32_t gid = l->maps.gid.n ? idmap_to_outside(&l->maps.gid, user->gid) : user->gid;

	for (size_t i = 0; i < l->c->mounts.n; i++) {
		const struct container_mount *m = &l->c->mounts.v[i];

		if (m->chown && m->source && *m->source == '/' && own_tree(l->e, m->source, uid, gid, err) < 0)
			return -1;
	}
	return 0;
}

/* --- files of the runtime directory */
static int write_file(struct launch *l, const char *name, const char *text, struct error *err)
{
	if (fd_write_file(l->run_dir, name, text, strlen(text), 0644, false) < 0)
		return error_errno(err, "write the container's %s", name);
	return 0;
}

static int label_files(struct launch *l, struct error *err)
{
	static const char *const names[] = { ".containerenv", "passwd", "group", "hosts", "resolv.conf", "hostname" };

	for (size_t i = 0; l->c->mount_label && i < ELEMENTS(names); i++)
		if (relabel_entry(l->run_dir, names[i], l->c->mount_label, err) < 0)
			return -1;
	return 0;
}

static int write_files(struct launch *l, const struct user_files *files, struct error *err)
{
	const struct container *c = l->c;
	char *env = "";
	_cleanup_trace_ struct trace_span span = trace_begin("write the container's files");

	if (c->request.privileged)
		env = arena_printf(l->e->arena, "engine=\"bryo-%s\"\nname=\"%s\"\nid=\"%s\"\nimage=\"%s\"\nimageid=\"%s\"\nrootless=1\n",
				   BRYO_VERSION, c->name, c->id, c->image_name ? c->image_name : "", c->image_id ? c->image_id : "");
	if (write_file(l, ".containerenv", env, err) < 0)
		return -1;
	if (files->new_passwd && write_file(l, "passwd", files->new_passwd, err) < 0)
		return -1;
	if (files->new_group && write_file(l, "group", files->new_group, err) < 0)
		return -1;
	return network_write_files(l->e, c, &l->net, &l->net_result, l->run_dir, err) < 0 ? -1 : label_files(l, err);
}

/* --- network and cgroup */
static int claim_network(struct launch *l, struct error *err)
{
	if (net_claim_ports(l->e->arena, &l->net, err) < 0)
		return -1;
	if (l->net.mode == NET_BRIDGE)
		return network_bridge_join(l->e, l->c->id, &l->net, &l->bridges, &l->net_result, err);
	return net_plan(l->e->arena, &l->net, &l->net_result, err);
}

static int plan_network(struct launch *l, const struct launch_options *o, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("plan the network");

	if (network_request(l->e, l->c, NULL, &l->net, err) < 0 || network_namespace(l->e, &l->net, &l->netns_path, err) < 0)
		return -1;
	l->net.inherited.v = o->sockets.v;
	l->net.inherited.n = o->sockets.n;
	if (o->dry)
		return net_plan(l->e->arena, &l->net, &l->net_result, err);
	if (claim_network(l, err) == 0)
		return 0;
	if (!network_default_replace(l->e, &l->net, err))
		return -1;
	net_close_sockets(&l->net);
	return claim_network(l, err);
}

static int join_cgroup(void *context, const struct run_process *p, struct error *err)
{
	const struct launch *l = context;

	return cgroup_join(&l->cgroup, NULL, p->pid, l->cgroup_fd >= 0, err);
}

static int make_cgroup(struct launch *l, bool dry, struct error *err)
{
	struct cgroup_request request = { .id = l->c->id, .spec = l->spec, .with_caller = true };
	struct strings warnings;
	struct engine *e = l->e;
	_cleanup_trace_ struct trace_span span = trace_begin("make the cgroup");

	if (dry || str_eq(l->c->request.cgroups, "disabled"))
		return 0;
	if (cgroup_create(e->arena, &e->cgroup, &request, &l->cgroup, &warnings, err) < 0)
		return -1;
	for (size_t i = 0; i < warnings.n; i++)
		engine_warn(e, "%s", warnings.v[i]);
	l->cgroup_fd = cgroup_open(&l->cgroup, NULL, NULL);
	if (cgroup_needs_join(&l->cgroup, l->cgroup_fd))
		l->moments = (struct run_moments){ .context = l, .born = join_cgroup };
	return 0;
}

/* --- streams */
static int make_streams(struct launch *l, uint8_t attach, struct error *err)
{
	const struct label_pipes pipes = { l->run_dir, l->c->process_label ? l->c->mount_label : NULL };
	int ends[2];

	if (!l->c->request.tty) {
		for (int i = 0; i < 3; i++) {
			if (i == 0 && !l->c->request.interactive)
				continue;
			if (label_pipe(&pipes, ends, err) < 0)
				return -1;
			l->child_stdio[i] = ends[i == 0 ? 0 : 1];
			l->our_stdio[i] = ends[i == 0 ? 1 : 0];
		}
	}
	if (attach) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
			return error_errno(err, "make a socket pair");
		l->client = ends[0];
		l->monitor_client = ends[1];
		l->client_wants = attach;
	}
	return 0;
}

static int make_spec(struct launch *l, const struct passwd_user *user, const struct user_files *files, struct error *err)
{
	struct engine *e = l->e;
	struct oci_inputs in = { .c = l->c, .net = &l->net, .netns_path = l->netns_path, .user = user, .files = files,
				 .security = &l->security, .maps = &l->maps };
	char *userns_path;
	_cleanup_trace_ struct trace_span span = trace_begin("plan the run");

	in.run_path = arena_printf(e->arena, "%s/containers/%s", e->run_path, l->c->id);
	in.dir_path = arena_printf(e->arena, "%s/containers/%s", e->store.path, l->c->id);
	if (engine_cgroup(e, err) < 0 || userns_join_path(e, l->c->request.userns, &l->maps, &userns_path, err) < 0)
		return -1;
	in.userns_path = userns_path;
	l->spec = oci_config(e, &in, err);
	return l->spec ? 0 : -1;
}

static int make_plan(struct launch *l, struct error *err)
{
	struct engine *e = l->e;
	struct run_request request = { .spec = l->spec, .id = l->c->id, .rootfs = &l->rootfs, .root_mount = l->root_mount,
				       .stdio = { l->child_stdio[0], l->child_stdio[1], l->child_stdio[2] },
				       .cgroup_fd = l->cgroup_fd, .moments = l->moments.born ? &l->moments : NULL,
				       .bypass_socket = l->bypass_child < 0 ? NULL : &l->bypass_child,
				       .seccomp_default = !l->security.unconfined,
				       .seccomp_profile = l->security.seccomp_profile,
				       .cache_dir = arena_printf(e->arena, "%s/cache/seccomp", e->run_path) };
	l->plan = run_plan_new(e->arena, &request, err);
	return l->plan ? 0 : -1;
}

/* The lock of the container's run. The cleanup after the last one may hold it for a moment. */
static int take_run(int run_dir)
{
	for (int i = 0;; i++) {
		int fd = lock_open(run_dir, "monitor.lock", LOCK_EXCLUSIVE, false);

		if (fd >= 0 || errno != EWOULDBLOCK || i == 400)
			return fd;
		usleep(5000);
	}
}

static int open_directories(struct launch *l, bool fresh, struct error *err)
{
	struct engine *e = l->e;
	_cleanup_trace_ struct trace_span span = trace_begin("take the container");

	l->dir_fd = container_store_open(&e->store, l->c->id, LOCK_EXCLUSIVE, err);
	if (l->dir_fd < 0)
		return -1;
	l->run_dir = container_run_dir(e, l->c->id, true, err);
	if (l->run_dir < 0)
		return -1;
	l->lock_fd = take_run(l->run_dir);
	if (l->lock_fd < 0)
		return errno == EWOULDBLOCK ? error_errno(err, "container %s is already running or still ending", l->c->name) :
		       error_errno(err, "lock the run of container %s", l->c->name);
	return fresh ? 0 : state_reset(e, l->c->id, l->run_dir, err);
}

int launch_prepare(struct launch *l, struct engine *e, struct container *c, const struct launch_options *o,
		   struct error *err)
{
	struct userns_user kept;
	struct passwd_user user;
	struct user_files files;

	*l = (struct launch){ .e = e, .c = c, .dir_fd = -1, .run_dir = -1, .lock_fd = -1, .root_mount = -1,
			      .cgroup_fd = -1, .child_stdio = { -1, -1, -1 }, .our_stdio = { -1, -1, -1 }, .client = -1,
			      .monitor_client = -1, .bypass_ours = -1, .bypass_child = -1, .bypass_fd = -1,
			      .bypass_door = -1, .bypass_routes = -1, .client_removes = o->client_removes, .hold = o->hold, .restart_count = o->restart_count };
	l->net_result.keep_fd = -1;
	if (open_directories(l, o->fresh, err) < 0 || label_choose(e, c, err) < 0 ||
	    userns_mode_maps(e, c, &l->maps, &kept, err) < 0 || open_root(l, err) < 0 ||
	    security_parse(e->arena, &c->request, &l->security, err) < 0 ||
	    (l->security.apparmor && lsm_check_profile(l->security.apparmor, err) < 0) ||
	    user_resolve(e, l->root_mount, c->request.user ? c->request.user : c->image.user, &c->request.group_add, &kept,
			 &user, &files, err) < 0 || user_check(e, &user, &l->maps, err) < 0 ||
	    user_entries_add(e, c, &user, &kept, &files, err) < 0)
		return -1;
	if (make_workdir(l, err) < 0 || fill_volumes(l, o->dry, err) < 0 || (!o->dry && label_volumes(l, err) < 0) ||
	    (!o->dry && give_to_user(l, &user, err) < 0) ||
	    plan_network(l, o, err) < 0 ||
	    write_files(l, &files, err) < 0 || make_spec(l, &user, &files, err) < 0 || make_cgroup(l, o->dry, err) < 0 ||
	    make_streams(l, o->attach, err) < 0)
		return -1;
	if (!o->dry)
		launch_bypass_prepare(l);
	return make_plan(l, err);
}

void launch_done(struct launch *l, bool failed)
{
	if (failed && l->lock_fd >= 0) {	/* without the lock it is another's */
		cgroup_remove(&l->cgroup);
		container_store_unmount(&l->e->store, l->c->id);
	}
	fd_close(&l->dir_fd);
	fd_close(&l->run_dir);
	fd_close(&l->lock_fd);
	fd_close(&l->root_mount);
	if (l->rootfs.tree > 0)
		fd_close(&l->rootfs.tree);
	fd_close(&l->cgroup_fd);
	for (int i = 0; i < 3; i++) {
		fd_close(&l->child_stdio[i]);
		fd_close(&l->our_stdio[i]);
	}
	fd_close(&l->client);
	fd_close(&l->monitor_client);
	network_bridge_close(&l->bridges);
	net_close_sockets(&l->net);
	if (failed && l->bridges.endpoints.n)
		network_bridge_undo(l->e, l->c->id);
	launch_bypass_done(l);
}
