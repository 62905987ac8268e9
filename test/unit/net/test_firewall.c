#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/firewall.h"

static struct network network(struct arena *arena, const char *isolate, bool internal)
{
	struct network n = { .name = (char *)"net1", .driver = (char *)"bridge", .interface = (char *)"br1", .internal = internal };

	if (isolate)
		map_set(arena, &n.options, "isolate", isolate);
	return n;
}

static void open_networks_have_no_rules(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct network n = network(a, NULL, false), said = network(a, "false", false);

	(void)state;
	assert_null(firewall_add(a, &n));
	assert_null(firewall_remove(a, &said));
}

static void restricted_ones_are_members(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct network isolated = network(a, "true", false), strict = network(a, "strict", true);

	(void)state;
	assert_string_equal(firewall_add(a, &isolated), "add element inet bryo isolated { \"br1\" }\n"
							"add element inet bryo same { \"br1\" . \"br1\" }\n");
	assert_string_equal(firewall_remove(a, &strict), "delete element inet bryo internal { \"br1\" }\n"
							 "delete element inet bryo strict { \"br1\" }\n"
							 "delete element inet bryo same { \"br1\" . \"br1\" }\n");
}

static void the_table(void **state)
{
	(void)state;
	assert_string_equal(firewall_table(),
		"table inet bryo\n"
		"delete table inet bryo\n"
		"table inet bryo {\n"
		"	set same { type ifname . ifname; }\n"
		"	set internal { type ifname; }\n"
		"	set isolated { type ifname; }\n"
		"	set strict { type ifname; }\n"
		"	chain forward {\n"
		"		type filter hook forward priority filter; policy accept;\n"
		"		iifname . oifname @same accept\n"
		"		iifname @internal reject with icmpx type admin-prohibited\n"
		"		oifname @internal reject with icmpx type admin-prohibited\n"
		"		iifname @isolated oifname @isolated reject with icmpx type admin-prohibited\n"
		"		iifname @strict oifname != \"out0\" reject with icmpx type admin-prohibited\n"
		"		oifname @strict iifname != \"out0\" reject with icmpx type admin-prohibited\n"
		"	}\n"
		"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_networks_have_no_rules), cmocka_unit_test(restricted_ones_are_members),
		cmocka_unit_test(the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
