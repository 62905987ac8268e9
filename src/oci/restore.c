/* restore: a container from the files of a checkpoint */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "oci/checkpoint_options.h"
#include "oci/creation.h"
#include "oci/external_mount.h"
#include "oci/foreground.h"
#include "oci/limits.h"
#include "oci/rdt.h"
#include "oci/restore_root.h"
#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/pidfd.h"

#define LIST_MAX ((size_t)1 << 20)

struct restore {
	struct oci *o;
	const struct oci_restore_request *request;
	struct oci_create_request as_create;
	struct creation creation;
	struct checkpoint_paths paths;
	struct criu criu;
	struct criu_options options;
	int pass[8];			/* descriptors that criu gets: the standard streams and namespaces */
	size_t pass_n;
};

static const struct oci_spec *spec_of(const struct restore *x)
{
	return &x->creation.bundle.spec;
}

/* --- what the images say */

/* A file of the image directory that lists strings; none when it is not there. */
static int read_list(const struct restore *x, const char *name, struct strings *ret, struct error *err)
{
	struct arena *arena = x->o->arena;
	size_t size;
	char *text = fd_read_file(arena, x->paths.images_fd, name, LIST_MAX, &size);
	struct json *list;

	if (!text)
		return errno == ENOENT ? 0 : error_errno(err, "%s/%s", x->paths.images, name);
	list = json_parse(arena, text, size, name, err);
	if (!list)
		return -1;
	if (list->kind != JSON_LIST)
		return error_set(err, ERROR_INVALID, "%s: expected list, got %s", name, json_kind_name(list));
	for (size_t i = 0; i < list->list.n; i++) {
		if (list->list.v[i]->kind != JSON_STRING)
			return error_set(err, ERROR_INVALID, "%s: [%zu]: expected string, got %s", name, i,
					 json_kind_name(list->list.v[i]));
		strings_add(arena, ret, list->list.v[i]->string);
	}
	return 0;
}

static bool has_file(const struct restore *x, const char *prefix)
{
	_cleanup_dir_ DIR *dir = fd_opendir(x->paths.images_fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (str_starts(entry->d_name, prefix))
			return true;
	return false;
}

/* --- what the container's things are now */

static void inherit(struct restore *x, const char *key, int fd)
{
	for (size_t i = 0; i < x->options.inherited.n; i++)
		if (str_eq(x->options.inherited.v[i].key, key))
			return;
	*ARRAY_ADD(x->o->arena, &x->options.inherited) = (struct criu_inherited){ arena_strdup(x->o->arena, key), fd };
}

/* Pipes and the host's files become the caller's standard streams. */
static int map_streams(struct restore *x, struct error *err)
{
	struct strings keys = { 0 };

	if (read_list(x, CHECKPOINT_STREAMS, &keys, err) < 0)
		return -1;
	for (size_t i = 0; i < keys.n && i < 3; i++)
		if (str_starts(keys.v[i], "pipe:") || str_starts(keys.v[i], "file["))
			inherit(x, keys.v[i], (int)i);
	return 0;
}

static int inherit_namespace(struct restore *x, const char *type, const char *key, struct error *err)
{
	const struct oci_namespace *ns = checkpoint_namespace(spec_of(x), type);
	int fd;

	if (!ns)
		return 0;
	fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, ".linux.namespaces: %s", ns->path);
	x->pass[x->pass_n++] = fd;
	inherit(x, key, fd);
	return 0;
}

static int join_namespace(struct restore *x, const char *type, const char *name, struct error *err)
{
	const struct oci_namespace *ns = checkpoint_namespace(spec_of(x), type);

	if (ns && !name)
		return error_set(err, ERROR_UNSUPPORTED, ".linux.namespaces: criu cannot restore into a given namespace of type "
				 "\"%s\"", type);
	if (ns)
		map_set(x->o->arena, &x->options.join, name, ns->path);
	return 0;
}

static int map_namespaces(struct restore *x, struct error *err)
{
	static const struct { const char *type, *name; } joined[] = {
		{ "ipc", "ipc" }, { "uts", "uts" }, { "time", "time" }, { "user", "user" }, { "mount", NULL }, { "cgroup", NULL },
	};

	if (inherit_namespace(x, "network", "extRootNetNS", err) < 0 || inherit_namespace(x, "pid", "extRootPidNS", err) < 0)
		return -1;
	for (size_t i = 0; i < ELEMENTS(joined); i++)
		if (join_namespace(x, joined[i].type, joined[i].name, err) < 0)
			return -1;
	return 0;
}

