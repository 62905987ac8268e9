#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/net.h"

static void modes_are_known(void **state)
{
	static const struct { const char *text; enum net_mode mode; const char *target; size_t options; } cases[] = {
		{ "none", NET_NONE, NULL, 0 },
		{ "host", NET_HOST, NULL, 0 },
		{ "container:web", NET_CONTAINER, "web", 0 },
		{ "ns:/run/netns/x", NET_PATH, "/run/netns/x", 0 },
		{ "pasta", NET_PASTA, NULL, 0 },
		{ "pasta:-t,auto,--mtu=1500", NET_PASTA, NULL, 3 },
		{ "slirp4netns", NET_SLIRP4NETNS, NULL, 0 },
		{ "slirp4netns:mtu=1500,cidr=10.1.2.0/24", NET_SLIRP4NETNS, NULL, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { 0 };
		struct error err = { 0 };

		assert_int_equal(net_parse_mode(a, cases[i].text, &r, &err), 0);
		assert_int_equal(r.mode, cases[i].mode);
		assert_true(str_eq(r.target, cases[i].target));
		assert_int_equal(r.options.n, cases[i].options);
	}
}

static void default_is_a_network(void **state)
{
	static const struct { const char *words[2]; size_t n; bool by_default; } cases[] = {
		{ { "" }, 1, true }, { { "default" }, 1, true }, { { "bridge" }, 1, false },
		{ { "default", "mynet" }, 2, false }, { { "mynet", "default" }, 2, false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { 0 };

		for (size_t k = 0; k < cases[i].n; k++)
			assert_int_equal(net_parse_mode(a, cases[i].words[k], &r, NULL), 0);
		assert_int_equal(r.mode, NET_BRIDGE);
		assert_int_equal(r.networks.n, cases[i].n);
		assert_int_equal(r.by_default, cases[i].by_default);
	}
}

static void private_has_a_helper(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { 0 };

	(void)state;
	assert_int_equal(net_parse_mode(a, "private", &r, NULL), 0);
	assert_true(r.mode == NET_PASTA || r.mode == NET_SLIRP4NETNS);
	assert_false(r.by_default);
}

static void other_words_are_networks(void **state)
{
	static const char *const words[] = { "bridge", "mynet", "pastas", "Host", "bridge:ip=10.88.0.9,ip6=fd00::1,mac=92:5f:0a:01:02:03",
					     "mynet:alias=a,alias=b,interface_name=inner" };
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { 0 };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(words); i++) {
		assert_int_equal(net_parse_mode(a, words[i], &r, NULL), 0);
		assert_int_equal(r.mode, NET_BRIDGE);
		assert_int_equal(r.networks.n, i + 1);
	}
	assert_string_equal(r.networks.v[4].network, "bridge");
	assert_int_equal(r.networks.v[4].ips.n, 2);
	assert_string_equal(r.networks.v[4].mac, "92:5f:0a:01:02:03");
	assert_string_equal(strings_join(a, &r.networks.v[5].aliases, " "), "a b");
	bridge_request_name_interfaces(a, r.networks.v, r.networks.n, &(struct strings){ (char *[]){ "eth1", NULL }, 1 });
	assert_string_equal(r.networks.v[0].interface, "eth0");
	assert_string_equal(r.networks.v[1].interface, "eth2");
	assert_string_equal(r.networks.v[5].interface, "inner");
}

static void malformed_modes_are_refused(void **state)
{
	static const char *const words[] = { "container:", "ns:", "pastax:1", "none:x", "mynet:ip", "mynet:ip=10.0.0", "mynet:mac=1",
					     "mynet:mac=01:00:00:00:00:00", "mynet:interface_name=lo", "mynet:interface_name=a/b",
					     "mynet:alias=", "mynet:alias=a b", "mynet:IP=10.0.0.1" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(words); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { 0 };
		struct error err = { 0 };

		assert_int_equal(net_parse_mode(a, words[i], &r, &err), -1);
		assert_int_equal(error_exit_code(&err), 125);
	}
}

static void ports_are_understood(void **state)
{
	static const struct { const char *text, *ip; unsigned host, container, range; const char *protocol; } cases[] = {
		{ "80", "", 0, 80, 1, "tcp" },
		{ "8080:80", "", 8080, 80, 1, "tcp" },
		{ ":80", "", 0, 80, 1, "tcp" },
		{ "8080:80/udp", "", 8080, 80, 1, "udp" },
		{ "127.0.0.1:8080:80", "127.0.0.1", 8080, 80, 1, "tcp" },
		{ "127.0.0.1::80", "127.0.0.1", 0, 80, 1, "tcp" },
		{ "[::1]:8080:80", "::1", 8080, 80, 1, "tcp" },
		{ "[::1]::80/udp", "::1", 0, 80, 1, "udp" },
		{ "8000-8010:80-90", "", 8000, 80, 11, "tcp" },
		{ "1-65535:1-65535", "", 1, 1, 65535, "tcp" },
		{ "3000-3001", "", 0, 3000, 2, "tcp" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { 0 };
		struct error err = { 0 };

		if (net_parse_port(a, cases[i].text, &r, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(r.ports.n, 1);
		assert_string_equal(r.ports.v[0].host_ip, cases[i].ip);
		assert_int_equal(r.ports.v[0].host_port, cases[i].host);
		assert_int_equal(r.ports.v[0].container_port, cases[i].container);
		assert_int_equal(r.ports.v[0].range, cases[i].range);
		assert_string_equal(r.ports.v[0].protocol, cases[i].protocol);
	}
}

static void both_protocols_at_once(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { 0 };

	(void)state;
	assert_int_equal(net_parse_port(a, "53:53/tcp,udp", &r, NULL), 0);
	assert_int_equal(net_parse_port(a, "80", &r, NULL), 0);
	assert_int_equal(r.ports.n, 3);
	assert_string_equal(r.ports.v[1].protocol, "udp");
	assert_int_equal(r.ports.v[1].host_port, 53);
}

static void bad_ports_are_refused(void **state)
{
	static const char *const words[] = {
		"", ":", "0", "x", "-1", "65536", "80:", "8080:80:90:100", "80/sctp", "80/icmp", "80/", "90-80", "8000-8001:80",
		"1.2.3:80:80", "1.2.3.4.5:80:80", "[::1:80:80", "[zz]:80:80", "::80", "80-", "-80", "8080: 80", "+80",
		"99999999999999999999:80", "1.2.3.4:80", "[::1]80:80",
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(words); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { 0 };
		struct error err = { 0 };

		if (net_parse_port(a, words[i], &r, &err) == 0)
			fail_msg("\"%s\" was accepted", words[i]);
		assert_int_equal(error_exit_code(&err), 125);
		assert_non_null(strstr(err.text, words[i]));
		assert_int_equal(r.ports.n, 0);
	}
}

static void conflicts_are_found(void **state)
{
	static const char *const pairs[][2] = {
		{ "48080:80", "48080:81" }, { "48000-48010:80-90", "48005:80" }, { "127.0.0.1:48080:80", "48080:80" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(pairs); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .mode = NET_SLIRP4NETNS };
		struct error err = { 0 };

		assert_int_equal(net_parse_port(a, pairs[i][0], &r, NULL), 0);
		assert_int_equal(net_parse_port(a, pairs[i][1], &r, NULL), 0);
		assert_int_equal(net_claim_ports(a, &r, &err), -1);
		assert_non_null(strstr(err.text, "conflicting port mappings for host port"));
	}
}

static void bypass_is_a_word_among_the_options(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(net_parse_mode(a, "slirp4netns:mtu=1500,bypass", &r, NULL), 0);
	assert_true(r.bypass);
	assert_int_equal(r.options.n, 1);
	assert_string_equal(r.options.v[0], "mtu=1500");
	assert_int_equal(net_parse_mode(a, "pasta", &r, NULL), 0);
	assert_false(r.bypass);
	assert_int_equal(net_parse_mode(a, "bridge:bypass", &r, NULL), 0);
	assert_true(r.bypass);
	assert_int_equal(net_parse_mode(a, "pasta:bypass,--outbound,1.2.3.4", &r, &err), -1);
	assert_int_equal(net_parse_mode(a, "slirp4netns:outbound_addr=eth0,bypass", &r, &err), -1);
	assert_int_equal(net_parse_mode(a, "none:bypass", &r, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bypass_is_a_word_among_the_options),
		cmocka_unit_test(modes_are_known), cmocka_unit_test(default_is_a_network),
		cmocka_unit_test(private_has_a_helper),
		cmocka_unit_test(other_words_are_networks),
		cmocka_unit_test(malformed_modes_are_refused), cmocka_unit_test(ports_are_understood),
		cmocka_unit_test(both_protocols_at_once), cmocka_unit_test(bad_ports_are_refused),
		cmocka_unit_test(conflicts_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
