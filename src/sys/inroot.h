/* sys/inroot - the one way into a container's file tree
 *
 * A path that came from an image, a request or a container is resolved with openat2(RESOLVE_IN_ROOT |
 * RESOLVE_NO_MAGICLINKS) below a root descriptor; absolute links and ".." stay inside. No other module turns a
 * container path into a host path. Missing parts are created by the same walker, one component at a time. */
#ifndef BRYO_SYS_INROOT_H
#define BRYO_SYS_INROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* openat2 in root; flags get O_CLOEXEC. -1 with errno. */
int inroot_open(int root, const char *path, int flags, mode_t mode);
/* An O_PATH descriptor of the directory, created (with parents, mode, owned by the caller) where missing. Existing
 * links inside the root are followed. */
int inroot_mkdirs(int root, const char *path, mode_t mode);
/* An O_PATH descriptor of an existing file or directory, or of an empty regular file created with its parents: the
 * target of a bind mount. want_dir says what to create when missing; EISDIR/ENOTDIR when the kinds differ. */
int inroot_mountpoint(int root, const char *path, bool want_dir);
/* The parent directory of path (opened, with links resolved) and the last component ("." for "/"); for create,
 * unlink, rename. The name points into a copy in the arena. */
int inroot_parent(struct arena *arena, int root, const char *path, bool create, const char **ret_name);
int inroot_stat(int root, const char *path, struct stat *ret, bool follow_last);
/* A regular file's content, at most limit bytes; FIFOs, devices and directories are refused (EINVAL). */
char *inroot_read_file(struct arena *arena, int root, const char *path, size_t limit, size_t *ret_size);
/* Where path really is inside the root, links resolved ("/var/run/x" -> "/run/x"). NULL with errno. */
char *inroot_real_path(struct arena *arena, int root, const char *path);

#endif
