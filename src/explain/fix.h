/* explain/fix - what would make it work, proved by the model
 *
 * Each candidate changes a copy of the facts as its option or command would change the world; those are kept with which
 * access_decide says "allowed". Where no single one is enough, several are joined, as few as possible. What only an
 * administrator can do is proposed when nothing else helps. Nothing that opens more than was asked for is a candidate:
 * no rights for everybody, no --privileged, no label=disable. */
#ifndef BRYO_EXPLAIN_FIX_H
#define BRYO_EXPLAIN_FIX_H

#include "engine/create_request.h"
#include "explain/access.h"
#include "explain/run_line.h"

struct fix_source {
	const struct create_request *request;	/* NULL: side host */
	struct run_line line;
	const char *home;
	/* Who the process of a changed request would be. */
	int (*process)(void *context, const struct create_request *r, struct access_process *ret, struct error *err);
	void *context;
};

/* Fills fixes and not_fixes of a verdict that is not "allowed". */
void fix_propose(struct arena *arena, const struct access_facts *facts, const struct fix_source *source,
		 struct verdict *v);

#endif
