/* explain/batch - many situations at once: what the model says of each, and what the kernel says
 *
 * One JSON object a line: path, access, arg, uid, gid, groups, keepGroups, caps, userns (as --userns), and mount with
 * options: a directory that is mounted over itself with these flags for the time of the question. Files are as they are.
 * Nothing is printed here. */
#ifndef BRYO_EXPLAIN_BATCH_H
#define BRYO_EXPLAIN_BATCH_H

#include "explain/explain.h"

struct batch_result {
	size_t situations, allowed, denied, unknown;
	size_t blocked_twice;			/* more than one thing in the way */
	struct { const char *code; size_t n; } reasons[REASON_COUNT];
	struct strings disagreements;		/* one line each */
};

int explain_batch(struct explain *x, const char *text, struct batch_result *ret, struct error *err);

#endif
