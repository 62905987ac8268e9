/* The words of `network create` become a record */
#include "engine/network_describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static struct strings words(const char *text)
{
	return text ? strings_split(arena, text, " ") : (struct strings){ 0 };
}

static void subnets_gateways_and_ranges(void **state)
{
	static const struct { const char *subnets, *gateways, *ranges, *all; } cases[] = {
		{ "10.1.0.0/24", NULL, NULL, "10.1.0.0/24 - - -" },
		{ "10.1.0.7/24 FD00:1::9/64", NULL, NULL, "10.1.0.0/24 - - -; fd00:1::/64 - - -" },
		{ "10.1.0.0/24", "10.1.0.9", "10.1.0.128/25", "10.1.0.0/24 10.1.0.9 10.1.0.129 10.1.0.255" },
		{ "10.1.0.0/24", NULL, "10.1.0.50-10.1.0.99", "10.1.0.0/24 - 10.1.0.50 10.1.0.99" },
		/* As in Docker each goes to the subnet that it lies in, in whatever order. */
		{ "10.1.0.0/24 fd00::/64", "fd00::5", NULL, "10.1.0.0/24 - - -; fd00::/64 fd00::5 - -" },
		{ "10.1.0.0/24 10.2.0.0/24", "10.2.0.1 10.1.0.1", "10.2.0.0/25", "10.1.0.0/24 10.1.0.1 - -; 10.2.0.0/24 10.2.0.1 "
		  "10.2.0.1 10.2.0.127" },
		/* What lies in none is left for the check. */
		{ "10.1.0.0/24", "10.9.0.1", NULL, "10.1.0.0/24 10.9.0.1 - -" },
		{ "nonsense", NULL, NULL, "nonsense - - -" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct network_create_request r = { .subnets = words(cases[i].subnets), .gateways = words(cases[i].gateways),
						    .ip_ranges = words(cases[i].ranges) };
		struct strings texts = { 0 };
		struct error err = { 0 };
		struct network n;

		if (network_describe(arena, &r, &n, &err) < 0)
			fail_msg("%s: %s", cases[i].all, err.text);
		for (size_t k = 0; k < n.subnets.n; k++) {
			const struct network_subnet *s = &n.subnets.v[k];

			strings_addf(arena, &texts, "%s %s %s %s", s->subnet, s->gateway ? s->gateway : "-",
				     s->lease_range ? s->lease_range->start_ip : "-", s->lease_range ? s->lease_range->end_ip : "-");
		}
		assert_string_equal(strings_join(arena, &texts, "; "), cases[i].all);
	}
}

static void refuses(void **state)
{
	static const struct { const char *subnets, *gateways, *ranges, *why; } cases[] = {
		{ NULL, "10.1.0.1", NULL, "cannot set gateway or range without subnet" },
		{ NULL, NULL, "10.1.0.0/24", "cannot set gateway or range without subnet" },
		{ "10.1.0.0/24", "10.1.0.1 10.1.0.2", NULL, "cannot set more gateways than subnets" },
		{ "10.1.0.0/24", NULL, "10.1.0.0/25 10.1.0.128/25", "cannot set more ranges than subnets" },
		{ "10.1.0.0/24 10.2.0.0/24", "10.1.0.1 10.1.0.2", NULL, "subnet 10.1.0.0/24 cannot have two gateways" },
		{ "10.1.0.0/24 10.2.0.0/24", NULL, "10.1.0.0/25 10.1.0.128/25", "subnet 10.1.0.0/24 cannot have two ranges" },
		{ "10.1.0.0/24", "x", NULL, "invalid string being converted to IP address: x" },
		{ "10.1.0.0/24", NULL, "x", "invalid CIDR address: x" },
		{ "10.1.0.0/24", NULL, "x-10.1.0.9", "range start ip \"x\" is not a ip address" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct network_create_request r = { .subnets = words(cases[i].subnets), .gateways = words(cases[i].gateways),
						    .ip_ranges = words(cases[i].ranges) };
		struct error err = { 0 };
		struct network n;

		assert_int_equal(network_describe(arena, &r, &n, &err), -1);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].why, err.text);
	}
}

static void options_labels_and_routes(void **state)
{
	struct network_create_request r = {
		.options = words("com.docker.network.bridge.name=shop0 com.docker.network.driver.mtu=1400 isolate=true vlan"),
		.labels = words("a=b c d=e=f"), .routes = words("192.0.2.0/24,10.1.0.5 198.51.100.0/24,10.1.0.6,7"),
	};
	struct error err = { 0 };
	struct network n;

	assert_int_equal(network_describe(arena, &r, &n, &err), 0);
	assert_string_equal(n.driver, "bridge");
	assert_string_equal(n.interface, "shop0");
	assert_string_equal(map_get(&n.options, "mtu"), "1400");
	assert_string_equal(map_get(&n.options, "isolate"), "true");
	assert_string_equal(map_get(&n.options, "vlan"), "");
	assert_string_equal(map_get(&n.labels, "c"), "");
	assert_string_equal(map_get(&n.labels, "d"), "e=f");
	assert_null(n.routes.v[0].metric);
	assert_true(*n.routes.v[1].metric == 7);
	assert_true(n.dns_enabled);
	assert_null(n.name);

	r = (struct network_create_request){ .driver = arena_strdup(arena, "macvlan"), .options = words("parent=eth0 mode=vepa") };
	assert_int_equal(network_describe(arena, &r, &n, &err), 0);
	assert_string_equal(n.interface, "eth0");
	assert_false(n.dns_enabled);

	r = (struct network_create_request){ .labels = words("=b") };
	assert_int_equal(network_describe(arena, &r, &n, &err), -1);
	assert_string_equal(err.text, "failed to parse labels: invalid label format: \"=b\"");
	r = (struct network_create_request){ .routes = words("192.0.2.0/24") };
	assert_int_equal(network_describe(arena, &r, &n, &err), -1);
	r = (struct network_create_request){ .routes = words("192.0.2.0/24,10.1.0.5,x") };
	assert_int_equal(network_describe(arena, &r, &n, &err), -1);
	r = (struct network_create_request){ .dns = words("192.0.2.1"), .disable_dns = true };
	assert_int_equal(network_describe(arena, &r, &n, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subnets_gateways_and_ranges), cmocka_unit_test(refuses), cmocka_unit_test(options_labels_and_routes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
