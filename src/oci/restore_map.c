#include "oci/restore_map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "oci/external_mount.h"
#include "sys/fd.h"

#define LIST_MAX ((size_t)1 << 20)

/* --- what the images say */

/* A file of the image directory that lists strings; none when it is not there. */
static int read_list(const struct restore_map *m, const char *name, struct strings *ret, struct error *err)
{
	struct arena *arena = m->o->arena;
	size_t size;
	char *text = fd_read_file(arena, m->paths->images_fd, name, LIST_MAX, &size);
	struct json *list;

	if (!text)
		return errno == ENOENT ? 0 : error_errno(err, "%s/%s", m->paths->images, name);
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

bool restore_map_has_image(const struct checkpoint_paths *paths, const char *prefix)
{
	_cleanup_dir_ DIR *dir = fd_opendir(paths->images_fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (str_starts(entry->d_name, prefix))
			return true;
	return false;
}

/* --- what the container's things are now */

static void inherit(struct restore_map *m, const char *key, int fd)
{
	for (size_t i = 0; i < m->options->inherited.n; i++)
		if (str_eq(m->options->inherited.v[i].key, key))
			return;
	*ARRAY_ADD(m->o->arena, &m->options->inherited) = (struct criu_inherited){ arena_strdup(m->o->arena, key), fd };
}

/* A file goes on as itself, for it is written on where it was; so does /dev/null. A FIFO is like a pipe. */
static int map_file(struct restore_map *m, char *text, int stream, struct error *err)
{
	static const char *const names[] = { "input", "output", "error" };
	char *end = strchr(text, ']'), *path = end ? strchr(end, ' ') : NULL;
	bool is_fifo = end && end[1] == '|';
	int fd;

	if (!path)
		return error_set(err, ERROR_INVALID, "%s: [%d]: no file", CHECKPOINT_STREAMS, stream);
	end[1] = '\0';
	if (is_fifo) {
		m->options->skip_permissions = true;	/* those of the caller's pipe are its own */
		inherit(m, text, stream);
		return 0;
	}
	fd = open(path + 1, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "what was the container's standard %s: %s", names[stream], path + 1);
	m->pass[m->pass_n++] = fd;
	inherit(m, text, fd);
	return 0;
}

/* Pipes become the caller's standard streams. */
static int map_streams(struct restore_map *m, struct error *err)
{
	struct strings keys = { 0 };

	if (read_list(m, CHECKPOINT_STREAMS, &keys, err) < 0)
		return -1;
	for (size_t i = 0; i < keys.n && i < 3; i++) {
		if (str_starts(keys.v[i], "pipe:"))
			inherit(m, keys.v[i], (int)i);
		else if (str_starts(keys.v[i], "file[") && map_file(m, keys.v[i], (int)i, err) < 0)
			return -1;
	}
	return 0;
}

static int inherit_namespace(struct restore_map *m, const char *type, const char *key, struct error *err)
{
	const struct oci_namespace *ns = checkpoint_namespace(&m->bundle->spec, type);
	int fd;

	if (!ns)
		return 0;
	fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, ".linux.namespaces: %s", ns->path);
	m->pass[m->pass_n++] = fd;
	inherit(m, key, fd);
	return 0;
}

static int join_namespace(struct restore_map *m, const char *type, const char *name, struct error *err)
{
	const struct oci_namespace *ns = checkpoint_namespace(&m->bundle->spec, type);

	if (ns && !name)
		return error_set(err, ERROR_UNSUPPORTED, ".linux.namespaces: criu cannot restore into a given namespace of type "
				 "\"%s\"", type);
	if (ns)
		map_set(m->o->arena, &m->options->join, name, ns->path);
	return 0;
}

static int map_namespaces(struct restore_map *m, struct error *err)
{
	static const struct { const char *type, *name; } joined[] = {
		{ "ipc", "ipc" }, { "uts", "uts" }, { "time", "time" }, { "user", "user" }, { "mount", NULL }, { "cgroup", NULL },
	};

	if (inherit_namespace(m, "network", "extRootNetNS", err) < 0 || inherit_namespace(m, "pid", "extRootPidNS", err) < 0)
		return -1;
	for (size_t i = 0; i < ELEMENTS(joined); i++)
		if (join_namespace(m, joined[i].type, joined[i].name, err) < 0)
			return -1;
	return 0;
}

static int map_mounts(struct restore_map *m, struct error *err)
{
	const struct bundle *b = m->bundle;
	_cleanup_fd_ int root = open(b->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct external_mounts e;
	struct strings places = { 0 };
	struct cgroup_views views = { 0 };

	if (root < 0)
		return error_errno(err, ".root.path: %s", b->rootfs);
	external_mounts_init(&e, m->o->arena, &b->spec, root);
	external_mounts_list(&e, &places);
	if (read_list(m, CHECKPOINT_MOUNTS, &places, err) < 0)
		return -1;
	if (m->o->cgroup_host.v1)
		cgroup_views(m->o->arena, &m->o->cgroup_host, m->cgroup, &views);
	for (size_t i = 0; i < places.n; i++)
		map_set(m->o->arena, &m->options->mounts, places.v[i],
			external_mounts_source(&e, b->path, &views, places.v[i]));
	return external_mounts_prepare(&e, root, b->path, err);
}

/* criu finds paths below a hierarchy's mount. */
static void map_cgroups(struct restore_map *m)
{
	const struct cgroup_host *host = &m->o->cgroup_host;
	const struct cgroup *c = m->cgroup;

	for (size_t i = 0; i < c->places.n; i++)
		for (size_t j = 0; j < host->hierarchies.n; j++) {
			const struct cgroup_hierarchy *h = &host->hierarchies.v[j];
			const char *path = str_after(c->places.v[i].path, h->mount);

			if (path && str_eq(h->controllers, c->places.v[i].controllers))
				map_set(m->o->arena, &m->options->cgroup_roots, h->controllers, path);
		}
}

/* --- all of it */

int restore_map_all(struct restore_map *m, struct error *err)
{
	for (int i = 0; i < 3; i++)
		m->pass[m->pass_n++] = i;
	if (map_streams(m, err) < 0)
		return -1;
	map_cgroups(m);
	return map_namespaces(m, err) < 0 || map_mounts(m, err) < 0 ? bundle_error(m->bundle, err) : 0;
}

void restore_map_close(struct restore_map *m)
{
	for (size_t i = 3; i < m->pass_n; i++)
		close(m->pass[i]);
	m->pass_n = 0;
}
