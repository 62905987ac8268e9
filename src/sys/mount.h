/* sys/mount - mount system calls, total: every call by descriptor where the kernel allows it */
#ifndef BRYO_SYS_MOUNT_H
#define BRYO_SYS_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"

/* What the root file system of a container is made of; the storage driver fills it, the runtime mounts it. */
enum rootfs_kind {
	ROOTFS_DIRECTORY,	/* a ready tree: vfs, --rootfs, an OCI bundle, a mounted fuse-overlayfs */
	ROOTFS_OVERLAY,		/* native overlay, mounted by the child in its own mount namespace */
};

struct rootfs {
	enum rootfs_kind kind;
	char *path;			/* ROOTFS_DIRECTORY: the tree */
	int tree;			/* ROOTFS_OVERLAY: a descriptor of the topmost lower layer, maybe a detached mount; the
					   holder of the structure closes it, some time after mounting. 0 or less: none */
	struct strings lower;		/* ROOTFS_OVERLAY: absolute paths, topmost layer first */
	char *data;			/* ROOTFS_OVERLAY: the directory that stubs of the tree redirect to (since 6.16) */
	char *upper, *work;		/* NULL for a read-only root */
	bool volatile_upper;		/* no fsync on the upper: --rm containers */
	char *label;			/* ROOTFS_OVERLAY: SELinux' for everything in it; NULL: its layers' own */
};

/* A detached overlay mount (fsopen .. fsmount); no limit of the option string, no escaping. -1 with errno; which call
 * failed is in *ret_step when not NULL. No allocation: legal between clone and exec. */
int mount_overlay(const struct rootfs *rootfs, const char **ret_step);
/* The same by mount(2), for kernels before 6.5, which fail in mount_overlay with EINVAL at "lowerdir+". For a short
 * time the overlay covers its own topmost layer: only in a mount namespace that nobody shares. */
int mount_overlay_by_string(const struct rootfs *rootfs, const char **ret_step);
/* A detached mount of a file system type with "key=value" or "flag" options (NULL-terminated list). source: the device or
 * the name in the mount table; NULL: as the type. E2BIG for a value that is too long for this interface. */
int mount_new(const char *fstype, const char *source, const char *const *options, unsigned long attr_flags,
	      const char **ret_step);
/* A detached copy of the tree or file at dirfd/path (AT_EMPTY_PATH allowed through path ""). */
int mount_clone(int dirfd, const char *path, bool recursive);
/* Is the path, itself no link, where something is mounted? */
bool mount_is_point(const char *path);
/* Attaches a detached mount on an O_PATH descriptor. */
int mount_attach(int mount_fd, int target_fd);
/* Sets MOUNT_ATTR_* flags (and clears others) on a mount descriptor, recursively when asked. */
int mount_set(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);
/* The same, but flags that a mount of the host carries and that an ordinary user may not take away stay as they are. */
int mount_set_allowed(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);
/* Shows other ids: as the maps of the user namespace say. */
int mount_set_idmap(int mount_fd, int user_namespace, bool recursive);

/* One line of /proc/PID/mountinfo. */
struct mount_info {
	int id, parent;
	char *device;		/* of the file system: "8:1" */
	char *root, *point, *options, *fstype, *source, *super_options;
};
struct mount_table {
	struct mount_info *v;
	size_t n;
};
int mount_read_table(struct arena *arena, const char *mountinfo_path, struct mount_table *ret, struct error *err);

#endif
