#include "oci/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/trace.h"
#include "userns/maps.h"

#define CONFIG_MAX ((size_t)16 << 20)

int bundle_error(const struct bundle *b, struct error *err)
{
	return error_frame(err, "%s", b->name);
}

/* --- reading */

static int find(struct oci *o, const char *path, struct bundle *b, struct error *err)
{
	char real[PATH_MAX];

	if (!realpath(path ? path : ".", real))
		return error_errno(err, "bundle %s", path ? path : ".");
	b->path = arena_strdup(o->arena, real);
	return 0;
}

static int read_config(struct oci *o, const char *config, struct bundle *b, struct error *err)
{
	const char *file = config ? config : arena_printf(o->arena, "%s/config.json", b->path), *slash = strrchr(file, '/');

	b->name = slash ? slash + 1 : file;
	b->text = fd_read_given(o->arena, file, CONFIG_MAX, &b->size);
	if (!b->text)
		return error_errno(err, "%s", file);
	return json_decode(o->arena, &oci_spec_shape, &b->spec, b->text, b->size, b->name, err);
}

static int check_version(const struct bundle *b, struct error *err)
{
	const char *v = b->spec.oci_version;

	if (str_starts(v, "1."))
		return 0;
	error_set(err, ERROR_INVALID, ".ociVersion: \"%.32s\" is not supported: 1.0.0 to " OCI_VERSION " are", v);
	return bundle_error(b, err);
}

/* --- what an unprivileged caller needs */

static bool has_user_namespace(const struct oci_linux *l)
{
	for (size_t i = 0; i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, "user"))
			return true;
	return false;
}

static void take_map(struct arena *arena, const struct id_map *map, void *mappings)
{
	for (size_t i = 0; i < map->n; i++)
		*(struct oci_id_mapping *)array_add(arena, mappings, sizeof(struct oci_id_mapping)) =
			(struct oci_id_mapping){ map->v[i].inside, map->v[i].outside, map->v[i].count };
}

static int add_user_namespace(struct oci *o, struct bundle *b, struct error *err)
{
	struct oci_linux *l = b->spec.linux_;
	struct error no_ranges = { 0 };
	struct identity id = { 0 };
	struct id_maps maps = { 0 };

	if (userns_identify(o->arena, &id, err) < 0)
		return -1;
	if (maps_rootless(o->arena, &id, &maps, &no_ranges) < 0)
		maps = maps_single(o->arena, &id);
	if (!has_user_namespace(l))
		ARRAY_ADD(o->arena, &l->namespaces)->type = arena_strdup(o->arena, "user");
	take_map(o->arena, &maps.uid, &l->uid_mappings);
	take_map(o->arena, &maps.gid, &l->gid_mappings);
	b->changed = true;
	return 0;
}

static int complete(struct oci *o, struct bundle *b, struct error *err)
{
	struct oci_linux *l = b->spec.linux_;

	if (!l) {
		error_set(err, ERROR_INVALID, ".linux: missing, and required");
		return bundle_error(b, err);
	}
	if (geteuid() != 0 && !l->uid_mappings.n && !l->gid_mappings.n)
		return add_user_namespace(o, b, err);
	return 0;
}

static int find_rootfs(struct oci *o, struct bundle *b, struct error *err)
{
	const struct oci_root *root = b->spec.root;
	struct stat st;

	if (!root || str_is_empty(root->path)) {
		error_set(err, ERROR_INVALID, ".root%s: missing, and required", root ? ".path" : "");
		return bundle_error(b, err);
	}
	b->rootfs = *root->path == '/' ? root->path : arena_printf(o->arena, "%s/%s", b->path, root->path);
	if (stat(b->rootfs, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	error_set(err, ERROR_INVALID, ".root.path: %s: %s", b->rootfs, strerror(errno));
	return bundle_error(b, err);
}

int bundle_load(struct oci *o, const char *path, const char *config, struct bundle *ret, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("read the bundle");

	*ret = (struct bundle){ 0 };
	if (find(o, path, ret, err) < 0 || read_config(o, config, ret, err) < 0 || check_version(ret, err) < 0)
		return -1;
	if (complete(o, ret, err) < 0)
		return -1;
	return find_rootfs(o, ret, err);
}

/* --- as it was used */

int bundle_save(struct oci *o, const struct bundle *b, int dir_fd, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("keep the configuration");
	const char *text = b->text;
	size_t size = b->size;

	if (b->changed) {
		text = json_print(o->arena, json_encode(o->arena, &oci_spec_shape, &b->spec), 0);
		size = strlen(text);
	}
	if (fd_write_file(dir_fd, "config.json", text, size, 0600, false) < 0)
		return error_errno(err, "keep the configuration");
	return 0;
}

int bundle_load_used(struct oci *o, int dir_fd, struct oci_spec *ret, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("read the kept configuration");
	size_t size;
	char *text = fd_read_file(o->arena, dir_fd, "config.json", 2 * CONFIG_MAX, &size);

	if (!text)
		return error_errno(err, "the container's configuration");
	return json_decode(o->arena, &oci_spec_shape, ret, text, size, "config.json", err);
}
