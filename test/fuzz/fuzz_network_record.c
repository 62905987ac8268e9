/* A network's record as a file may have it. What was accepted is written and read again, and its numbers lie where they
 * must. Each line is also an address, a prefix and an interface's address. */
#include "spec/network.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_subnet(const struct network_subnet *s)
{
	if (!ip_is_network(&s->prefix) || !ip_has(&s->prefix, &s->lease.first) || !ip_has(&s->prefix, &s->lease.last) ||
	    ip_range_count(&s->lease) < 1 || (s->gateway && !ip_has(&s->prefix, &s->gateway_ip)))
		abort();
}

static void check_record(struct arena *arena, const char *text, size_t size)
{
	struct network n, again;
	char *written;

	if (network_decode(arena, text, size, "record", &n, NULL) < 0)
		return;
	if (strchr(n.name, '/') || strlen(n.id) != 64 || (n.interface && strlen(n.interface) > NETWORK_INTERFACE_MAX) ||
	    network_mtu(&n) > 65535)
		abort();
	for (size_t i = 0; i < n.subnets.n; i++)
		check_subnet(&n.subnets.v[i]);
	written = network_print(arena, &n);
	if (network_decode(arena, written, strlen(written), "record", &again, NULL) < 0 ||
	    !str_eq(written, network_print(arena, &again)))
		abort();
}

static void check_line(struct arena *arena, const char *line)
{
	struct ip_address a, b;
	struct ip_prefix p;
	uint8_t mac[6];

	network_parse_mac(line, mac);
	if (ip_parse(line, &a) && (!ip_parse(ip_text(arena, &a), &b) || ip_compare(&a, &b) != 0))
		abort();
	if (ip_parse_prefix(line, &p)) {
		struct ip_range r = { ip_first(&p), ip_last(&p) };

		if (!ip_range_has(&r, &p.address) || !ip_overlap(&p, &p) || ip_range_count(&r) < 1)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);
	struct strings lines = strings_split(arena, text, "\n");

	check_record(arena, text, strlen(text));
	for (size_t i = 0; i < lines.n && i < 64; i++)
		check_line(arena, lines.v[i]);
	return 0;
}
