#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/net.h"

static struct strings list(struct arena *a, const char *words)
{
	return *words ? strings_split(a, words, " ") : (struct strings){ 0 };
}

static void hosts_are_written(void **state)
{
	static const struct {
		enum net_mode mode;
		const char *ip, *host_ip, *add, *base, *expected;
	} cases[] = {
		{ NET_SLIRP4NETNS, "10.0.2.100", "192.0.2.2", "", "",
		  "127.0.0.1\tlocalhost\n::1\tlocalhost\n192.0.2.2\thost.containers.internal host.docker.internal\n"
		  "10.0.2.100\tbox web\n" },
		{ NET_PASTA, "192.0.2.2", "169.254.1.2", "a:1.2.3.4 b:host-gateway c;d:[::2]",
		  "127.0.0.1 localhost\n# note\n192.0.2.9\tserver server.lan # its name\n9.9.9.9 host.docker.internal\n",
		  "1.2.3.4\ta\n169.254.1.2\tb\n::2\tc d\n127.0.0.1\tlocalhost\n192.0.2.9\tserver server.lan\n"
		  "169.254.1.2\thost.containers.internal host.docker.internal\n192.0.2.2\tbox web\n" },
		{ NET_NONE, NULL, NULL, "", "", "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\tbox web\n" },
		{ NET_HOST, NULL, NULL, "", "127.0.0.1 localhost\n127.0.1.1 box\n",
		  "127.0.0.1\tlocalhost\n127.0.1.1\tbox\n127.0.0.1\thost.containers.internal host.docker.internal\n"
		  "127.0.0.1\tweb\n" },
		{ NET_SLIRP4NETNS, "10.0.2.100", NULL, "web=7.7.7.7 host.containers.internal:8.8.8.8", "nonsense x\n\n1.1.1.1\n",
		  "7.7.7.7\tweb\n8.8.8.8\thost.containers.internal\n127.0.0.1\tlocalhost\n::1\tlocalhost\n10.0.2.100\tbox\n" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .mode = cases[i].mode };
		struct net_result result = { .ip = arena_strdup(a, cases[i].ip), .host_ip = arena_strdup(a, cases[i].host_ip) };
		struct net_names names = { .hostname = "box", .name = "web", .add_host = list(a, cases[i].add) };
		struct error err = { 0 };
		char *text = net_hosts(a, &r, &names, &result, cases[i].base, &err);

		if (!text)
			fail_msg("%s", err.text);
		assert_string_equal(text, cases[i].expected);
	}
}

static void bad_hosts_are_refused(void **state)
{
	static const char *const words[] = { "a", "a:", ":1.2.3.4", "a:1.2.3", "a:host-gateway", "a:[", "a:x" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(words); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .mode = NET_NONE };
		struct net_result result = { 0 };
		struct net_names names = { .hostname = "box", .name = "web", .add_host = list(a, words[i]) };
		struct error err = { 0 };

		assert_null(net_hosts(a, &r, &names, &result, "", &err));
		assert_int_not_equal(err.kind, ERROR_NONE);
	}
}

static void no_hosts_is_no_error(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_NONE };
	struct net_result result = { 0 };
	struct net_names names = { .no_hosts = true };
	struct error err = { 0 };

	(void)state;
	assert_null(net_hosts(a, &r, &names, &result, "", &err));
	assert_int_equal(err.kind, ERROR_NONE);
}

static void resolv_conf_is_written(void **state)
{
	static const char host[] = "# by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n"
				   "domain old.lan\nsearch a.lan b.lan\noptions ndots:2\noptions edns0\n";
	static const struct {
		enum net_mode mode;
		const char *own, *dns, *search, *options, *base, *expected;
	} cases[] = {
		{ NET_SLIRP4NETNS, "10.0.2.3", "", "", "", host,
		  "search a.lan b.lan\nnameserver 10.0.2.3\nnameserver 192.0.2.1\noptions ndots:2 edns0\n" },
		{ NET_HOST, "", "", "", "", host,
		  "search a.lan b.lan\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n"
		  "options ndots:2 edns0\n" },
		{ NET_PASTA, "169.254.1.1", "9.9.9.9 ::9", "x.org", "rotate", host,
		  "search x.org\nnameserver 9.9.9.9\nnameserver ::9\noptions rotate\n" },
		{ NET_NONE, "", "", ".", "", host, "nameserver 192.0.2.1\noptions ndots:2 edns0\n" },
		{ NET_NONE, "", "", "", "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .mode = cases[i].mode };
		struct net_result result = { .dns = list(a, cases[i].own) };
		struct net_names names = { .dns = list(a, cases[i].dns), .dns_search = list(a, cases[i].search),
					   .dns_options = list(a, cases[i].options) };
		char *text = net_resolv_conf(a, &r, &names, &result, cases[i].base, NULL);

		assert_non_null(text);
		assert_string_equal(text, cases[i].expected);
	}
}

static void resolv_conf_refuses_names(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_NONE };
	struct net_result result = { 0 };
	struct net_names names = { .dns = list(a, "dns.example") };
	struct error err = { 0 };

	(void)state;
	assert_null(net_resolv_conf(a, &r, &names, &result, "", &err));
	assert_string_equal(err.text, "dns.example is not an ip address");
	names.dns = list(a, "none");
	error_clear(&err);
	assert_null(net_resolv_conf(a, &r, &names, &result, "", &err));
	assert_int_equal(err.kind, ERROR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_written), cmocka_unit_test(bad_hosts_are_refused),
		cmocka_unit_test(no_hosts_is_no_error), cmocka_unit_test(resolv_conf_is_written),
		cmocka_unit_test(resolv_conf_refuses_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
