/* explain/verdict - the answer of the model: will the kernel allow an access, what is in the way, what would change it
 *
 * Made by access_decide, its fixes by fix_propose; read by whoever prints. Everything lives in the question's arena. */
#ifndef BRYO_EXPLAIN_VERDICT_H
#define BRYO_EXPLAIN_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/json.h"
#include "explain/reasons.h"
#include "sys/idmap.h"

enum verdict_kind { VERDICT_ALLOWED, VERDICT_DENIED, VERDICT_UNKNOWN };	/* also the exit code: 0, 1, 2 */

/* Whose bits of a mode or ACL the kernel looked at. */
enum verdict_class { CLASS_NONE, CLASS_OWNER, CLASS_ACL_USER, CLASS_GROUP, CLASS_ACL_GROUP, CLASS_OTHER };

/* One thing in the way. The first one is what the kernel stumbles over; the others come to light once it is gone. */
struct verdict_block {
	enum reason reason;
	int sys;			/* EACCES, EPERM, EROFS, ... */
	bool certain;			/* false: a security module or a server has the last word */
	char *container, *host;		/* the component; NULL: it has no path on that side */
	bool is_parent;			/* a directory on the way or the one that is changed, not the object itself */
	mode_t mode;			/* with the kind; 0: the object is not there */
	uint32_t host_uid, host_gid;	/* what it really belongs to; ID_NONE: unknown */
	uint32_t uid, gid;		/* how it looks in there: 65534 when not mapped */
	enum verdict_class class;	/* CLASS_NONE: no bits were looked at */
	uint8_t has, wants;		/* rwx as 4 2 1 of this class, after the mask */
	char *detail;			/* about this very case: "its ACL grants rw-, the mask is r--"; NULL */
};

struct id_list { uint32_t *v; size_t n; };

/* Who does it. */
struct verdict_subject {
	bool on_host;			/* side host: both pairs of ids are the same */
	uint32_t uid, gid, host_uid, host_gid;
	struct id_list groups, host_groups;
	struct id_list dropped_groups;	/* the invoking user's, which the process does not have */
	uint64_t capabilities;		/* effective */
	struct id_maps maps;		/* container to host, in order of container ids; for the picture */
	uint32_t user_uid, user_gid;	/* the invoking user, on the host */
	struct id_maps rootless;	/* the user's own ids: 0 is he, then the subordinate ranges */
};

/* What may be pasted. A fix is one or several of these together, all of them needed. */
struct verdict_fix {
	char *id;			/* "keep-id", "drop-user", "acl", "group-write", "chown-volume", ... */
	char *run;			/* the whole run line, changed; NULL */
	struct strings run_add, run_drop;	/* the options of that which are new, and those that went */
	char *host;			/* a command for the user on the host; NULL */
	char *admin;			/* a command for the administrator; NULL. Only when nothing rootless helps */
	char *effect;			/* what it means: "files stay yours", "you lose write access to it" */
};

struct verdict {
	enum verdict_kind kind;
	int sys;			/* of the first block; 0 */
	enum reason reason;		/* of the first block, or why it cannot be told */
	char *access;			/* "write" */
	char *path, *host_path;		/* as asked; where it really is on the host (NULL: nowhere) */
	struct verdict_subject subject;
	ARRAY(struct verdict_block) blocks;
	ARRAY(struct verdict_fix) fixes;
	struct strings not_fixes;	/* what people try, and what does not help here */
	struct strings notes;		/* what is true besides: hints, doubts */

	/* --try: what the kernel said */
	bool tried;
	int tried_sys;			/* 0: it works */
	bool disagrees;			/* a bug of the model */
};

/* {"verdict":"allowed|denied|error","errno":N,"reason":CODE,"block":{...},"fixes":[...],...}; error: it cannot tell. */
struct json *verdict_json(struct arena *arena, const struct verdict *v);
const char *verdict_class_name(enum verdict_class class);

#endif
