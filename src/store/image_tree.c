#include "store/image_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/layer_merge.h"
#include "spec/oci_image.h"
#include "store/layer_indexes.h"
#include "store/image_tree_budget.h"
#include "store/image_tree_view.h"
#include "store/skeleton.h"
#include "store/tree_maker.h"
#include "sys/fd.h"

#define TREE "tree"			/* the image's root in the file system, which has its own for itself */

/* "trees/<hex>" plus a suffix. */
static void tree_path(char path[192], const char *chain_id, const char *suffix)
{
	snprintf(path, 192, "trees/%s%s", digest_hex(chain_id), suffix);
}

/* --- making */

static int fill_merged(struct tree_maker *m, struct layer_indexes *x, struct error *err)
{
	struct layer_merge *merge = layer_merge_open(m->arena, x->v, x->n);
	const struct layer_entry *e;
	int more;

	while ((more = layer_merge_next(merge, &e, NULL, err)) > 0)
		if (tree_maker_add(m, e) < 0)
			return -1;
	return more;
}

/* Why a file system in memory says that it is full. */
static int say_full(const struct strings *layers, struct layer_indexes *x, struct error *err)
{
	unsigned long long entries = 0;

	if (!error_is(err, ERROR_NO_SPACE))
		return -1;
	for (size_t i = 0; i < layers->n; i++)
		entries += layer_index_entries(x->v[i]);
	error_frame(err, "the image's tree of %llu names does not fit into memory", entries);
	return error_hint(err, "memory that is free, or the control group's limit, is too small for the names of the image's "
			  "files; --storage-driver overlay keeps them on disk");
}

int image_tree_fill(struct arena *arena, const struct store *s, const struct strings *layers, int root,
		    struct error *err)
{
	struct tree_maker m = { .arena = arena, .root = root, .objects = -1, .single_id = s->single_id };
	struct layer_indexes x;
	int result;

	if (layer_indexes_open(arena, s, layers, &x, err) < 0)
		return -1;
	tree_maker_begin(&m, err);
	result = tree_maker_end(&m, fill_merged(&m, &x, err) < 0);
	if (result == 0)
		result = skeleton_add(root, err);
	if (result < 0)
		say_full(layers, &x, err);
	layer_indexes_close(&x);
	return result;
}

static int make_tree(struct arena *arena, const struct store *s, const struct strings *layers, struct error *err)
{
	const char *const options[] = { "mode=700", NULL };
	const char *step = "";
	int root, result, fs = mount_new("tmpfs", "bryo-tree", options, 0, &step);

	if (fs < 0)
		return error_errno(err, "a file system in memory (%s)", step);
	root = mkdirat(fs, TREE, 0755) < 0 ? -1 : fd_open_dir(fs, TREE);
	result = root < 0 ? error_errno(err, "make the image's tree") : image_tree_fill(arena, s, layers, root, err);
	fd_close(&root);
	if (result == 0)
		return fs;
	close(fs);
	return -1;
}

static bool is_there(const struct store *s, const char *chain_id)
{
	char path[192];

	tree_path(path, chain_id, "/" TREE);
	return faccessat(s->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The directory below the mount is the lock: whoever holds it and finds nothing mounted makes the tree. */
static int lock_place(const struct store *s, const char *chain_id, struct error *err)
{
	char path[192];
	int fd;

	tree_path(path, chain_id, "");
	if (fd_mkdirs(s->run_fd, path, 0700) < 0)
		return error_errno(err, "make the directory %s", path);
	fd = fd_open_dir(s->run_fd, path);
	if (fd < 0)
		return error_errno(err, "open the directory %s", path);
	while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

static int make(struct store *s, const struct strings *layers, struct error *err)
{
	const char *chain_id = layers->v[layers->n - 1];
	_cleanup_arena_ struct arena *scratch = arena_new();
	_cleanup_fd_ int place = lock_place(s, chain_id, err), fs = -1;

	if (place < 0)
		return -1;
	if (is_there(s, chain_id))
		return 0;
	fs = make_tree(scratch, s, layers, err);
	if (fs < 0)
		return -1;
	if (mount_attach(fs, place) < 0)
		return error_errno(err, "mount the image's tree");
	if (image_tree_is_over_budget(scratch, s))
		store_collect_in_background(s);
	return 0;
}

/* --- using */

static int open_tree_of(const struct store *s, const char *chain_id, const struct id_maps *maps)
{
	char path[192];
	int fd;

	tree_path(path, chain_id, maps ? "" : "/" TREE);
	fd = maps ? image_tree_view_open(s, path, maps) :
	     openat(s->run_fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* When it was used: the time of its file system's own root. */
	tree_path(path, chain_id, "");
	utimensat(s->run_fd, path, NULL, 0);
	return fd;
}

/* It may be dropped as soon as it was made, when memory is short. */
static int open_or_make(struct store *s, const struct strings *layers, const struct id_maps *maps, struct error *err)
{
	const char *chain_id = layers->v[layers->n - 1];

	for (int tries = 0; tries < 3; tries++) {
		int fd = open_tree_of(s, chain_id, maps);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			break;
		if (make(s, layers, err) < 0)
			return -1;
	}
	return error_errno(err, maps ? "map the ids of the image's tree" : "open the image's tree");
}

int image_tree_open(struct store *s, const struct strings *layers, const struct id_maps *maps, struct error *err)
{
	if (s->run_fd < 0)
		return error_set(err, ERROR_FAILED, "no runtime directory for the trees of images");
	return open_or_make(s, layers, maps && maps->uid.n ? maps : NULL, err);
}

void image_tree_drop(const struct store *s, const char *chain_id)
{
	char path[192], full[256];

	if (s->run_fd < 0)
		return;
	tree_path(path, chain_id, "");
	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", s->run_fd, path);
	umount2(full, MNT_DETACH | UMOUNT_NOFOLLOW);	/* the directory stays: it is the lock of whoever makes it again */
}
