#include "store/shifted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "spec/oci_image.h"
#include "store/layer.h"
#include "store/stage.h"
#include "store/tree.h"
#include "sys/fd.h"

#define RECORD_MAX ((size_t)64 << 10)

struct shifted_record { char *uid_map, *gid_map; };
JSON_SHAPE(shifted_record,
	JSON_FIELD(shifted_record, uid_map, "uidMap", T_STRING, .required = true),
	JSON_FIELD(shifted_record, gid_map, "gidMap", T_STRING, .required = true));

int shifted_copy(const struct store *s, const struct strings *layers, const struct id_maps *maps, int target,
		 struct error *err)
{
	struct tree_copy how = { .whiteouts = true, .shift = maps };

	for (size_t i = layer_hidden(s, layers); i < layers->n; i++) {
		char path[192];

		snprintf(path, sizeof(path), "layers/%s/diff", digest_hex(layers->v[i]));
		_cleanup_fd_ int diff = fd_open_dir(s->root_fd, path);

		if (diff < 0)
			return error_errno(err, "open %s/%s", s->path, path);
		if (tree_copy(diff, target, &how, err) < 0)
			return error_frame(err, "shift the owners of layer %s", layers->v[i]);
	}
	return 0;
}

/* Before the tree has its name, and on disk with it. */
static int write_record(struct arena *arena, struct store *s, const char *path, const struct id_maps *maps, struct error *err)
{
	const struct shifted_record r = { idmap_print(arena, &maps->uid), idmap_print(arena, &maps->gid) };
	const char *text = json_print(arena, json_encode(arena, &shifted_record_shape, &r), 0);

	return store_write(s, arena_printf(arena, "%s.json", path), text, strlen(text), false, err);
}

static int make(struct arena *arena, struct store *s, const struct strings *layers, const struct id_maps *maps,
		const char *path, struct error *err)
{
	char *stage, *staged, *parent = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
	int lock = store_stage(arena, s, &stage, err), r = -1;

	if (lock < 0)
		return -1;
	staged = arena_printf(arena, "%s/tree", stage);
	_cleanup_fd_ int target = mkdirat(s->tmp_fd, staged, 0755) < 0 ? -1 : fd_open_dir(s->tmp_fd, staged);
	if (target < 0) {
		error_errno(err, "make %s/tmp/%s", s->path, staged);
	} else if (shifted_copy(s, layers, maps, target, err) == 0) {
		if (mkdirat(s->root_fd, parent, 0755) < 0 && errno != EEXIST)
			error_errno(err, "make %s/%s", s->path, parent);
		else if (write_record(arena, s, path, maps, err) < 0)
			;
		else if (syncfs(target) < 0)
			error_errno(err, "write %s/%s to disk", s->path, path);
		else if (renameat(s->tmp_fd, staged, s->root_fd, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
			error_errno(err, "rename to %s/%s", s->path, path);
		else	/* somebody having been faster is as good */
			r = 0;
	}
	store_stage_done(s, stage, &lock);
	return r;
}

char *shifted_path(struct arena *arena, const char *chain_id, const char *name)
{
	return arena_printf(arena, "layers/%s/maps/%s", digest_hex(chain_id), name);
}

int shifted_need(struct arena *arena, struct store *s, const struct strings *layers, const struct id_maps *maps,
		 char **ret_path, struct error *err)
{
	*ret_path = shifted_path(arena, layers->v[layers->n - 1], idmap_name(arena, maps));
	if (faccessat(s->root_fd, *ret_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return make(arena, s, layers, maps, *ret_path, err);
}

struct strings shifted_list(struct arena *arena, const struct store *s, const char *chain_id)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, arena_printf(arena, "layers/%s/maps", digest_hex(chain_id)));
	struct strings list = { 0 };
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && !str_ends(entry->d_name, ".json"))
			strings_add(arena, &list, entry->d_name);
	return list;
}

int shifted_maps(struct arena *arena, const struct store *s, const char *chain_id, const char *name, struct id_maps *ret,
		 struct error *err)
{
	char *path = arena_printf(arena, "%s.json", shifted_path(arena, chain_id, name));
	struct shifted_record r = { 0 };
	size_t n;
	char *text = fd_read_file(arena, s->root_fd, path, RECORD_MAX, &n);

	if (!text)
		return error_errno(err, "read %s/%s", s->path, path);
	if (json_decode(arena, &shifted_record_shape, &r, text, n, path, err) < 0 ||
	    idmap_parse(arena, r.uid_map, &ret->uid, err) < 0 || idmap_parse(arena, r.gid_map, &ret->gid, err) < 0)
		return -1;
	return strcmp(idmap_name(arena, ret), name) == 0 ? 0 : error_set(err, ERROR_INVALID, "%s: these are other maps", path);
}
