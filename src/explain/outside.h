/* explain/outside - a look at files with the user's own eyes
 *
 * Inside of the rootless namespace all owners that it has no number for look alike (65534), and inside alone is seen what is
 * closed to the user: both views are needed. A child that is started before the command joins the namespace stays outside,
 * answers, and ends with the one who asks. */
#ifndef BRYO_EXPLAIN_OUTSIDE_H
#define BRYO_EXPLAIN_OUTSIDE_H

#include <sys/types.h>

#include "explain/try.h"

struct outside {
	int fd;				/* 0 or less: nobody is there to ask */
	pid_t pid;
};

int outside_start(struct outside *ret, struct error *err);
void outside_done(struct outside *o);

struct outside_view {
	int sys;			/* 0, or why it is not seen: EACCES, ENOENT */
	uint64_t dev, ino;
	uint32_t uid, gid;		/* ID_NONE: the user's own namespace has no number for it either */
	struct access_acl acl;
};
/* The inode at an absolute path; no link is followed at its end. */
void outside_look(const struct outside *o, struct arena *arena, const char *path, struct outside_view *ret);
/* try_access as the user; ENOTCONN when nobody is there. */
int outside_try(const struct outside *o, const struct try_request *r);

#endif
