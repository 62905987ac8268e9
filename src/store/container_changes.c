#include "store/container_changes.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/container_rootfs.h"
#include "store/image_files.h"
#include "sys/fd.h"

static int compare(struct arena *arena, enum store_driver driver, int lower, int writable, const struct id_maps *maps,
		   struct changes *ret, struct error *err)
{
	const struct changes_how how = { .maps = maps, .marks = driver == DRIVER_FUSE_OVERLAYFS };

	return driver == DRIVER_VFS ? changes_between(arena, lower, writable, &how, ret, err) :
				      changes_of_upper(arena, lower, writable, &how, ret, err);
}

int container_store_changes(struct arena *arena, struct store *s, const char *id, const struct id_maps *maps,
			    struct changes *ret, int *ret_root, struct error *err)
{
	enum store_driver driver;
	struct image_files image;
	struct strings layers;
	_cleanup_fd_ int writable = container_rootfs_writable(arena, s, id, &driver, &layers, err);
	int result;

	if (writable < 0 || image_files_open(arena, s, &layers, &image, err) < 0)
		return -1;
	result = compare(arena, driver, image.root, writable, maps, ret, err);
	image_files_close(s, &image);
	if (result == 0 && ret_root)
		*ret_root = fd_take(&writable);
	return result;
}