static int map_mounts(struct restore *x, struct error *err)
{
	const struct bundle *b = &x->creation.bundle;
	_cleanup_fd_ int root = open(b->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct external_mounts e;
	struct strings places = { 0 };
	struct cgroup_views views = { 0 };

	if (root < 0)
		return error_errno(err, ".root.path: %s", b->rootfs);
	external_mounts_init(&e, x->o->arena, &b->spec, root);
	external_mounts_list(&e, &places);
	if (read_list(x, CHECKPOINT_MOUNTS, &places, err) < 0)
		return -1;
	if (x->o->cgroup_host.v1)
		cgroup_views(x->o->arena, &x->o->cgroup_host, &x->creation.record.cgroup, &views);
	for (size_t i = 0; i < places.n; i++)
		map_set(x->o->arena, &x->options.mounts, places.v[i],
			external_mounts_source(&e, b->path, &views, places.v[i]));
	return external_mounts_prepare(&e, root, b->path, err);
}

/* criu finds paths below a hierarchy's mount. */
static void map_cgroups(struct restore *x)
{
	const struct cgroup_host *host = &x->o->cgroup_host;
	const struct cgroup *c = &x->creation.record.cgroup;

	for (size_t i = 0; i < c->places.n; i++)
		for (size_t j = 0; j < host->hierarchies.n; j++) {
			const struct cgroup_hierarchy *h = &host->hierarchies.v[j];
			const char *path = str_after(c->places.v[i].path, h->mount);

			if (path && str_eq(h->controllers, c->places.v[i].controllers))
				map_set(x->o->arena, &x->options.cgroup_roots, h->controllers, path);
		}
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
	if (has_own_network(spec_of(x)) && !has_file(x, "netns-"))
		o->empty_ns = CLONE_NEWNET;
	if ((r->lsm_profile || r->lsm_mount_context) && x->criu.version < 31600)
		return error_set(err, ERROR_UNSUPPORTED, "other labels than before need criu 3.16 or newer");
	return 0;
}

static int map_all(struct restore *x, struct error *err)
{
	for (int i = 0; i < 3; i++)
		x->pass[x->pass_n++] = i;
	if (map_streams(x, err) < 0)
		return -1;
	map_cgroups(x);
	return map_namespaces(x, err) < 0 || map_mounts(x, err) < 0 ? bundle_error(&x->creation.bundle, err) : 0;
}

/* --- while criu works */

/* What criu is in, the processes it makes are in too. With "ignore" that is how they get into their cgroup. */
static int started(void *context, pid_t pid, struct error *err)
{
	struct restore *x = context;
	struct creation *c = &x->creation;
	const struct oci_intel_rdt *rdt = spec_of(x)->linux_->intel_rdt;

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
	socket = ns < 0 ? error_errno(err, "%s", path) : netlink_open_in(ns, err);
	if (socket < 0)
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

static int call_criu(struct restore *x, struct error *err)
{
	struct criu_call call = { .type = CRIU_RESTORE, .options = &x->options, .log = x->paths.log, .own_stdio = true,
				  .pass = x->pass, .pass_n = x->pass_n, .started = started, .notified = notified, .context = x };
	struct restore_root root;
	int result;

	if (restore_root_enter(&root, x->creation.bundle.rootfs, err) < 0)
		return -1;
	result = checkpoint_paths_reopen(&x->paths, err);
	x->options.images_fd = x->paths.images_fd;
	x->options.work_fd = x->paths.work_fd;
	if (result == 0)
		result = criu_do(&x->criu, &call, NULL, err);
	if (restore_root_leave(&root, result == 0 ? err : NULL) < 0)
		return -1;
	return result;
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
	result = map_all(x, err);
	if (result == 0)
		result = call_criu(x, err);
	if (result == 0)
		result = handover_send(&c->handover, &c->process, err);
	if (result == 0)
		cgroup_settle(&c->record.cgroup);
	for (size_t i = 3; i < x->pass_n; i++)
		close(x->pass[i]);
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
	if (!has_file(x, "inventory.img"))
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
