/* engine/top - the processes of a container, by psgo's descriptors */
#ifndef BRYO_ENGINE_TOP_H
#define BRYO_ENGINE_TOP_H

#include "engine/container.h"

/* rows->v[0] is the header. Descriptors as one comma-separated text or several; empty: the default set. */
struct top_rows { struct strings *v; size_t n; };
int container_top(struct engine *e, const struct container *c, const struct strings *descriptors,
		  struct top_rows *ret, struct error *err);

#endif
