/* store/fuse_overlayfs - the fuse-overlayfs program: one process a mounted container root
 *
 * The process runs in the foreground of nobody (its own process group, no terminal) and serves the mount until it is
 * told to end or the mount is gone. */
#ifndef BRYO_STORE_FUSE_OVERLAYFS_H
#define BRYO_STORE_FUSE_OVERLAYFS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "sys/mount.h"

/* The program's path; ERROR_UNSUPPORTED with the cure when it is not installed. */
char *fuse_overlayfs_find(struct arena *arena, struct error *err);
/* Mounts rootfs (lower, upper, work) at target, an absolute path, in the caller's mount namespace and waits until the
 * mount is there. with_caller: the process ends when the caller does; otherwise it is nobody's child. */
int fuse_overlayfs_mount(struct arena *arena, const char *program, const struct rootfs *rootfs, const char *target,
			 bool with_caller, pid_t *ret_pid, struct error *err);

#endif
