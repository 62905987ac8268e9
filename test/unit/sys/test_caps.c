#include "sys/caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/ns.h"

static void test_names(void **state)
{
	assert_int_equal(caps_number("CAP_CHOWN"), 0);
	assert_int_equal(caps_number("net_admin"), 12);
	assert_int_equal(caps_number("Cap_Checkpoint_Restore"), 40);
	assert_int_equal(caps_number("CAP_"), -1);
	assert_int_equal(caps_number("CAP_NOSUCH"), -1);
	assert_string_equal(caps_name(21), "CAP_SYS_ADMIN");
	assert_null(caps_name(41));
	assert_null(caps_name(-1));
	for (int n = 0; n <= 40; n++)
		assert_int_equal(caps_number(caps_name(n)), n);
}

static void test_namespaces(void **state)
{
	assert_string_equal(ns_name(ns_flag("network")), "network");
	assert_string_equal(ns_name(ns_flag("time")), "time");
	assert_int_equal(ns_flag("net"), 0);
	assert_null(ns_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
