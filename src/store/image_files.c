#include "store/image_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/driver.h"
#include "store/fuse_overlayfs.h"
#include "store/image_tree.h"
#include "store/layer.h"
#include "store/layer_changes.h"
#include "store/tree.h"
#include "sys/errand.h"
#include "sys/fd.h"

struct job { struct arena *arena; struct store *store; const struct strings *layers; };

/* --- by the kernel */

/* In the form of the driver; the caller saw to it that they have that. */
static int describe(const struct job *j, struct rootfs *ret, struct error *err)
{
	*ret = (struct rootfs){ .kind = ROOTFS_OVERLAY };
	if (layer_form_of(j->store->driver) == LAYER_INDEX) {
		ret->tree = image_tree_open(j->store, j->layers, NULL, err);
		ret->data = arena_printf(j->arena, "%s/objects", j->store->path);
		return ret->tree < 0 ? -1 : 0;
	}
	for (size_t i = j->layers->n; i > 0; i--)
		strings_add(j->arena, &ret->lower, layer_diff_path(j->arena, j->store, j->layers->v[i - 1]));
	return 0;
}

/* In a child. */
static int mount_here(void *context, struct error *err)
{
	const struct job *j = context;
	const char *step = "open_tree";
	struct rootfs rootfs;
	int fd;

	if (describe(j, &rootfs, err) < 0)
		return -1;
	/* An overlay of one layer alone is refused. */
	fd = rootfs.lower.n == 1 ? mount_clone(AT_FDCWD, rootfs.lower.v[0], false) : driver_mount_overlay(&rootfs, &step);
	if (fd < 0 || mount_set(fd, MOUNT_ATTR_RDONLY, 0, 0, false) < 0) {
		error_errno(err, "mount the image's layers (%s)", step);
		fd_close(&fd);
	}
	return fd;
}

/* A detached mount. Old kernels need a mount namespace of their own for it, so a child makes it. */
static int mount_detached(const struct job *j, struct error *err)
{
	return j->layers->n ? errand_fd(mount_here, (void *)(uintptr_t)j, err) :
			      error_set(err, ERROR_STATE, "the image has no layers");
}

/* For the other ways a layer must be a tree on disk. */
static int need_diffs(const struct job *j, struct error *err)
{
	for (size_t i = 0; i < j->layers->n; i++) {
		const struct strings up_to = { j->layers->v, i + 1 };

		if (!layer_has(j->store, j->layers->v[i], LAYER_DIFF) && layer_make_diff(j->arena, j->store, &up_to, err) < 0)
			return -1;
	}
	return 0;
}

/* --- by fuse-overlayfs */

static int mount_fuse(const struct job *j, const char *target, bool with_caller, struct error *err)
{
	struct rootfs rootfs = { .kind = ROOTFS_OVERLAY };
	pid_t pid;

	if (!j->store->fuse_overlayfs)
		j->store->fuse_overlayfs = fuse_overlayfs_find(j->arena, err);
	if (!j->store->fuse_overlayfs || j->layers->n == 0)
		return -1;
	for (size_t i = j->layers->n; i > 0; i--)
		strings_add(j->arena, &rootfs.lower, layer_diff_path(j->arena, j->store, j->layers->v[i - 1]));
	return fuse_overlayfs_mount(j->arena, j->store->fuse_overlayfs, &rootfs, target, with_caller, &pid, err);
}

/* --- by copying */

