#include "engine/ping_groups.h"

#include "base/string.h"

#define GROUP_MAX INT32_MAX	/* the setting's */

struct ends {
	uint32_t first, last;			/* in the container */
	uint32_t host_first, host_last;		/* the same groups */
};

/* count groups from inside on, which are those from outside on. */
static void widen(struct ends *ends, uint32_t inside, uint32_t outside, uint32_t count)
{
	uint32_t beyond = count - 1;

	if (!count || inside > GROUP_MAX)
		return;
	if (beyond > GROUP_MAX - inside)
		beyond = GROUP_MAX - inside;
	if (outside <= ends->host_first) {
		ends->first = inside;
		ends->host_first = outside;
	}
	if (outside + beyond >= ends->host_last) {
		ends->last = inside + beyond;
		ends->host_last = outside + beyond;
	}
}

/* What two extents have in common: one leads to where the other begins. */
static void widen_through(struct ends *ends, const struct id_extent *own, const struct id_extent *host)
{
	uint64_t from = own->outside > host->inside ? own->outside : host->inside;
	uint64_t own_end = (uint64_t)own->outside + own->count, host_end = (uint64_t)host->inside + host->count;
	uint64_t end = own_end < host_end ? own_end : host_end;

	if (from < end)
		widen(ends, own->inside + (uint32_t)(from - own->outside), host->outside + (uint32_t)(from - host->inside),
		      (uint32_t)(end - from));
}

char *ping_groups(struct arena *arena, const struct id_map *own, const struct id_map *host)
{
	struct ends ends = { .host_first = UINT32_MAX };

	for (size_t i = 0; i < host->n; i++) {
		if (!own->n)
			widen(&ends, host->v[i].inside, host->v[i].outside, host->v[i].count);
		for (size_t k = 0; k < own->n; k++)
			widen_through(&ends, &own->v[k], &host->v[i]);
	}
	return arena_printf(arena, "%u %u", ends.first, ends.last);
}
