/* explain/reasons - why an access, or the start of a container, is refused: one code for each cause
 *
 * The codes are part of the product: they stand in messages (error[uid-shift]: ...), in JSON, and `bryo help CODE`
 * tells what is behind one. A code is never renamed. */
#ifndef BRYO_EXPLAIN_REASONS_H
#define BRYO_EXPLAIN_REASONS_H

#include <stddef.h>

enum reason {
	REASON_NONE,			/* nothing is in the way */

	/* who may enter a file or directory */
	REASON_UID_SHIFT,		/* the process is another user of the host than its number suggests */
	REASON_MODE_BITS,		/* the mode refuses, with everybody who he seems to be */
	REASON_ACL_MASK,		/* the ACL grants it, its mask takes it away */
	REASON_ACL_ENTRY,		/* an entry of the ACL names the process and does not grant it */
	REASON_ACL_WRONG_ID,		/* the ACL names the container's number, the kernel sees the host's */
	REASON_GROUP_DROPPED,		/* the user gets in as member of a group that containers drop */
	REASON_UNMAPPED_OWNER,		/* the owner has no number in the container: no capability counts */
	REASON_CAP_INERT,		/* the capability is there, and does not count: one of the ids is not mapped */
	REASON_CAP_DROPPED,		/* root without DAC_OVERRIDE or DAC_READ_SEARCH */
	REASON_SUBUID_OWNED,		/* host: made by a container, owned by a subordinate id */
	REASON_OTHER_OWNER,		/* host: it belongs to another user of this machine */

	/* what only an owner may, and what nobody may */
	REASON_NOT_OWNER,		/* chmod, set times: not the owner, no FOWNER that counts */
	REASON_CHOWN_DENIED,		/* giving away needs CHOWN over a mapped inode */
	REASON_CHOWN_UNMAPPED,		/* the new owner has no number outside */
	REASON_CREATE_UNMAPPED,		/* what would be made has no owner in that file system */
	REASON_STICKY,
	REASON_IMMUTABLE,
	REASON_APPEND_ONLY,
	REASON_BUSY_MOUNT,		/* removing or renaming over a mount point */
	REASON_PROTECTED_HARDLINK,
	REASON_PROTECTED_SYMLINK,
	REASON_PROTECTED_REGULAR,
	REASON_PROTECTED_FIFO,
	REASON_MKNOD_DEVICE,		/* real devices are never made without the machine's root */
	REASON_CROSS_MOUNT,		/* rename and link end at mounts */

	/* mounts */
	REASON_MOUNT_RO,		/* mounted read-only for this container, as it was asked for */
	REASON_HOST_MOUNT_RO,		/* the host's own mount is read-only, and locked so */
	REASON_ROOT_RO,			/* --read-only */
	REASON_MASKED_PATH,		/* hidden from containers */
	REASON_READONLY_PATH,		/* of /proc and /sys: read-only for containers */
	REASON_SYSCTL_DENIED,		/* a kernel setting that is not the container's */
	REASON_MOUNT_NOEXEC,
	REASON_HOST_MOUNT_NOEXEC,
	REASON_NO_EXEC_BIT,		/* not executable for anybody: root included */
	REASON_NODEV,			/* device nodes do not open on this mount */
	REASON_FUSE_PRIVATE,		/* FUSE without allow_other */
	REASON_NETWORK_OWNER,		/* NFS, CIFS: the server knows nothing of subordinate ids */

	/* security modules */
	REASON_SELINUX_LABEL,
	REASON_APPARMOR_PROFILE,

	/* the path itself */
	REASON_MISSING,
	REASON_ABSOLUTE_LINK,		/* a link that leads to a place which the container does not have */
	REASON_NOT_A_DIRECTORY,
	REASON_LINK_LOOP,
	REASON_EXISTS,
	REASON_IS_DIRECTORY,
	REASON_NOT_A_SOCKET,

	/* sources, before the container is there */
	REASON_SOURCE_MISSING,
	REASON_SOURCE_UNREACHABLE,

	/* the host is not set up, or no longer */
	REASON_USERNS_DISABLED,		/* max_user_namespaces is 0, or unprivileged_userns_clone */
	REASON_USERNS_APPARMOR,
	REASON_USERNS_REFUSED,		/* by seccomp, a chroot, ... */
	REASON_NEWUIDMAP_MISSING,
	REASON_NEWUIDMAP_UNPRIVILEGED,
	REASON_NO_SUBIDS,
	REASON_SUBID_OWN_ID,		/* the range contains the user's own id */
	REASON_SUBID_OVERLAP,
	REASON_SUBID_STALE,		/* the files changed after the namespace was made */
	REASON_IMAGE_OUT_OF_RANGE,	/* the image has files of ids beyond the map */
	REASON_USER_OUT_OF_RANGE,

	/* hints: it works, and not as one thinks */
	REASON_KEEP_ID_USER,		/* keep-id without uid=, and an image with another USER */
	REASON_FILE_MOUNT,		/* a single file is mounted: renaming over it is EBUSY */
	REASON_SET_ID_INERT,		/* nosuid or no_new_privs: set-id programs do nothing */

	REASON_CANNOT_TELL,		/* something could not be looked at */
	REASON_COUNT
};

struct reason_text {
	const char *code;		/* "uid-shift" */
	const char *line;		/* one line without a full stop */
	const char *paragraph;		/* for `bryo help CODE`; several sentences */
	const char *no_cure;		/* what people try and what does not help; NULL */
};

const struct reason_text *reason_text(enum reason r);
const char *reason_code(enum reason r);
/* REASON_COUNT for a word that is no code. */
enum reason reason_find(const char *code);

#endif
