/* oci/restore_root - the root file system as criu wants it: a mount of its own
 *
 * It is bound onto itself in a mount namespace that the caller is in until it has started criu, so nothing is mounted on
 * the host, and nothing is left when either is killed. */
#ifndef BRYO_OCI_RESTORE_ROOT_H
#define BRYO_OCI_RESTORE_ROOT_H

#include "base/error.h"

struct restore_root { int ns, root, here; };	/* what the caller goes back to */

/* criu reads its images also as root of a user namespace that it makes again. So, for the time of the restore, the group of
 * that root may enter their directory. */
struct restore_access { int fd; unsigned gid, mode; };	/* what it had; fd -1: nothing was changed */
void restore_access_open(struct restore_access *a, int images_fd, unsigned root_gid);
void restore_access_close(struct restore_access *a);

int restore_root_enter(struct restore_root *r, const char *rootfs, struct error *err);
/* May be called again. */
int restore_root_leave(struct restore_root *r, struct error *err);

#endif
