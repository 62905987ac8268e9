#include "oci/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/bundle.h"
#include "oci/checkpoint_options.h"
#include "oci/external_mount.h"
#include "oci/record.h"
#include "sys/fd.h"

struct checkpoint {
	struct oci *o;
	const struct oci_checkpoint_request *request;
	struct opened container;
	struct oci_spec spec;
	struct mount_table mounts;
	struct checkpoint_paths paths;
	struct criu criu;
	struct criu_options options;
};

/* --- what is asked for */

static int check_parent(const struct checkpoint *x, struct error *err)
{
	const char *parent = x->request->parent_path;
	struct stat st;

	if (str_is_empty(parent))
		return 0;
	if (*parent == '/')
		return error_set(err, ERROR_USAGE, "--parent-path %s: it must be relative to the image path", parent);
	if (fstatat(x->paths.images_fd, parent, &st, 0) < 0)
		return error_errno(err, "--parent-path %s (in %s)", parent, x->paths.images);
	return S_ISDIR(st.st_mode) ? 0 : error_set(err, ERROR_USAGE, "--parent-path %s: not a directory", parent);
}

/* ADDRESS:PORT, the address perhaps in brackets. */
static int page_server(struct checkpoint *x, struct error *err)
{
	const char *text = x->request->page_server, *colon = text ? strrchr(text, ':') : NULL;
	size_t n = colon ? (size_t)(colon - text) : 0;
	unsigned port;

	if (!text)
		return 0;
	if (n > 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		n -= 2;
	}
	if (n == 0 || str_to_u32(colon + 1, &port) < 0 || port == 0 || port > 65535)
		return error_set(err, ERROR_USAGE, "page server \"%.64s\": ADDRESS:PORT is needed", x->request->page_server);
	x->options.page_address = arena_strndup(x->o->arena, text, n);
	x->options.page_port = (int)port;
	return 0;
}

static int check_features(const struct checkpoint *x, struct error *err)
{
	if ((x->request->pre_dump || !str_is_empty(x->request->parent_path)) && !criu_has(&x->criu, "mem_track")) {
		error_set(err, ERROR_UNSUPPORTED, "a pre-dump is not possible: this kernel does not track changes of memory");
		return error_hint(err, "it needs CONFIG_MEM_SOFT_DIRTY");
	}
	if (x->request->lazy_pages && !criu_has(&x->criu, "lazy_pages"))
		return error_set(err, ERROR_UNSUPPORTED, "lazy pages are not possible: this kernel has no userfaultfd for criu");
	return 0;
}

static int take_options(struct checkpoint *x, struct error *err)
{
	const struct oci_checkpoint_request *r = x->request;
	struct criu_options *o = &x->options;

	*o = (struct criu_options){
		.images_fd = x->paths.images_fd, .work_fd = x->paths.work_fd, .pid = (int)x->container.record.pid,
		.log_level = 4, .log_file = (char *)"dump.log", .leave_running = r->leave_running,
		.ext_unix_sk = r->ext_unix_sk, .tcp_established = r->tcp_established, .shell_job = r->shell_job,
		.file_locks = r->file_locks, .auto_dedup = r->auto_dedup, .lazy_pages = r->lazy_pages,
		.track_mem = r->pre_dump || !str_is_empty(r->parent_path), .parent = r->parent_path,
		.orphan_pts_master = true, .notify_scripts = true, .manages_cgroups = true, .external_masters = true,
		.root = x->container.record.rootfs,
		.config_file = checkpoint_config_file(x->o->arena, &x->container.record.annotations),
	};
	if (checkpoint_cgroup_mode(r->manage_cgroups_mode, &o->cgroup_mode, err) < 0 ||
	    checkpoint_network_lock(&x->criu, r->network_lock, &o->network_lock, err) < 0 ||
	    checkpoint_empty_namespaces(&x->spec, &r->empty_ns, &o->empty_ns, err) < 0)
		return -1;
	return page_server(x, err);
}

/* --- what is the host's */

static int write_list(const struct checkpoint *x, const char *name, const struct strings *list, struct error *err)
{
	const char *text = json_print(x->o->arena, json_new_strings(x->o->arena, list), 0);

	if (fd_write_file(x->paths.images_fd, name, text, strlen(text), 0600, false) < 0)
		return error_errno(err, "write %s", name);
	return 0;
}

static int name_mounts(struct checkpoint *x, struct error *err)
{
	_cleanup_fd_ int root = open(x->container.record.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct external_mounts e;
	struct strings places = { 0 };

	if (root < 0)
		return error_errno(err, "%s", x->container.record.rootfs);
	external_mounts_init(&e, x->o->arena, &x->spec, root);
	external_mounts_find(&e, &x->mounts, &places);
	for (size_t i = 0; i < places.n; i++)
		map_set(x->o->arena, &x->options.mounts, places.v[i], places.v[i]);
	return write_list(x, CHECKPOINT_MOUNTS, &places, err);
}

static void name_namespace(struct checkpoint *x, const char *type, const char *file, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%lld/ns/%s", (long long)x->container.record.pid, file);
	if (checkpoint_namespace(&x->spec, type) && stat(path, &st) == 0)
		strings_addf(x->o->arena, &x->options.external, "%s[%llu]:%s", file, (unsigned long long)st.st_ino, name);
}

static bool is_in_table(const struct mount_table *table, unsigned id)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->v[i].id == (int)id)
			return true;
	return false;
}

