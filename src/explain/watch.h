/* explain/watch - the calls of a container that the kernel refuses, as they happen
 *
 * A tracer (ptrace(2)) beside the container sees each system call with a path return: only so is it known which were really
 * refused (EACCES, EPERM, EROFS), whatever decided it. It slows the container down and is for `run --explain` alone. A filter that
 * notifies would be cheaper, and sees calls before they are made, when nobody knows yet what becomes of them. */
#ifndef BRYO_EXPLAIN_WATCH_H
#define BRYO_EXPLAIN_WATCH_H

#include <sys/types.h>

#include "explain/access.h"

struct watch_refusal {
	enum access_op op;
	int sys;
	uint32_t uid, gid;		/* of the process, in the container; ID_NONE: unknown */
	char *path;			/* in the container, absolute */
};

struct watch {
	pid_t tracer;			/* 0: none */
	int records;
};

/* The container's first process waits before it becomes the command. */
int watch_start(struct watch *ret, pid_t first, struct error *err);
/* After its end: each refusal once, in their order. */
struct watch_refusals { struct watch_refusal *v; size_t n; };
int watch_end(struct arena *arena, struct watch *w, struct watch_refusals *ret, struct error *err);

#endif
