#include "spec/ip.h"

#include "base/string.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct ip_address ip(const char *text)
{
	struct ip_address a = { 0 };

	if (!ip_parse(text, &a))
		fail_msg("%s is an address", text);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = { 0 };

	if (!ip_parse_prefix(text, &p))
		fail_msg("%s is a prefix", text);
	return p;
}

static void assert_ip(const struct ip_address *a, const char *text)
{
	char got[IP_TEXT_SIZE];

	assert_string_equal(ip_print(a, got), text);
}

static void addresses(void **state)
{
	static const struct { const char *text, *canonical; enum ip_family family; } cases[] = {
		{ "0.0.0.0", "0.0.0.0", IP_V4 },
		{ "255.255.255.255", "255.255.255.255", IP_V4 },
		{ "10.88.0.1", "10.88.0.1", IP_V4 },
		{ "::", "::", IP_V6 },
		{ "FD00:0:0:0:0:0:0:1", "fd00::1", IP_V6 },
		{ "fe80::1:0:0:1", "fe80::1:0:0:1", IP_V6 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_V6 },
		{ "::ffff:127.0.0.1", "127.0.0.1", IP_V4 },
		{ "::ffff:a00:1", "10.0.0.1", IP_V4 },
	};
	struct ip_address none = { 0 };

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_address a = ip(cases[i].text);

		assert_ip(&a, cases[i].canonical);
		assert_int_equal(a.family, cases[i].family);
	}
	assert_ip(&none, "");
}

static void no_addresses(void **state)
{
	static const char *const bad[] = {
		"", " ", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "010.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "0x7f.1.1.1",
		"1.2.3.4/24", "fe80::1%eth0", ":::", "1::2::3", "12345::", "[::1]", "::1/64", "localhost", "10.0.0.1\n",
	};

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		struct ip_address a = { .family = IP_V6, .bytes = { 42 } };

		if (ip_parse(bad[i], &a) || a.family != IP_V6 || a.bytes[0] != 42)
			fail_msg("\"%s\" is no address", bad[i]);
	}
}

static void no_prefixes(void **state)
{
	static const char *const bad[] = {
		"", "/", "/24", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8",
		"10.0.0.0/255.0.0.0", "::/129", "::ffff:10.0.0.0/24", "10.0.0/24", "10.0.0.0/4294967304",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64",
	};
	struct ip_prefix p;

	for (size_t i = 0; i < ELEMENTS(bad); i++)
		if (ip_parse_prefix(bad[i], &p))
			fail_msg("\"%s\" is no prefix", bad[i]);
}

