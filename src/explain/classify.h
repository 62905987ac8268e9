/* explain/classify - which of the many causes of "Permission denied" this one is
 *
 * Pure. The order of the questions is part of the answer: what is true of several is called by the first. */
#ifndef BRYO_EXPLAIN_CLASSIFY_H
#define BRYO_EXPLAIN_CLASSIFY_H

#include "explain/permission.h"

/* Why `want` is refused; what was found is in *found. */
enum reason classify_refusal(struct arena *arena, const struct access_facts *f, const struct access_node *n, unsigned want,
			     const struct permission *found);
/* Why a capability that would let it pass (FOWNER, CHOWN) does not; otherwise: what it is called then. */
enum reason classify_owner(const struct access_facts *f, const struct access_node *n, int capability, enum reason otherwise);
/* One clause for the reader, or NULL. */
char *classify_detail(struct arena *arena, const struct access_facts *f, const struct access_node *n, unsigned want,
		      enum reason reason);

#endif
