/* net/names_zone - the text of a zone, as aardvark-dns reads it
 *
 * Each zone says whom to ask for other names, so that the resolv.conf of the host does not matter: its servers may be on a
 * loopback that is not this namespace's. */
#include "net/gateway.h"
#include "net/names.h"

static void add_all(struct arena *arena, struct strings *list, const struct bridge_endpoint *e, enum ip_family family)
{
	for (size_t i = 0; i < e->addresses.n; i++) {
		struct ip_address a;

		if (ip_parse(e->addresses.v[i].ip, &a) && a.family == family)
			strings_add(arena, list, e->addresses.v[i].ip);
	}
}

char *names_head(struct arena *arena, const struct network *n)
{
	struct strings own = { 0 }, servers = n->dns_servers;

	for (size_t i = 0; i < n->subnets.n; i++)
		if (n->subnets.v[i].gateway_ip.family != IP_NONE)
			strings_add(arena, &own, n->subnets.v[i].gateway);
	/* Questions are a way out, too: where there shall be none nobody answers. */
	if (n->internal)
		servers = (struct strings){ 0 };
	if (!servers.n)
		strings_add(arena, &servers, n->internal ? "127.0.0.1" : GATEWAY_DNS);
	return arena_printf(arena, "%s %s", strings_join(arena, &own, ","), strings_join(arena, &servers, ","));
}

char *names_line(struct arena *arena, const struct names_entry *e)
{
	struct strings v4 = { 0 }, v6 = { 0 };
	bool own_servers = e->servers && e->servers->n;

	add_all(arena, &v4, e->endpoint, IP_V4);
	add_all(arena, &v6, e->endpoint, IP_V6);
	return arena_printf(arena, "%s %s %s %s%s%s", e->id, strings_join(arena, &v4, ","), strings_join(arena, &v6, ","),
			    strings_join(arena, e->names, ","), own_servers ? " " : "",
			    own_servers ? strings_join(arena, e->servers, ",") : "");
}

char *names_zone(struct arena *arena, const char *text, const char *head, const char *id, const char *line,
		 bool (*lives)(void *context, const char *id), void *context)
{
	struct strings old = strings_split(arena, text, "\n"), kept = { 0 };

	strings_add(arena, &kept, head ? head : old.v[0]);
	for (size_t i = 1; i < old.n; i++) {
		const char *owner = arena_strndup(arena, old.v[i], strcspn(old.v[i], " "));

		if (*owner && !str_eq(owner, id) && lives(context, owner))
			strings_add(arena, &kept, old.v[i]);
	}
	if (line)
		strings_add(arena, &kept, line);
	return kept.n > 1 ? arena_printf(arena, "%s\n", strings_join(arena, &kept, "\n")) : NULL;
}