static void ends(void **state)
{
	static const struct { const char *prefix, *first, *last; uint64_t n; bool is_network; } cases[] = {
		{ "10.89.0.0/24", "10.89.0.0", "10.89.0.255", 256, true },
		{ "10.89.0.5/24", "10.89.0.0", "10.89.0.255", 256, false },
		{ "10.89.0.4/31", "10.89.0.4", "10.89.0.5", 2, true },
		{ "10.89.0.5/32", "10.89.0.5", "10.89.0.5", 1, true },
		{ "172.31.255.1/12", "172.16.0.0", "172.31.255.255", 1 << 20, false },
		{ "0.0.0.0/0", "0.0.0.0", "255.255.255.255", (uint64_t)1 << 32, true },
		{ "fd00::/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", UINT64_MAX, true },
		{ "fd00::ab00/121", "fd00::ab00", "fd00::ab7f", 128, true },
		{ "fd00::ffff/119", "fd00::fe00", "fd00::ffff", 512, false },
		{ "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UINT64_MAX, true },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_prefix p = prefix(cases[i].prefix);
		struct ip_range r = { ip_first(&p), ip_last(&p) };

		assert_ip(&r.first, cases[i].first);
		assert_ip(&r.last, cases[i].last);
		assert_true(ip_range_count(&r) == cases[i].n);
		assert_int_equal(ip_is_network(&p), cases[i].is_network);
	}
}

static void counts(void **state)
{
	static const struct { const char *first, *last; uint64_t n; } cases[] = {
		{ "10.0.0.255", "10.0.1.0", 2 },
		{ "10.0.1.0", "10.0.0.255", 0 },
		{ "10.0.0.1", "fd00::1", 0 },
		{ "fd00::ffff:ffff:ffff:ffff", "fd00:0:0:1::", 2 },
		{ "fd00::", "fd00::ffff:ffff:ffff:fffe", UINT64_MAX },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_range r = { ip(cases[i].first), ip(cases[i].last) };

		assert_true(ip_range_count(&r) == cases[i].n);
	}
}

static void membership(void **state)
{
	static const struct { const char *prefix, *address; bool has; } cases[] = {
		{ "10.89.0.0/24", "10.89.0.255", true }, { "10.89.0.0/24", "10.89.1.0", false },
		{ "10.89.0.0/24", "10.88.255.255", false }, { "10.89.0.77/24", "10.89.0.1", true },
		{ "0.0.0.0/0", "8.8.8.8", true }, { "0.0.0.0/0", "fd00::1", false }, { "::/0", "10.0.0.1", false },
		{ "fd00::/9", "fd7f:ffff::", true }, { "fd00::/9", "fd80::", false },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_prefix p = prefix(cases[i].prefix);
		struct ip_address a = ip(cases[i].address);

		if (ip_has(&p, &a) != cases[i].has)
			fail_msg("%s in %s", cases[i].address, cases[i].prefix);
	}
}

static void overlaps(void **state)
{
	static const struct { const char *a, *b; bool overlap; } cases[] = {
		{ "10.89.0.0/24", "10.89.0.0/24", true }, { "10.0.0.0/8", "10.89.3.0/24", true },
		{ "10.89.0.0/24", "10.89.1.0/24", false }, { "10.89.0.128/25", "10.89.0.0/25", false },
		{ "0.0.0.0/0", "203.0.113.0/24", true }, { "0.0.0.0/0", "::/0", false }, { "fd00::/8", "fd12:3456::/48", true },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_prefix a = prefix(cases[i].a), b = prefix(cases[i].b);

		assert_int_equal(ip_overlap(&a, &b), cases[i].overlap);
		assert_int_equal(ip_overlap(&b, &a), cases[i].overlap);
	}
}

static void adding(void **state)
{
	static const struct { const char *address; uint64_t n; const char *sum; } cases[] = {
		{ "10.89.0.0", 1, "10.89.0.1" },
		{ "10.89.0.255", 1, "10.89.1.0" },
		{ "255.255.255.254", 1, "255.255.255.255" },
		{ "255.255.255.255", 1, NULL },
		{ "0.0.0.0", (uint64_t)1 << 32, NULL },
		{ "1.0.0.0", UINT64_MAX, NULL },
		{ "fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::" },
		{ "::1", UINT64_MAX, "0:0:0:1::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_address a = ip(cases[i].address), sum = { 0 };

		assert_int_equal(ip_add(&a, cases[i].n, &sum), cases[i].sum != NULL);
		assert_ip(&sum, cases[i].sum ? cases[i].sum : "");
	}
}

static void networks(void **state)
{
	static const struct { const char *prefix; unsigned length; uint64_t n; const char *network; } cases[] = {
		{ "10.89.0.0/16", 24, 0, "10.89.0.0/24" },
		{ "10.89.0.0/16", 24, 255, "10.89.255.0/24" },
		{ "10.89.0.0/16", 24, 256, NULL },
		{ "10.90.0.0/15", 24, 511, "10.91.255.0/24" },
		{ "10.89.0.0/24", 24, 0, "10.89.0.0/24" },
		{ "10.89.0.0/24", 24, 1, NULL },
		{ "10.89.0.0/24", 23, 0, NULL },
		{ "10.89.0.0/24", 33, 0, NULL },
		{ "0.0.0.0/0", 32, UINT32_MAX, "255.255.255.255/32" },
		{ "0.0.0.0/0", 0, 0, "0.0.0.0/0" },
		{ "0.0.0.0/0", 0, 1, NULL },
		{ "fd00::/8", 64, 1, "fd00:0:0:1::/64" },
		{ "fd00::/8", 64, (uint64_t)1 << 56, NULL },
		{ "::/0", 64, UINT64_MAX, "ffff:ffff:ffff:ffff::/64" },
		{ "::/0", 128, UINT64_MAX, "::ffff:ffff:ffff:ffff/128" },
		{ "::/0", 0, 0, "::/0" },
	};
	_cleanup_arena_ struct arena *arena = arena_new();

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_prefix p = prefix(cases[i].prefix), network;
		bool is = ip_nth_network(&p, cases[i].length, cases[i].n, &network);

		if (is != (cases[i].network != NULL) || (is && !str_eq(ip_prefix_text(arena, &network), cases[i].network)))
			fail_msg("network %zu: %s", i, is ? ip_prefix_text(arena, &network) : "none");
	}
}

static void kinds(void **state)
{
	static const struct { const char *address; bool loopback, link_local, multicast, private, unspecified; } cases[] = {
		{ "127.1.2.3", true }, { "::1", true }, { "::ffff:127.0.0.1", true }, { "128.0.0.1" }, { "::2" },
		{ "169.254.1.1", .link_local = true }, { "fe80::1", .link_local = true }, { "febf::1", .link_local = true },
		{ "fec0::1" }, { "224.0.0.1", .multicast = true }, { "255.255.255.255", .multicast = true },
		{ "ff02::1", .multicast = true }, { "10.0.0.1", .private = true }, { "172.31.0.1", .private = true },
		{ "172.32.0.1" }, { "192.168.7.7", .private = true }, { "fd00::1", .private = true }, { "2001:db8::1" },
		{ "0.0.0.0", .unspecified = true }, { "::", .unspecified = true }, { "0.0.0.1" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ip_address a = ip(cases[i].address);

		if (ip_is_loopback(&a) != cases[i].loopback || ip_is_link_local(&a) != cases[i].link_local ||
		    ip_is_multicast(&a) != cases[i].multicast || ip_is_private(&a) != cases[i].private ||
		    ip_is_unspecified(&a) != cases[i].unspecified)
			fail_msg("%s", cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(no_addresses), cmocka_unit_test(no_prefixes), cmocka_unit_test(ends),
		cmocka_unit_test(counts), cmocka_unit_test(membership), cmocka_unit_test(overlaps), cmocka_unit_test(adding),
		cmocka_unit_test(networks), cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
