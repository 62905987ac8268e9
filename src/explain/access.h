/* explain/access - what the kernel will decide about an access, computed from facts
 *
 * Pure: no file is opened and nothing is asked here. Collectors (facts_*) gather the facts, access_decide follows the
 * kernel's own order, and goes on after the first refusal, so that all that is in the way is known at once. It knows
 * nothing of run lines and containers: only of processes, inodes and mounts.
 *
 * All ids of inodes and mounts are those of the host (of the machine as this user sees it), but for inodes of a mount
 * with own_ids, whose ids are the container's: the files of an image, a tmpfs. So a changed id map moves them along.
 *
 * Sources: fs/namei.c, fs/attr.c, fs/open.c, fs/posix_acl.c and fs/fuse/dir.c of Linux 6.1 to 6.18. */
#ifndef BRYO_EXPLAIN_ACCESS_H
#define BRYO_EXPLAIN_ACCESS_H

#include "explain/verdict.h"

enum access_op {
	ACCESS_READ, ACCESS_WRITE, ACCESS_APPEND, ACCESS_EXEC, ACCESS_LIST, ACCESS_SEARCH, ACCESS_CONNECT,
	ACCESS_CREATE, ACCESS_MKDIR, ACCESS_SYMLINK, ACCESS_MKNOD, ACCESS_LINK,
	ACCESS_UNLINK, ACCESS_RMDIR, ACCESS_RENAME,
	ACCESS_CHMOD, ACCESS_CHOWN, ACCESS_UTIMES, ACCESS_TOUCH,
	ACCESS_COUNT
};

struct access_acl_entry {
	uint16_t tag;			/* ACL_USER_OBJ ... of access.c: the kernel's numbers */
	uint8_t perm;			/* 4 2 1 */
	uint32_t id;			/* of users and groups */
};

struct access_acl { struct access_acl_entry *v; size_t n; };

/* Why a flag of a mount is set. */
enum access_cause {
	CAUSE_REQUEST,			/* the run line says so: :ro, noexec */
	CAUSE_LOCKED,			/* the host's own mount has it */
	CAUSE_ROOT,			/* --read-only */
	CAUSE_MASKED, CAUSE_READONLY_PATH,
};

struct access_mount {
	char *container, *host;		/* where it is; what of the host it shows (NULL: nothing) */
	char *fstype;
	bool read_only, no_exec, no_dev, no_links, no_set_id;
	enum access_cause read_only_cause, no_exec_cause;
	bool super_read_only;		/* the file system, not only this view of it */
	bool own_ids;			/* owners are numbers of the container */
	bool in_user_namespace;		/* made by one: device nodes never open */
	bool fuse, fuse_others, fuse_checks;	/* allow_other, default_permissions */
	uint32_t fuse_uid, fuse_gid;
	bool network;			/* the server decides */
	char *word;			/* of the run line: "~/data:/data:ro"; NULL */
};

struct access_node {
	char *container, *host;		/* its path on each side; NULL: none */
	mode_t mode;
	uint32_t uid, gid;
	struct access_acl acl;		/* empty: only the mode */
	bool immutable, append_only;
	bool covered;			/* in the container something is mounted over it */
	bool setting;			/* of the kernel, below /proc/sys */
	bool unseen;			/* it is there and could not be looked at */
	char *label;			/* SELinux; NULL */
	const struct access_mount *mount;
};

/* One path as the kernel walks it. */
struct access_path {
	char *text;
	ARRAY(struct access_node) searched;	/* the directories that need x, in order; the last is the parent */
	struct access_node target;	/* mode 0: not there */
	/* The link that a path which is followed ended in, and the directory that it is in; NULL: none. */
	struct access_node *link, *link_parent;
	enum reason broken;		/* the walk ended before the target: REASON_MISSING, ABSOLUTE_LINK, ... */
	char *broken_at;		/* in the container; and why, for the reader */
	char *broken_text;
	char *lost_link;		/* the target is missing behind a link to an absolute path: "/x -> /y"; NULL */
};

struct access_process {
	uint32_t uid, gid;		/* in the container */
	uint32_t host_uid, host_gid;
	struct id_list groups, host_groups;	/* host_groups: also those that have no number in the container */
	uint64_t capabilities;
	struct id_maps maps;		/* container to host; none: of the host, where all ids are */
	bool no_new_privileges;
	char *selinux_label, *apparmor;	/* NULL: not confined */
};

struct access_facts {
	bool on_host;
	enum access_op op;
	struct access_process process;
	struct access_path path, to;	/* to: rename, link: the new name (link: path is what is linked) */
	uint32_t new_uid, new_gid;	/* chown, in the container; ID_NONE: stays */
	mode_t new_mode;		/* mknod: the kind */

	uint32_t user_uid, user_gid;	/* the invoking user */
	struct id_list user_groups;
	struct id_maps rootless;	/* his ids */

	bool protected_hardlinks, protected_symlinks;
	int protected_regular, protected_fifos;
	bool selinux_enforcing;
};

const char *access_op_name(enum access_op op);
/* ACCESS_COUNT for an unknown word. */
enum access_op access_op_find(const char *name);
/* Whether a link at the end of the path is followed, and whether the target has to be there. */
bool access_op_follows(enum access_op op);

/* Fills everything but fixes. */
void access_decide(struct arena *arena, const struct access_facts *facts, struct verdict *ret);

#endif
