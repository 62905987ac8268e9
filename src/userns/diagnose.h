/* userns/diagnose - why a rootless namespace cannot be made, and what cures it
 *
 * Facts are collected by one function and judged by another, so that each cause can be tested on any host. */
#ifndef BRYO_USERNS_DIAGNOSE_H
#define BRYO_USERNS_DIAGNOSE_H

#include "userns/subid.h"

struct helper_facts {
	const char *name;		/* "newuidmap" */
	char *path;			/* NULL: not found */
	bool setuid_root;		/* owner root and the setuid bit */
	bool file_caps;			/* security.capability instead */
	char *nosuid_mount;		/* mount point when it is mounted nosuid, NULL otherwise */
};

struct userns_facts {
	uid_t uid;
	char *user;
	char *program;			/* the running bryo */
	char *apparmor_profile;		/* that confines it; NULL */
	int clone_errno;		/* of a tried clone(CLONE_NEWUSER); 0 when it worked */
	bool stripped;			/* it worked, but the child had no capabilities to use there */
	int64_t max_user_namespaces, userns_clone, apparmor_restrict;	/* sysctls; -1 where the kernel has none */
	bool seccomp_filter, no_new_privs, chrooted;
	struct helper_facts helpers[2];
	struct subid_file subuid, subgid;
	bool from_nss;			/* the files are not asked */
	size_t nss_uids, nss_gids;
};

int diagnose_collect(struct arena *arena, const struct identity *id, struct userns_facts *ret, struct error *err);
/* The questions in their order: each makes sense when those before it have good answers. */
enum diagnose_part { DIAGNOSE_KERNEL, DIAGNOSE_RANGES, DIAGNOSE_HELPERS, DIAGNOSE_OVERLAP, DIAGNOSE_PARTS };
int diagnose_part(struct arena *arena, const struct userns_facts *f, enum diagnose_part part, struct error *err);
/* Sets err to the first cause of all parts: 0 when there is none. */
int diagnose_judge(struct arena *arena, const struct userns_facts *f, struct error *err);
/* The cause and its cure in one line, for a warning. */
char *diagnose_line(struct arena *arena, const struct error *cause);
/* Not a fault, worth saying: too few ids, ranges that contain the own id. NULL without one. */
char *diagnose_note(struct arena *arena, const struct userns_facts *f);

#endif
