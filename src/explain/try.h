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
/* In the calling process, with the rights that it has: 0, or the errno. */
int try_access(const struct try_request *r);

/* Where, and who. */
struct try_place {
	int user_ns, mount_ns;		/* to enter first; -1: the caller's */
	bool keep_groups;
};
/* The caller has all capabilities over both. *ret_sys: 0, or the errno of the access. */
int try_as(const struct access_process *p, const struct try_place *where, const struct try_request *r, int *ret_sys,
	   struct error *err);

#endif
