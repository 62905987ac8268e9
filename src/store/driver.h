/* store/driver - which storage driver works here
 *
 * Each driver is really tried: the object store (a tree in memory, its contents as a data-only layer, other ids), then
 * native overlay with userxattr (mount, whiteout, opaque directory on this file system), then fuse-overlayfs (the
 * program, /dev/fuse, a mount), then vfs, which always works. What came out is kept in the
 * store's file `driver` with the kernel's release, and found out again when the kernel is another one. */
#ifndef BRYO_STORE_DRIVER_H
#define BRYO_STORE_DRIVER_H

#include "store/store.h"

/* Fills driver, driver_why and fuse_overlayfs. wanted NULL: the first that works. A driver that was asked for and does
 * not work is an error that says why. */
int driver_choose(struct arena *arena, struct store *s, const char *wanted, struct error *err);
/* mount_overlay, or on kernels before 6.5 the same by mount(2) in a new mount namespace of the caller. */
int driver_mount_overlay(const struct rootfs *rootfs, const char **ret_step);
int driver_parse(const char *name, enum store_driver *ret, struct error *err);

#endif
