#include "engine/network_update.h"

#include "engine/network_bridge.h"
#include "net/names.h"
#include "store/network.h"
#include "sys/fd.h"

static int check_servers(const struct strings *servers, const char *flag, struct error *err)
{
	struct ip_address a;

	for (size_t i = 0; i < servers->n; i++)
		if (!ip_parse(servers->v[i], &a))
			return error_set(err, ERROR_USAGE, "--%s: unable to parse ip %s", flag, servers->v[i]);
	return 0;
}

/* Canonical, so that two spellings of one address are one. */
static char *canonical(struct arena *arena, const char *text)
{
	struct ip_address a;

	return ip_parse(text, &a) ? ip_text(arena, &a) : arena_strdup(arena, text);
}

static int change(struct arena *arena, const struct network_update_request *r, struct network *n, struct error *err)
{
	struct strings servers = { 0 }, dropped = { 0 };

	for (size_t i = 0; i < r->dns_drop.n; i++)
		strings_add(arena, &dropped, canonical(arena, r->dns_drop.v[i]));
	for (size_t i = 0; i < n->dns_servers.n; i++)
		if (!strings_has(&dropped, canonical(arena, n->dns_servers.v[i])))
			strings_add(arena, &servers, canonical(arena, n->dns_servers.v[i]));
	if (servers.n + dropped.n > n->dns_servers.n)
		return error_set(err, ERROR_USAGE, "network %s does not have all of the servers %s", n->name,
				 strings_join(arena, &dropped, ", "));
	for (size_t i = 0; i < r->dns_add.n; i++)
		if (!strings_has(&servers, canonical(arena, r->dns_add.v[i])))
			strings_add(arena, &servers, canonical(arena, r->dns_add.v[i]));
	n->dns_servers = servers;
	return 0;
}

int network_update(struct engine *e, const char *name, const struct network_update_request *r, struct error *err)
{
	_cleanup_fd_ int lock = network_lock(&e->store, LOCK_EXCLUSIVE, err);
	struct network n;

	if (lock < 0 || network_find(e->arena, &e->store, name, &n, err) < 0)
		return -1;
	if (!r->dns_add.n && !r->dns_drop.n)
		return error_set(err, ERROR_USAGE, "nothing to change: use --dns-add or --dns-drop");
	if (check_servers(&r->dns_add, "dns-add", err) < 0 || check_servers(&r->dns_drop, "dns-drop", err) < 0)
		return -1;
	if (!n.dns_enabled) {
		error_set(err, ERROR_STATE, "DNS is not enabled for network %s", n.name);
		return error_hint(err, "its containers ask the host's servers; a network with DNS is made by: bryo network create NAME");
	}
	if (change(e->arena, r, &n, err) < 0 || network_write(e->arena, &e->store, &n, err) < 0)
		return -1;
	return names_change_servers(e->arena, network_bridge_home(e), &n, err);
}
