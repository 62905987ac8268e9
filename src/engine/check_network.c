/* `system check`: records of networks, and containers whose network is missing */
#include "engine/check_part.h"
#include "engine/network_list.h"
#include "net/net.h"

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

static void check_container(struct check *c, const struct container *one)
{
	struct net_request r = { 0 };
	struct network n;

	for (size_t i = 0; i < one->request.network.n; i++)
		if (net_parse_mode(c->e->arena, one->request.network.v[i], &r, NULL) < 0)
			return;
	for (size_t i = 0; i < r.networks.n; i++) {
		struct error why = { 0 };

		if (network_find(c->e->arena, &c->e->store, r.networks.v[i].network, &n, &why) == 0 || !error_is(&why, ERROR_NOT_FOUND))
			continue;
		check_cure(c, check_add(c, "container", one->id, one->name, "its network %s is missing", r.networks.v[i].network),
			   "make it again: bryo network create %s", r.networks.v[i].network);
	}
}

void check_networks(struct check *c)
{
	struct networks networks;

	if (network_list(c->e->arena, &c->e->store, &networks, NULL) < 0)
		return;
	c->report->networks = networks.n + networks.broken.n;
	check_records(c, &networks.broken);
	for (size_t i = 0; i < c->containers.n; i++)
		check_container(c, &c->containers.v[i]);
}
