#include "spec/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/* A record with these members besides those that are always there. */
#define RECORD(members) "{\"name\":\"web\",\"id\":\"" ID "\",\"driver\":\"bridge\"," members "\"internal\":false}"
#define SUBNET(members) RECORD("\"subnets\":[{" members "}],")

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

/* What netavark is given by Podman, members in its order. */
static const char whole[] =
	"{\n"
	"  \"name\": \"web\",\n"
	"  \"id\": \"" ID "\",\n"
	"  \"driver\": \"bridge\",\n"
	"  \"network_interface\": \"br1\",\n"
	"  \"created\": \"2026-11-28T21:22:31.55258831Z\",\n"
	"  \"subnets\": [\n"
	"    {\n"
	"      \"subnet\": \"10.50.0.0/24\",\n"
	"      \"gateway\": \"10.50.0.9\",\n"
	"      \"lease_range\": {\n"
	"        \"start_ip\": \"10.50.0.129\",\n"
	"        \"end_ip\": \"10.50.0.255\"\n"
	"      }\n"
	"    },\n"
	"    {\n"
	"      \"subnet\": \"fd6b:3d21:9cad:3636::/64\",\n"
	"      \"gateway\": \"fd6b:3d21:9cad:3636::1\"\n"
	"    }\n"
	"  ],\n"
	"  \"routes\": [\n"
	"    {\n"
	"      \"destination\": \"192.0.2.0/24\",\n"
	"      \"gateway\": \"10.50.0.7\",\n"
	"      \"metric\": 7\n"
	"    }\n"
	"  ],\n"
	"  \"ipv6_enabled\": true,\n"
	"  \"internal\": false,\n"
	"  \"dns_enabled\": true,\n"
	"  \"network_dns_servers\": [\n"
	"    \"192.0.2.53\"\n"
	"  ],\n"
	"  \"labels\": {\n"
	"    \"x\": \"y\"\n"
	"  },\n"
	"  \"options\": {\n"
	"    \"mtu\": \"1400\",\n"
	"    \"isolate\": \"strict\",\n"
	"    \"vlan\": \"7\"\n"
	"  },\n"
	"  \"ipam_options\": {\n"
	"    \"driver\": \"host-local\"\n"
	"  }\n"
	"}\n";

static void assert_ip(const struct ip_address *a, const char *text)
{
	char got[IP_TEXT_SIZE];

	assert_string_equal(ip_print(a, got), text);
}