static int copy_layers(const struct job *j, int target, struct error *err)
{
	const struct tree_copy how = { .whiteouts = true };

	for (size_t i = 0; i < j->layers->n; i++) {
		_cleanup_fd_ int diff = open(layer_diff_path(j->arena, j->store, j->layers->v[i]),
					     O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (diff < 0)
			return error_errno(err, "open layer %s", j->layers->v[i]);
		if (tree_copy(diff, target, &how, err) < 0)
			return error_frame(err, "copy layer %s", j->layers->v[i]);
	}
	return 0;
}

/* tmp/<stage>/tree */
static int open_staged(struct store *s, const char *stage, struct error *err)
{
	_cleanup_fd_ int dir = fd_open_dir(s->tmp_fd, stage);
	int fd = dir < 0 || mkdirat(dir, "tree", 0755) < 0 ? -1 : fd_open_dir(dir, "tree");

	return fd < 0 ? error_errno(err, "make %s/tmp/%s/tree", s->path, stage) : fd;
}

/* --- for this process */

/* A mount namespace of its own keeps the helper's mount out of sight; both end with the process. */
static int open_fuse(const struct job *j, struct image_files *f, struct error *err)
{
	char *target = arena_printf(j->arena, "%s/tmp/%s/tree", j->store->path, f->stage);

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "make a mount namespace");
	if (mount_fuse(j, target, true, err) < 0)
		return -1;
	close(f->root);
	f->root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->root < 0 ? error_errno(err, "open %s", target) : 0;
}

static int open_other(const struct job *j, struct image_files *f, struct error *err)
{
	if (need_diffs(j, err) < 0)
		return -1;
	f->lock = store_stage(j->arena, j->store, &f->stage, err);
	if (f->lock < 0)
		return -1;
	f->root = open_staged(j->store, f->stage, err);
	if (f->root < 0)
		return -1;
	if (j->store->driver == DRIVER_FUSE_OVERLAYFS && open_fuse(j, f, NULL) == 0)
		return 0;
	return copy_layers(j, f->root, err);
}

int image_files_open(struct arena *arena, struct store *s, const struct strings *layers, struct image_files *ret,
		     struct error *err)
{
	const struct job j = { arena, s, layers };

	*ret = (struct image_files){ .lock = -1 };
	ret->root = mount_detached(&j, NULL);
	if (ret->root >= 0 || open_other(&j, ret, err) == 0)
		return 0;
	image_files_close(s, ret);
	return -1;
}

void image_files_close(struct store *s, struct image_files *f)
{
	fd_close(&f->root);
	if (f->stage)
		store_stage_done(s, f->stage, &f->lock);
	f->stage = NULL;
}

/* --- changes */

/* A layer's own tree is what an upper directory is; marks are files where the file system cannot have whiteouts. */
static int changes_of_diff(struct arena *arena, struct store *s, int older, const char *chain_id, struct changes *ret,
			   struct error *err)
{
	const struct changes_how how = { .marks = true };
	char *path = layer_diff_path(arena, s, chain_id);
	_cleanup_fd_ int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return top < 0 ? error_errno(err, "open %s", path) : changes_of_upper(arena, older, top, &how, ret, err);
}

int image_files_changes(struct arena *arena, struct store *s, const struct strings *layers, struct changes *ret,
			struct error *err)
{
	struct strings lower = *layers;
	struct image_files older;
	char *top;
	int result;

	*ret = (struct changes){ 0 };
	if (layers->n == 0)
		return 0;
	top = layers->v[--lower.n];
	if (image_files_open(arena, s, &lower, &older, err) < 0)
		return -1;
	result = layer_has(s, top, LAYER_INDEX) ? layer_changes(arena, s, older.root, top, ret, err) :
						  changes_of_diff(arena, s, older.root, top, ret, err);
	image_files_close(s, &older);
	return result;
}

static bool all_listed(const struct store *s, const struct strings *layers)
{
	for (size_t i = 0; i < layers->n; i++)
		if (!layer_has(s, layers->v[i], LAYER_INDEX))
			return false;
	return true;
}

static int compare_trees(struct arena *arena, struct store *s, int older, const struct strings *newer,
			 struct changes *ret, struct error *err)
{
	const struct changes_how how = { .contents = true };
	struct image_files tree;
	int result;

	if (image_files_open(arena, s, newer, &tree, err) < 0)
		return -1;
	result = changes_between(arena, older, tree.root, &how, ret, err);
	image_files_close(s, &tree);
	return result;
}

