/* explain/unstarted - why a container would not even start, as far as it is a matter of rights */
#ifndef BRYO_EXPLAIN_UNSTARTED_H
#define BRYO_EXPLAIN_UNSTARTED_H

#include "explain/facts.h"

/* A source that the user himself does not reach, or an id that the map does not have. false: it is something else. */
bool unstarted_explain(struct engine *e, const struct outside *o, const struct create_request *r,
		       const struct facts_question *q, struct verdict *ret);

#endif
