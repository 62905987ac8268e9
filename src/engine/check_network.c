/* `system check`: records of networks, and containers whose network is missing */
#include "engine/check_part.h"
#include "engine/network_list.h"

static void check_records(struct check *c, const struct strings *broken)
{
	for (size_t i = 0; i < broken->n; i++) {
		struct check_finding *f = check_add(c, "network", broken->v[i], NULL, "its record is damaged");
		struct error why = { 0 };

		if (c->o->repair && c->o->force)
			check_mended(c, f, network_discard(&c->e->store, broken->v[i], &why), "removed", &why);
		else
			check_cure(c, f, "make it again: bryo network rm %s, then bryo network create", broken->v[i]);
	}
}

void check_networks(struct check *c)
{
	struct networks networks;

	if (network_list(c->e->arena, &c->e->store, &networks, NULL) < 0)
		return;
	c->report->networks = networks.n + networks.broken.n;
	check_records(c, &networks.broken);
}
