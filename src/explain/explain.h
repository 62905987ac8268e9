/* explain/explain - one question answered: facts gathered, decided, fixes proved, and on demand tried
 *
 * The three sides from which it is asked: a run line, a container that is there, the user himself on the host. */
#ifndef BRYO_EXPLAIN_EXPLAIN_H
#define BRYO_EXPLAIN_EXPLAIN_H

#include "explain/facts.h"
#include "explain/fix.h"

struct explain {
	struct engine *e;		/* open */
	struct outside outside;		/* of outside_start, before the engine was opened */
	bool try;			/* also do it, and compare */
};

int explain_run(struct explain *x, const struct create_request *r, const struct run_line *line,
		const struct facts_question *q, struct verdict *ret, struct error *err);
int explain_container(struct explain *x, struct container *c, const struct facts_question *q, struct verdict *ret,
		      struct error *err);
int explain_host(struct explain *x, const struct facts_question *q, struct verdict *ret, struct error *err);

#endif
