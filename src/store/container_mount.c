/* A container's root file system in use: described for the runtime, mounted for this process, unmounted. The functions
 * container_store_{rootfs,mount,unmount}. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/container_record.h"
#include "store/container_show.h"
#include "store/driver.h"
#include "store/fuse_overlayfs.h"
#include "store/image_tree.h"
#include "store/layer.h"
#include "store/skeleton.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define HELPER_END_MS 3000

/* The file `helper`: the fuse-overlayfs process that serves merged/. */
struct helper_record {
	int64_t pid;
	uint64_t start;
	char *boot;
};
JSON_SHAPE(helper_record,
	JSON_FIELD(helper_record, pid, "pid", T_INT, .required = true),
	JSON_FIELD(helper_record, start, "start", T_UINT, .required = true),
	JSON_FIELD(helper_record, boot, "boot", T_STRING, .required = true));

/* A volatile overlay leaves a mark that refuses the next mount of the same upper directory. Nobody mounts it now, so
 * the mark only says that the container was not unmounted in order. */
static void forget_volatile(const struct store *s, const char *id)
{
	char path[128];

	snprintf(path, sizeof(path), "containers/%.64s/work/work/incompat", id);
	if (faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		fd_remove_tree(s->root_fd, path);
}

static int describe_objects(struct arena *arena, struct store *s, const struct container_record *r,
			    struct rootfs *ret, struct error *err)
{
	struct id_maps maps = { 0 };

	if (r->uid_map && (idmap_parse(arena, r->uid_map, &maps.uid, err) < 0 ||
			   idmap_parse(arena, r->gid_map ? r->gid_map : "", &maps.gid, err) < 0))
		return -1;
	ret->tree = image_tree_open(s, &r->layers, &maps, err);
	ret->data = arena_printf(arena, "%s/objects", s->path);
	return ret->tree < 0 ? -1 : 0;
}

static void describe_layers(struct arena *arena, const struct store *s, const struct container_record *r,
			    struct rootfs *ret)
{
	const struct strings *layers = &r->layers;
	char *skeleton;

	if (r->shifted)
		strings_addf(arena, &ret->lower, "%s/%s", s->path, r->shifted);
	for (size_t i = r->shifted ? 0 : layers->n, end = i ? layer_hidden(s, layers) : 0; i > end; i--) {
		char *path = layer_diff_path(arena, s, layers->v[i - 1]);

		strings_add(arena, &ret->lower, path);
	}
	skeleton = r->shifted ? NULL : skeleton_path(arena, s);	/* its owners are the default map's */
	if (skeleton)
		strings_add(arena, &ret->lower, skeleton);
}

static int describe_overlay(struct arena *arena, struct store *s, const char *id, const struct container_record *r,
			    bool volatile_upper, struct rootfs *ret, struct error *err)
{
	*ret = (struct rootfs){ .kind = ROOTFS_OVERLAY, .volatile_upper = volatile_upper };
	if (!container_record_has_objects(r))
		describe_layers(arena, s, r, ret);
	else if (describe_objects(arena, s, r, ret, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	ret->upper = arena_printf(arena, "%s/containers/%s/upper", s->path, id);
	ret->work = arena_printf(arena, "%s/containers/%s/work", s->path, id);
	return 0;
}

/* --- fuse-overlayfs */

static int read_helper(struct arena *arena, const struct store *s, const char *id, struct helper_record *ret)
{
	char path[128], boot[37];
	size_t n;
	char *text;

	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	*ret = (struct helper_record){ 0 };
	text = fd_read_file(arena, s->root_fd, path, 4096, &n);
	if (!text || json_decode(arena, &helper_record_shape, ret, text, n, path, NULL) < 0)
		return -1;
	if (pidfd_boot_id(boot) < 0 || strcmp(boot, ret->boot) != 0)
		return -1;
	return pidfd_open_same((pid_t)ret->pid, ret->start);
}

static int write_helper(struct arena *arena, struct store *s, const char *id, pid_t pid, struct error *err)
{
	char path[128], boot[37];
	struct helper_record r = { .pid = pid, .start = pidfd_start_time(pid), .boot = boot };
	const char *text;

	if (pidfd_boot_id(boot) < 0)
		return error_errno(err, "read the boot id");
	text = json_print(arena, json_encode(arena, &helper_record_shape, &r), 0);
	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	return store_write(s, path, text, strlen(text), false, err);
}

int container_store_unmount(struct store *s, const char *id)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct helper_record r;
	char path[4200];
	int pidfd;

	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	if (faccessat(s->root_fd, path, F_OK, 0) < 0)
		return 0;
	arena = arena_new();
	pidfd = read_helper(arena, s, id, &r);
	snprintf(path, sizeof(path), "%s/containers/%.64s/merged", s->path, id);
	/* An orderly unmount makes the helper write everything and end by itself. */
	if (umount2(path, UMOUNT_NOFOLLOW) < 0)
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (pidfd >= 0) {
		if (pidfd_wait_exit(pidfd, 100) == 0) {
			pidfd_signal(pidfd, SIGTERM);
			if (pidfd_wait_exit(pidfd, HELPER_END_MS) == 0)
				pidfd_signal(pidfd, SIGKILL);
		}
		close(pidfd);
	}
	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	unlinkat(s->root_fd, path, 0);
	return 0;
}

/* The container may be older than the store's present choice of driver. */
static bool has_fuse_overlayfs(struct arena *arena, struct store *s, struct error *err)
{
	if (!s->fuse_overlayfs)
		s->fuse_overlayfs = fuse_overlayfs_find(arena, err);
	return s->fuse_overlayfs;
}

static int open_directory(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, "open %s", path) : fd;
}

static int mount_fuse(struct arena *arena, struct store *s, const char *id, struct rootfs *rootfs, int *ret_helper,
		      struct error *err)
{
	char *merged = arena_printf(arena, "%s/containers/%s/merged", s->path, id);
	pid_t pid;

	if (!has_fuse_overlayfs(arena, s, err))
		return -1;
	container_store_unmount(s, id);
	umount2(merged, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (mkdir(merged, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", merged);
	if (fuse_overlayfs_mount(arena, s->fuse_overlayfs, rootfs, merged, false, &pid, err) < 0)
		return -1;
	if (write_helper(arena, s, id, pid, err) < 0) {
		umount2(merged, MNT_DETACH);
		kill(pid, SIGTERM);
		return -1;
	}
	*rootfs = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = merged };
	*ret_helper = pid;
	return 0;
}

int container_store_rootfs(struct arena *arena, struct store *s, const char *id, const struct strings *layers,
			   bool volatile_upper, struct rootfs *ret, int *ret_helper, struct error *err)
{
	struct container_record r;
	enum store_driver driver;
	char *shown;

	*ret_helper = 0;
	if (container_record_driver(arena, s, id, &r, &driver, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	if (layers)
		r.layers = *layers;
	if (driver == DRIVER_VFS) {
		*ret = (struct rootfs){ .kind = ROOTFS_DIRECTORY };
		ret->path = arena_printf(arena, "%s/containers/%s/rootfs", s->path, id);
		return 0;
	}
	/* Two mounts of one upper directory would clash. */
	if (driver != DRIVER_FUSE_OVERLAYFS && container_show_is_shown(arena, s, id, &shown)) {
		*ret = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = shown };
		return 0;
	}
	if (describe_overlay(arena, s, id, &r, volatile_upper, ret, err) < 0)
		return -1;
	if (driver == DRIVER_FUSE_OVERLAYFS)
		return mount_fuse(arena, s, id, ret, ret_helper, err);
	forget_volatile(s, id);
	return 0;
}

/* A private mount, seen by this process alone and gone with it. */
static int mount_fuse_here(struct arena *arena, struct store *s, const char *id, const struct rootfs *rootfs,
			   struct error *err)
{
	char *merged = arena_printf(arena, "%s/containers/%s/merged", s->path, id);
	pid_t pid;

	if (!has_fuse_overlayfs(arena, s, err))
		return -1;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "make a mount namespace");
	if (mkdir(merged, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", merged);
	return fuse_overlayfs_mount(arena, s->fuse_overlayfs, rootfs, merged, true, &pid, err);
}

static int mount_overlay_here(const struct store *s, const char *id, struct rootfs *rootfs, struct error *err)
{
	const char *step = "";
	int fd;

	forget_volatile(s, id);
	fd = driver_mount_overlay(rootfs, &step);
	if (fd < 0)
		error_errno(err, "mount the root file system of container %.12s (overlay, %s)", id, step);
	if (rootfs->tree > 0)
		fd_close(&rootfs->tree);
	return fd;
}

int container_store_mount(struct arena *arena, struct store *s, const char *id, struct error *err)
{
	const char *path = arena_printf(arena, "%s/containers/%s/rootfs", s->path, id);
	struct container_record r;
	struct rootfs rootfs;
	enum store_driver driver;
	char *shown;

	if (container_record_driver(arena, s, id, &r, &driver, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	if ((driver == DRIVER_OBJECTS || driver == DRIVER_OVERLAY) && container_show_is_shown(arena, s, id, &shown))
		return open_directory(shown, err);
	if (driver != DRIVER_VFS && describe_overlay(arena, s, id, &r, false, &rootfs, err) < 0)
		return -1;
	if (driver == DRIVER_OBJECTS || driver == DRIVER_OVERLAY)
		return mount_overlay_here(s, id, &rootfs, err);
	if (driver == DRIVER_FUSE_OVERLAYFS) {
		container_store_unmount(s, id);
		if (mount_fuse_here(arena, s, id, &rootfs, err) < 0)
			return -1;
		path = arena_printf(arena, "%s/containers/%s/merged", s->path, id);
	}
	return open_directory(path, err);
}
