#include "store/container_show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/container_rootfs.h"
#include "sys/fd.h"

static char *merged_path(struct arena *arena, const struct store *s, const char *id)
{
	return arena_printf(arena, "%s/containers/%s/merged", s->path, id);
}

bool container_show_is_shown(struct arena *arena, const struct store *s, const char *id, char **ret_path)
{
	char *path = merged_path(arena, s, id);

	if (!mount_is_point(path))
		return false;
	*ret_path = path;
	return true;
}

void container_show_end(struct store *s, const char *id)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/containers/%.64s/merged", s->path, id);
	if (mount_is_point(path))
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static int attach(const char *path, int tree, struct error *err)
{
	_cleanup_fd_ int target = -1;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", path);
	target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return target < 0 || mount_attach(tree, target) < 0 ? error_errno(err, "mount at %s", path) : 0;
}

static int mount_stopped(struct arena *arena, struct store *s, const char *id, enum store_driver driver, const char *path,
			 struct error *err)
{
	_cleanup_fd_ int tree = -1;
	struct rootfs ignored;
	int helper;

	if (driver == DRIVER_FUSE_OVERLAYFS)
		return container_store_rootfs(arena, s, id, NULL, false, &ignored, &helper, err);
	tree = container_store_mount(arena, s, id, err);
	return tree < 0 ? -1 : attach(path, tree, err);
}

int container_show(struct arena *arena, struct store *s, const char *id, int tree, char **ret_path, struct error *err)
{
	enum store_driver driver;
	struct strings layers;
	_cleanup_fd_ int writable = container_rootfs_writable(arena, s, id, &driver, &layers, err);

	if (writable < 0)
		return -1;
	if (driver == DRIVER_VFS) {
		*ret_path = arena_printf(arena, "%s/containers/%s/rootfs", s->path, id);
		return 0;
	}
	if (container_show_is_shown(arena, s, id, ret_path))
		return 0;
	*ret_path = merged_path(arena, s, id);
	return tree >= 0 ? attach(*ret_path, tree, err) : mount_stopped(arena, s, id, driver, *ret_path, err);
}
