#include "store/shifted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "store/layer.h"
#include "store/tree.h"
#include "sys/fd.h"

/* FNV-1a. Maps are the user's own: a name must differ for different maps, not withstand forgery. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

static char *tree_name(struct arena *arena, const struct id_maps *maps)
{
	return arena_printf(arena, "u%016llx-g%016llx", (unsigned long long)hash(idmap_print(arena, &maps->uid)),
			    (unsigned long long)hash(idmap_print(arena, &maps->gid)));
}

static int copy_layers(const struct store *s, const struct strings *layers, const struct id_maps *maps, int target,
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
	} else if (copy_layers(s, layers, maps, target, err) == 0) {
		if (syncfs(target) < 0 || (mkdirat(s->root_fd, parent, 0755) < 0 && errno != EEXIST))
			error_errno(err, "make %s/%s", s->path, parent);
		else if (renameat(s->tmp_fd, staged, s->root_fd, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
			error_errno(err, "rename to %s/%s", s->path, path);
		else	/* somebody having been faster is as good */
			r = 0;
	}
	store_stage_done(s, stage, &lock);
	return r;
}

int shifted_need(struct arena *arena, struct store *s, const struct strings *layers, const struct id_maps *maps,
		 char **ret_path, struct error *err)
{
	*ret_path = arena_printf(arena, "layers/%s/maps/%s", digest_hex(layers->v[layers->n - 1]), tree_name(arena, maps));
	if (faccessat(s->root_fd, *ret_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return make(arena, s, layers, maps, *ret_path, err);
}
