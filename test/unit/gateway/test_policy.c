#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/string.h"
#include "gateway/policy.h"
#include "sys/gateway.h"

static void only_the_world_and_the_host_are_open(void **state)
{
	static const struct { const char *address; enum policy expected; } cases[] = {
		{ "192.0.2.1", POLICY_OUT }, { "10.0.0.1", POLICY_OUT }, { "100.64.0.1", POLICY_OUT }, { "223.255.255.255", POLICY_OUT },
		{ "1.0.0.0", POLICY_OUT }, { "126.255.255.255", POLICY_OUT }, { "128.0.0.0", POLICY_OUT }, { "169.253.255.255", POLICY_OUT },
		{ "2001:db8::1", POLICY_OUT }, { "fd00::1", POLICY_OUT }, { "fec0::1", POLICY_OUT }, { "64:ff9b::1.2.3.4", POLICY_OUT },
		{ "0.0.0.0", POLICY_REFUSE }, { "0.1.2.3", POLICY_REFUSE }, { "127.0.0.1", POLICY_REFUSE }, { "127.255.255.255", POLICY_REFUSE },
		{ "::", POLICY_REFUSE }, { "::1", POLICY_REFUSE }, { "::ffff:127.0.0.1", POLICY_REFUSE }, { "::127.0.0.1", POLICY_REFUSE },
		{ "169.254.169.254", POLICY_REFUSE }, { "169.254.0.0", POLICY_REFUSE }, { "fe80::1", POLICY_REFUSE }, { "febf::1", POLICY_REFUSE },
		{ "224.0.0.251", POLICY_IGNORE }, { "239.1.1.1", POLICY_IGNORE }, { "255.255.255.255", POLICY_IGNORE },
		{ "240.0.0.1", POLICY_IGNORE }, { "ff02::fb", POLICY_IGNORE },
		{ GATEWAY_DNS, POLICY_DNS }, { GATEWAY_DNS6, POLICY_DNS }, { GATEWAY_HOST, POLICY_HOST }, { GATEWAY_HOST6, POLICY_HOST },
		{ GATEWAY_OWN, POLICY_REFUSE }, { GATEWAY_OWN6, POLICY_REFUSE }, { "fd62:7279:6f00:1::1", POLICY_REFUSE },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct in6_addr a;

		assert_true(policy_address(cases[i].address, &a));
		if (policy_judge(&a) != cases[i].expected)
			fail_msg("%s: %d, not %d", cases[i].address, policy_judge(&a), cases[i].expected);
	}
}

static void nobody_is_answered_at_an_address_that_is_none(void **state)
{
	static const struct { const char *address; bool expected; } cases[] = {
		{ "10.89.0.2", true }, { "fd89::2", true }, { GATEWAY_OWN, true }, { GATEWAY_OWN6, true },
		{ "0.0.0.0", false }, { "127.0.0.1", false }, { "224.0.0.1", false }, { GATEWAY_DNS, false }, { GATEWAY_HOST6, false },
		{ "::", false }, { "::1", false }, { "fe80::2", false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct in6_addr a;

		assert_true(policy_address(cases[i].address, &a));
		if (policy_is_source(&a) != cases[i].expected)
			fail_msg("%s", cases[i].address);
	}
}

static void other_words_are_no_addresses(void **state)
{
	static const char *const words[] = { "", "x", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1:2", "111111111111111111111111111111" };
	struct in6_addr a;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(words); i++)
		assert_false(policy_address(words[i], &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_world_and_the_host_are_open),
		cmocka_unit_test(nobody_is_answered_at_an_address_that_is_none),
		cmocka_unit_test(other_words_are_no_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
