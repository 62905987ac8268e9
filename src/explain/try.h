/* explain/try - the access itself, as somebody else, in a process that is thrown away
 *
 * What the model says is worth what the kernel says to it. Nothing is lost by trying: files are opened without being cut,
 * what is made is removed again, what would be removed is asked for in a way that the kernel refuses last of all, and owners
 * and times are put back. */
#ifndef BRYO_EXPLAIN_TRY_H
#define BRYO_EXPLAIN_TRY_H

#include <limits.h>

#include "explain/access.h"

struct try_request {
	enum access_op op;
	uint32_t uid, gid;		/* chown, as the one who does it numbers them; ID_NONE: stays */
	mode_t mode;			/* mknod */
	char path[PATH_MAX], to[PATH_MAX];
};

/* ENAMETOOLONG is the only failure. */
int try_request_fill(struct try_request *r, enum access_op op, const char *path, const char *to, struct error *err);
/* In the calling process, with the rights that it has: 0, or the errno. What was renamed is to be renamed back by
 * try_undo, for which not everybody who may do the one has the right; try_can_undo knows before. */
int try_access(const struct try_request *r);
bool try_undo(const struct try_request *r);
bool try_can_undo(const struct try_request *r);

/* Where. Settings of the kernel are those of the namespaces that one is in, so all of them are entered. */
struct try_place {
	int user_ns;			/* -1: the caller's, or that of `process` */
	int process;			/* a pidfd of somebody in there; -1: nobody */
	int namespaces;			/* which of his: CLONE_NEW* */
	bool keep_groups;
};
/* Those of a process that are not the caller's own, but for its pids. */
int try_namespaces_of(pid_t pid);
/* The caller has all capabilities over them. *ret_sys: 0, or the errno of the access. */
int try_as(const struct access_process *p, const struct try_place *where, const struct try_request *r, int *ret_sys,
	   struct error *err);

#endif