/* A file that was opened on a mount that the container does not see has a name for criu: "file[mount:inode]" in hex. */
static char *outer_file(struct checkpoint *x, const char *fd_path, int i, mode_t *ret_mode)
{
	char *info = arena_printf(x->o->arena, "/proc/%lld/fdinfo/%d", (long long)x->container.record.pid, i);
	char *text = fd_read_file(x->o->arena, AT_FDCWD, info, 4096, NULL), *line;
	struct stat st;
	unsigned id;

	line = text ? strstr(text, "mnt_id:") : NULL;
	if (!line || sscanf(line, "mnt_id: %u", &id) != 1 || is_in_table(&x->mounts, id))
		return NULL;
	if (stat(fd_path, &st) < 0 || S_ISSOCK(st.st_mode))
		return NULL;
	*ret_mode = st.st_mode;
	return arena_printf(x->o->arena, "file[%x:%llx]", id, (unsigned long long)st.st_ino);
}

/* What standard stream i is: a pipe "pipe:[7]", a file of the host's "file[1a:7] /its/path" (a FIFO: "file[1a:7]| ..."),
 * or a path in the container. */
static char *stream(struct checkpoint *x, int i)
{
	char *path = arena_printf(x->o->arena, "/proc/%lld/fd/%d", (long long)x->container.record.pid, i), *file;
	char link[4096];
	mode_t mode = 0;
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	if (n < 0)
		return arena_strdup(x->o->arena, "");
	link[n] = '\0';
	file = *link == '/' && !str_starts(link, "/dev/pts/") ? outer_file(x, path, i, &mode) : NULL;
	if (!file)
		return arena_strdup(x->o->arena, link);
	strings_add(x->o->arena, &x->options.external, file);
	return arena_printf(x->o->arena, "%s%s %s", file, S_ISFIFO(mode) ? "|" : "", link);
}

static int name_streams(struct checkpoint *x, struct error *err)
{
	struct strings list = { 0 };

	for (int i = 0; i < 3; i++)
		strings_add(x->o->arena, &list, stream(x, i));
	return write_list(x, CHECKPOINT_STREAMS, &list, err);
}

/* criu stops the processes by the cgroup's freezer: none can escape by forking. */
static char *freezer(const struct cgroup *c)
{
	for (size_t i = 0; i < c->places.n; i++)
		if (str_is_empty(c->places.v[i].controllers) || str_eq(c->places.v[i].controllers, "freezer"))
			return c->places.v[i].path;
	return NULL;
}

static int describe(struct checkpoint *x, struct error *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%lld/mountinfo", (long long)x->container.record.pid);
	if (mount_read_table(x->o->arena, path, &x->mounts, err) < 0)
		return -1;
	x->options.freeze_cgroup = freezer(&x->container.record.cgroup);
	name_namespace(x, "network", "net", "extRootNetNS");
	name_namespace(x, "pid", "pid", "extRootPidNS");
	return name_mounts(x, err) < 0 ? -1 : name_streams(x, err);
}

/* --- doing it */

static int notified(void *context, const char *script, pid_t pid, int fd, struct error *err)
{
	const struct checkpoint *x = context;
	char zero = 0;

	fd_close(&fd);
	if (!str_eq(script, "status-ready") || !x->request->status_fd)
		return 0;
	if (write((int)x->request->status_fd, &zero, 1) < 0)
		return error_errno(err, "tell that pages can be asked for, on descriptor %lld", (long long)x->request->status_fd);
	close((int)x->request->status_fd);
	return 0;
}

static int dump(struct checkpoint *x, struct error *err)
{
	struct criu_call call = { .type = x->request->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP, .options = &x->options,
				  .log = x->paths.log, .notified = notified, .context = x };

	if (take_options(x, err) < 0)
		return -1;
	if (!x->request->pre_dump && describe(x, err) < 0)
		return -1;
	return criu_do(&x->criu, &call, NULL, err);
}

static int check(const struct checkpoint *x, struct error *err)
{
	enum record_status status = x->container.status;

	if (status != RECORD_RUNNING && status != RECORD_PAUSED)
		return error_set(err, ERROR_STATE, "it is %s: only a running one can be written to files",
				 record_status_names[status]);
	return check_parent(x, err) < 0 ? -1 : check_features(x, err);
}

static int checkpoint(struct checkpoint *x, struct error *err)
{
	const struct oci_checkpoint_request *r = x->request;
	int result;

	if (criu_find(x->o, "checkpoint", &x->criu, err) < 0 || record_find(x->o, r->id, true, &x->container, err) < 0)
		return -1;
	if (bundle_load_used(x->o, x->container.dir_fd, &x->spec, err) < 0 ||
	    checkpoint_paths_open(x->o->arena, r->image_path, r->work_path, true, "dump.log", &x->paths, err) < 0)
		return -1;
	result = check(x, err);
	if (result == 0)
		result = dump(x, err);
	checkpoint_paths_close(&x->paths);
	return result;
}

int oci_checkpoint(struct oci *o, const struct oci_checkpoint_request *request, struct error *err)
{
	struct checkpoint x = { .o = o, .request = request, .container = RECORD_NONE };
	int result = checkpoint(&x, err);

	record_close(&x.container);
	if (result < 0)
		return error_is(err, ERROR_NOT_FOUND) ? -1 : error_frame(err, "checkpoint container `%s`", request->id);
	if (request->leave_running || request->pre_dump)
		return 0;
	return oci_delete(o, request->id, true, err);
}
