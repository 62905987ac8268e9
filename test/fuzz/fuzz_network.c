/* What images and users say about networks: modes, ports (an image's EXPOSE too), and the host's files of names. Ports
 * that were accepted lie in their range, as do all of a range. */
#include <stdint.h>
#include <stdlib.h>

#include "net/claim.h"
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ports(const struct net_request *r)
{
	for (size_t i = 0; i < r->ports.n; i++) {
		const struct net_port *p = &r->ports.v[i];

		if (p->range < 1 || p->container_port < 1 || p->container_port + p->range - 1 > 65535)
			abort();
		if (p->host_port && p->host_port + p->range - 1 > 65535)
			abort();
		if (!str_eq(p->protocol, "tcp") && !str_eq(p->protocol, "udp"))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);
	struct strings lines = strings_split(arena, text, "\n");
	struct net_request r = { .mode = NET_SLIRP4NETNS };
	struct net_result result = { .ip = "10.0.2.100", .host_ip = "192.0.2.1" };
	struct net_names names = { .hostname = "box", .name = "web" };
	struct error err = { 0 };

	for (size_t i = 0; i < lines.n && i < 64; i++)
		net_parse_port(arena, lines.v[i], &r, &err);
	check_ports(&r);
	net_parse_mode(arena, lines.v[0], &r, &err);
	net_hosts(arena, &r, &names, &result, text, &err);
	net_resolv_conf(arena, &r, &names, &result, text, &err);
	names.add_host = names.dns = lines;
	net_hosts(arena, &r, &names, &result, "", &err);
	net_resolv_conf(arena, &r, &names, &result, "", &err);
	claim_find_inode(arena, text, 80, true);
	return 0;
}