int image_files_changes_between(struct arena *arena, struct store *s, const struct strings *older,
				const struct strings *newer, struct changes *ret, struct error *err)
{
	struct image_files tree;
	int result;

	if (all_listed(s, older) && all_listed(s, newer))
		return layer_changes_between(arena, s, older, newer, ret, err);
	if (image_files_open(arena, s, older, &tree, err) < 0)
		return -1;
	result = compare_trees(arena, s, tree.root, newer, ret, err);
	image_files_close(s, &tree);
	return result;
}

/* --- for people */

static char *mount_path(struct arena *arena, const struct store *s, const char *image_id)
{
	return arena_printf(arena, "%s/mounts/%s", s->path, image_id);
}

/* A mount point, or a copy. */
static bool is_there(const char *path)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	if (mount_is_point(path))
		return true;
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return true;
	return false;
}

char *image_files_mounted(struct arena *arena, const struct store *s, const char *image_id)
{
	char *path = mount_path(arena, s, image_id);

	return is_there(path) ? path : NULL;
}

/* The copy takes the place of the empty directory when it is whole. */
static int copy_to(const struct job *j, const char *path, struct error *err)
{
	char *stage;
	int lock = store_stage(j->arena, j->store, &stage, err), result;
	_cleanup_fd_ int tree = lock < 0 ? -1 : open_staged(j->store, stage, err);

	if (lock < 0)
		return -1;
	result = tree < 0 ? -1 : copy_layers(j, tree, err);
	if (result == 0 && renameat(j->store->tmp_fd, arena_printf(j->arena, "%s/tree", stage), AT_FDCWD, path) < 0)
		result = error_errno(err, "put %s in place", path);
	store_stage_done(j->store, stage, &lock);
	return result;
}

static int mount_at(const struct job *j, const char *path, struct error *err)
{
	_cleanup_fd_ int target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int tree = mount_detached(j, NULL);

	if (target < 0)
		return error_errno(err, "open %s", path);
	if (tree >= 0)
		return mount_attach(tree, target) < 0 ? error_errno(err, "mount at %s", path) : 0;
	if (need_diffs(j, err) < 0)
		return -1;
	if (j->store->driver == DRIVER_FUSE_OVERLAYFS && mount_fuse(j, path, false, NULL) == 0)
		return 0;
	return copy_to(j, path, err);
}

/* Two commands at once would mount one over the other. */
static int lock_mounts(const struct store *s, struct error *err)
{
	int fd = fd_mkdirs(s->root_fd, "mounts", 0700) < 0 ? -1 : lock_open(s->root_fd, "mounts/.lock", LOCK_EXCLUSIVE, true);

	return fd < 0 ? error_errno(err, "lock %s/mounts", s->path) : fd;
}

int image_files_mount(struct arena *arena, struct store *s, const char *image_id, const struct strings *layers,
		      char **ret_path, struct error *err)
{
	const struct job j = { arena, s, layers };
	_cleanup_fd_ int lock = lock_mounts(s, err);

	*ret_path = mount_path(arena, s, image_id);
	if (lock < 0)
		return -1;
	if (is_there(*ret_path))
		return 0;
	if (mkdir(*ret_path, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", *ret_path);
	if (mount_at(&j, *ret_path, err) == 0)
		return 0;
	rmdir(*ret_path);
	return -1;
}

int image_files_unmount(struct arena *arena, struct store *s, const char *image_id, struct error *err)
{
	char *path = mount_path(arena, s, image_id);
	_cleanup_fd_ int lock = -1;

	if (!is_there(path))
		return 0;
	lock = lock_mounts(s, err);
	if (lock < 0)
		return -1;
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return error_errno(err, "unmount %s", path);
	return store_discard(s, arena_printf(arena, "mounts/%s", image_id), true, err) < 0 ? -1 : 1;
}
