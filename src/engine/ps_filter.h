/* engine/ps_filter - which containers `ps --filter KEY=VALUE` lists
 *
 * The same key twice means or, different keys mean and; every label is wanted. */
#ifndef BRYO_ENGINE_PS_FILTER_H
#define BRYO_ENGINE_PS_FILTER_H

#include "engine/container.h"

struct ps_row {
	const struct container *c;
	struct container_state s;
};

struct ps_filter {
	struct engine *e;
	int64_t now;
};

/* 1 passes, 0 does not, -1 a filter is wrong. */
int ps_filter_passes(const struct ps_filter *in, const struct ps_row *r, const struct strings *filters, struct error *err);
/* Wrong filters are refused even when there is nothing that they could match. */
int ps_filter_check(const struct ps_filter *in, const struct strings *filters, struct error *err);
/* A filter by status or exit code asks for containers that do not run, too. */
bool ps_filter_names_status(const struct strings *filters);

#endif