static void reads_and_writes(void **state)
{
	struct error err = { 0 };
	struct network n;

	if (network_decode(arena, whole, sizeof(whole) - 1, "web.json", &n, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(network_print(arena, &n), whole);
	assert_int_equal(n.subnets.n, 2);
	assert_int_equal(n.subnets.v[0].prefix.length, 24);
	assert_ip(&n.subnets.v[0].gateway_ip, "10.50.0.9");
	assert_ip(&n.subnets.v[0].lease.first, "10.50.0.129");
	assert_ip(&n.subnets.v[0].lease.last, "10.50.0.254");		/* never the broadcast address */
	assert_ip(&n.subnets.v[1].lease.first, "fd6b:3d21:9cad:3636::1");
	assert_ip(&n.subnets.v[1].lease.last, "fd6b:3d21:9cad:3636:ffff:ffff:ffff:ffff");
	assert_ip(&n.routes.v[0].gateway_ip, "10.50.0.7");
	assert_true(*n.routes.v[0].metric == 7);
	assert_int_equal(network_mtu(&n), 1400);
	assert_int_equal(network_vlan(&n), 7);
	assert_int_equal(network_isolation(&n), NETWORK_STRICT);
	assert_true(network_has_default_route(&n));
	assert_string_equal(network_ipam_driver(&n), "host-local");
}

static void accepts(void **state)
{
	static const char *const good[] = {
		RECORD(""),
		RECORD("\"created\":null,\"subnets\":null,"),
		RECORD("\"later\":{\"anything\":1},"),
		RECORD("\"options\":{\"isolate\":\"false\",\"no_default_route\":\"1\",\"mtu\":\"0\",\"metric\":\"4294967295\"},"),
		SUBNET("\"subnet\":\"10.1.0.0/16\""),
		SUBNET("\"subnet\":\"10.1.0.0/31\",\"gateway\":\"10.1.0.0\""),
		SUBNET("\"subnet\":\"10.1.0.0/30\",\"gateway\":\"10.1.0.1\""),
		SUBNET("\"subnet\":\"fd00::/127\",\"gateway\":\"fd00::\""),
		SUBNET("\"subnet\":\"10.1.0.0/24\",\"lease_range\":{\"start_ip\":\"10.1.0.9\"}"),
		SUBNET("\"subnet\":\"10.1.0.0/24\",\"lease_range\":{\"start_ip\":\"10.1.0.9\",\"end_ip\":\"10.1.0.9\"}"),
	};

	for (size_t i = 0; i < ELEMENTS(good); i++) {
		struct error err = { 0 };
		struct network n;

		if (network_decode(arena, good[i], strlen(good[i]), "web.json", &n, &err) < 0)
			fail_msg("%s: %s", good[i], err.text);
	}
}

static void refuses(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "web.json" },
		{ "[]", "expected object" },
		{ "{}", ".name" },
		{ "{\"name\":\"../x\",\"id\":\"" ID "\",\"driver\":\"bridge\"}", "network name ../x invalid" },
		{ "{\"name\":\"web\",\"id\":\"" ID "0\",\"driver\":\"bridge\"}", "not 64 hexadecimal digits" },
		{ "{\"name\":\"web\",\"id\":\"../" ID "\",\"driver\":\"bridge\"}", "not 64 hexadecimal digits" },
		{ "{\"name\":\"web\",\"id\":\"" ID "\",\"driver\":\"overlay\"}", "unsupported driver overlay: invalid argument" },
		{ RECORD("\"network_interface\":\"br1; drop\","), "no name for a network interface" },
		{ RECORD("\"network_interface\":\"abcdefghijklmnop\","), "no name for a network interface" },
		{ RECORD("\"network_interface\":\"..\","), "no name for a network interface" },
		{ RECORD("\"subnets\":[{\"gateway\":\"10.0.0.1\"}],"), ".subnets[0]" },
		{ SUBNET("\"subnet\":\"bogus\""), "invalid CIDR address: bogus" },
		{ SUBNET("\"subnet\":\"10.54.0.0\""), "invalid CIDR address: 10.54.0.0" },
		{ SUBNET("\"subnet\":\"10.54.0.7/24\""), "subnet 10.54.0.7/24 has bits set after its prefix" },
		{ SUBNET("\"subnet\":\"10.54.0.0/32\""), "too small" },
		{ SUBNET("\"subnet\":\"fd00::1/128\""), "too small" },
		{ SUBNET("\"subnet\":\"0.0.0.0/0\""), "0.0.0.0/8 is for this host" },
		{ SUBNET("\"subnet\":\"127.5.0.0/16\""), "127.0.0.0/8 is for loopback" },
		{ SUBNET("\"subnet\":\"169.254.1.0/24\""), "169.254.0.0/16 is for link-local addresses" },
		{ SUBNET("\"subnet\":\"239.0.0.0/8\""), "224.0.0.0/3 is for multicast" },
		{ SUBNET("\"subnet\":\"fe80::/64\""), "fe80::/10 is for link-local addresses" },
		{ SUBNET("\"subnet\":\"::ffff:0:0/96\""), "::ffff:0:0/96" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"gateway\":\"x\""), "gateway x is not an IP address" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.2.0.1\""), "gateway 10.2.0.1 not in subnet 10.1.0.0/24" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"gateway\":\"fd00::1\""), "gateway fd00::1 not in subnet 10.1.0.0/24" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.0\""), "network or broadcast address" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.255\""), "network or broadcast address" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"lease_range\":{\"start_ip\":\"10.2.0.1\"}"),
		  "lease range start ip 10.2.0.1 not in subnet 10.1.0.0/24" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"lease_range\":{\"end_ip\":\"10.2.0.1\"}"),
		  "lease range end ip 10.2.0.1 not in subnet 10.1.0.0/24" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"lease_range\":{\"start_ip\":\"10.1.0.9\",\"end_ip\":\"10.1.0.8\"}"),
		  "ends before it starts" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.9\",\"lease_range\":{\"start_ip\":\"10.1.0.9\",\"end_ip\":"
			 "\"10.1.0.9\"}"), "has no address for a container" },
		{ SUBNET("\"subnet\":\"10.1.0.0/24\",\"lease_range\":{\"start_ip\":\"10.1.0.255\",\"end_ip\":\"10.1.0.255\"}"),
		  "has no address for a container" },
		{ RECORD("\"subnets\":[{\"subnet\":\"10.1.0.0/24\"},{\"subnet\":\"10.1.0.128/25\"}],"),
		  "subnets 10.1.0.0/24 and 10.1.0.128/25 overlap" },
		{ RECORD("\"routes\":[{\"destination\":\"10.9.9.9/24\",\"gateway\":\"10.1.0.1\"}],"), "is not a network" },
		{ RECORD("\"routes\":[{\"destination\":\"10.9.0.0/24\",\"gateway\":\"fd00::1\"}],"), "cannot be mixed" },
		{ RECORD("\"routes\":[{\"destination\":\"10.9.0.0/24\",\"gateway\":\"10.2.0.1\",\"metric\":-1}],"), ".metric" },
		{ RECORD("\"routes\":[{\"destination\":\"10.9.0.0/24\",\"gateway\":\"10.2.0.1\",\"metric\":4294967296}],"),
		  "larger than 32 bits" },
		{ RECORD("\"subnets\":[{\"subnet\":\"10.1.0.0/24\"}],\"routes\":[{\"destination\":\"10.9.0.0/24\",\"gateway\":"
			 "\"10.2.0.1\"}],"), "the gateway is in no subnet" },
		{ RECORD("\"network_dns_servers\":[\"one\"],"), "unable to parse ip one" },
		{ RECORD("\"options\":{\"foo\":\"bar\"},"), "unsupported bridge network option foo" },
		{ RECORD("\"options\":{\"parent\":\"eth0\"},"), "unsupported bridge network option parent" },
		{ RECORD("\"options\":{\"mtu\":\"x\"},"), "mtu \"x\" must be between 0 and 65535" },
		{ RECORD("\"options\":{\"mtu\":\"67\"},"), "IPv4 needs 68" },
		{ RECORD("\"subnets\":[{\"subnet\":\"fd00::/64\"}],\"options\":{\"mtu\":\"1279\"},"), "IPv6 needs 1280" },
		{ RECORD("\"options\":{\"vlan\":\"4095\"},"), "must be between 0 and 4094" },
		{ RECORD("\"options\":{\"isolate\":\"\"},"), "is none of true|1|false|0|strict" },
		{ RECORD("\"options\":{\"isolate\":\"rue\"},"), "is none of" },
		{ RECORD("\"ipam_options\":{\"driver\":\"bogus\"},"), "unsupported ipam driver \"bogus\"" },
		{ RECORD("\"ipam_options\":{\"driver\":\"none\"},\"subnets\":[{\"subnet\":\"10.1.0.0/24\"}],"),
		  "none ipam driver is set but subnets are given" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct network n;

		if (network_decode(arena, cases[i].text, strlen(cases[i].text), "web.json", &n, &err) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void defaults(void **state)
{
	struct network n = { .internal = true };

	assert_int_equal(network_mtu(&n), 0);
	assert_int_equal(network_isolation(&n), NETWORK_OPEN);
	assert_false(network_has_default_route(&n));
	n.internal = false;
	assert_true(network_has_default_route(&n));
	map_set(arena, &n.options, "no_default_route", "true");
	assert_false(network_has_default_route(&n));
	map_set(arena, &n.ipam_options, "driver", "dhcp");
	assert_string_equal(network_ipam_driver(&n), "dhcp");
	assert_true(network_name_is_mode("host"));
	assert_false(network_name_is_mode("hosts"));
}

static void mac_addresses(void **state)
{
	static const char *const bad[] = {
		"", "92:5f:0a:01:02", "92:5f:0a:01:02:03:04", "92:5f:0a:01:02:3", "92:5f:0a:01:02:0g", "93:5f:0a:01:02:03",
		"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "925f0a010203", "92:5f:0a:01:02:03 ", "92.5f.0a.01.02.03",
	};
	static const uint8_t want[6] = { 0x92, 0x5f, 0x0a, 0x01, 0x02, 0x03 };
	uint8_t mac[6];

	assert_true(network_parse_mac("92:5f:0a:01:02:03", mac));
	assert_memory_equal(mac, want, 6);
	assert_true(network_parse_mac("92-5F-0A-01-02-03", mac));
	assert_memory_equal(mac, want, 6);
	for (size_t i = 0; i < ELEMENTS(bad); i++)
		if (network_parse_mac(bad[i], mac))
			fail_msg("\"%s\" is no address of an interface", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes), cmocka_unit_test(accepts), cmocka_unit_test(refuses), cmocka_unit_test(defaults),
		cmocka_unit_test(mac_addresses),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
