#include "spec/network_pool.h"

#include "base/string.h"

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

/* "10.0.0.0/8 10.1.0.0/16" */
static struct ip_prefixes prefixes(const char *text)
{
	struct strings words = strings_split(arena, text, " ");
	struct ip_prefixes list = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (*words.v[i] && !ip_parse_prefix(words.v[i], ARRAY_ADD(arena, &list)))
			fail_msg("%s is a prefix", words.v[i]);
	return list;
}

static void the_first_free_subnet(void **state)
{
	static const struct { const char *used, *chosen; } cases[] = {
		{ "", "10.89.0.0/24" },
		{ "192.168.0.0/16 fd00::/8", "10.89.0.0/24" },
		{ "10.89.0.0/24", "10.89.1.0/24" },
		{ "10.89.1.0/24", "10.89.0.0/24" },
		{ "10.89.0.0/24 10.89.2.0/24", "10.89.1.0/24" },
		{ "10.89.0.200/32", "10.89.1.0/24" },
		{ "10.89.0.128/25 10.89.0.0/25", "10.89.1.0/24" },
		{ "10.89.0.0/22", "10.89.4.0/24" },
		{ "10.89.0.77/16", "10.90.0.0/24" },
		{ "10.88.0.0/14", "10.92.0.0/24" },
		{ "10.89.0.0/16 10.90.0.0/15 10.92.0.0/14 10.96.0.0/11", "10.128.0.0/24" },
		{ "10.89.0.0/16 10.90.0.0/15 10.92.0.0/14 10.96.0.0/11 10.128.0.0/10 10.192.0.0/11 10.224.0.0/12 10.240.0.0/13 "
		  "10.248.0.0/14 10.252.0.0/15 10.254.0.0/16 10.255.0.0/17 10.255.128.0/18 10.255.192.0/19 10.255.224.0/20 "
		  "10.255.240.0/21 10.255.248.0/22 10.255.252.0/23 10.255.254.0/24", "10.255.255.0/24" },
		{ "10.89.0.0/16 10.90.0.0/15 10.92.0.0/14 10.96.0.0/11 10.128.0.0/9", NULL },
		{ "10.0.0.0/8", NULL },
		{ "0.0.0.0/0", NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_prefixes used = prefixes(cases[i].used);
		struct ip_prefix chosen;
		bool found = network_pool_ipv4(&used, &chosen);

		if (found != (cases[i].chosen != NULL) || (found && !str_eq(ip_prefix_text(arena, &chosen), cases[i].chosen)))
			fail_msg("\"%s\": %s", cases[i].used, found ? ip_prefix_text(arena, &chosen) : "none");
		if (found && network_pool_overlap(&used, &chosen))
			fail_msg("\"%s\": it overlaps", cases[i].used);
	}
}

/* Many networks, each with a subnet of its own. */
static void one_after_the_other(void **state)
{
	struct ip_prefixes used = { 0 };

	for (int i = 0; i < 300; i++) {
		struct ip_prefix chosen;

		assert_true(network_pool_ipv4(&used, &chosen));
		assert_null(network_pool_overlap(&used, &chosen));
		*ARRAY_ADD(arena, &used) = chosen;
	}
	assert_string_equal(ip_prefix_text(arena, &used.v[256]), "10.90.0.0/24");
}

static void unique_local(void **state)
{
	struct ip_prefix p = network_pool_ipv6((const uint8_t[7]){ 1, 2, 3, 4, 5, 6, 7 });

	assert_string_equal(ip_prefix_text(arena, &p), "fd01:203:405:607::/64");
	assert_true(ip_is_network(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_free_subnet), cmocka_unit_test(one_after_the_other), cmocka_unit_test(unique_local),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
