#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/string.h"
#include "engine/ping_groups.h"

static void first_and_last_are_the_kernels(void **state)
{
	static const struct { const char *own, *host, *range; } cases[] = {
		{ "", "0 1000 1\n1 100000 65536\n", "0 65536" },
		{ "", "0 1000 1\n", "0 0" },				/* no subordinate ids */
		{ "", "0 200000 1\n1 100000 65536\n", "1 0" },		/* the user's own id is above them */
		{ "", "0 0 4294967295\n", "0 2147483647" },
		{ "", "0 1000 1\n1 100000 10\n11 50000 10\n", "0 10" },
		/* keep-id, a range of its own, one that is cut by what there is */
		{ "0 1 1000\n1000 0 1\n1001 1001 64536\n", "0 1000 1\n1 100000 65536\n", "1000 65536" },
		{ "0 5000 1024\n", "0 1000 1\n1 100000 65536\n", "0 1023" },
		{ "0 0 2000\n", "0 1000 1\n1 100000 1000\n", "0 1000" },
		{ "5 3000000000 1000\n", "0 0 4294967295\n", "5 1004" },
		{ "3000000000 0 10\n7 20 1\n", "0 1000 65536\n", "7 7" },	/* the setting knows no such number */
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct id_map own, host;

		assert_int_equal(idmap_parse(a, cases[i].own, &own, NULL), 0);
		assert_int_equal(idmap_parse(a, cases[i].host, &host, NULL), 0);
		assert_string_equal(ping_groups(a, &own, &host), cases[i].range);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(first_and_last_are_the_kernels) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
