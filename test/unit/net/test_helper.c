#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/helper.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

static void pasta_is_asked_for_the_ports_only(void **state)
{
	static const struct { const char *ports, *options, *expected; bool recent; } cases[] = {
		{ "", "", "--config-net -t none -u none --tcp-ns none --udp-ns none --no-map-gw --dns-forward 169.254.1.1 "
		  "--quiet --pid /r/pasta.pid --netns /r/netns", false },
		{ "8080:80 53:53/udp", "",
		  "--config-net -t 8080:80 -u none --tcp-ns none --udp-ns none --no-map-gw --dns-forward 169.254.1.1 --quiet "
		  "--pid /r/pasta.pid --netns /r/netns", false },
		{ "8080:80 127.0.0.1:53:53/udp [::1]:9000-9001:90-91", "",
		  "--config-net -t 8080:80 -t ::1/9000-9001:90-91 -u 127.0.0.1/53:53 --tcp-ns none --udp-ns none --no-map-gw "
		  "--dns-forward 169.254.1.1 --map-guest-addr 169.254.1.2 --quiet --pid /r/pasta.pid --netns /r/netns", true },
		{ "", "-T,5432,--map-gw,--dns-forward=1.1.1.1",
		  "--config-net -T 5432 --dns-forward=1.1.1.1 -t none -u none --udp-ns none --quiet --pid /r/pasta.pid "
		  "--netns /r/netns", false },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .mode = NET_PASTA };
		struct host_net host = { .interface = "eth0", .ip = "192.0.2.2", .gateway = "192.0.2.1" };
		struct strings ports = *cases[i].ports ? strings_split(a, cases[i].ports, " ") : (struct strings){ 0 }, got = { 0 };

		if (*cases[i].options)
			r.options = strings_split(a, cases[i].options, ",");
		for (size_t j = 0; j < ports.n; j++)
			assert_int_equal(net_parse_port(a, ports.v[j], &r, NULL), 0);
		pasta_arguments(a, &r, &host, cases[i].recent, "/r", &got);
		assert_string_equal(strings_join(a, &got, " "), cases[i].expected);
	}
}

static void slirp4netns_has_its_addresses(void **state)
{
	static const struct { const char *options, *ip, *gateway, *dns, *host_ip; } cases[] = {
		{ "", "10.0.2.100", "10.0.2.2", "10.0.2.3", "192.0.2.2" },
		{ "allow_host_loopback=true", "10.0.2.100", "10.0.2.2", "10.0.2.3", "10.0.2.2" },
		{ "cidr=10.9.8.7/24,mtu=1500,port_handler=rootlesskit", "10.9.8.100", "10.9.8.2", "10.9.8.3", "192.0.2.2" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .mode = NET_SLIRP4NETNS };
		struct host_net host = { .ip = "192.0.2.2" };
		struct net_result got = { 0 };

		if (*cases[i].options)
			r.options = strings_split(a, cases[i].options, ",");
		assert_int_equal(slirp4netns_plan(a, &r, &host, &got, NULL), 0);
		assert_string_equal(got.ip, cases[i].ip);
		assert_string_equal(got.gateway, cases[i].gateway);
		assert_string_equal(got.dns.v[0], cases[i].dns);
		assert_string_equal(got.host_ip, cases[i].host_ip);
	}
}

static void slirp4netns_refuses_nonsense(void **state)
{
	static const char *const options[] = { "cidr=10.0.2.0", "cidr=10.0.2.0/26", "cidr=x/24", "mtu=1", "mtu=99999", "what",
					       "allow_host_loopback=1", "port_handler=x", "outbound_addr=", "" };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(options); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct net_request r = { .options = strings_split(a, options[i], ",") };
		struct host_net host = { 0 };
		struct net_result got = { 0 };
		struct error err = { 0 };

		assert_int_equal(slirp4netns_plan(a, &r, &host, &got, &err), -1);
		assert_int_equal(error_exit_code(&err), 125);
	}
}

static void the_default_route_is_found(void **state)
{
	static const char routes[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
				     "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
				     "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
	static const char routes6[] =
		"fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
		"00000100 00000001 00000000 00000001     eth0\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 "
		"ffffffff 00000001 00000000 00200200       lo\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 "
		"00000400 00000001 00000000 00000003     eth6\n";
	_cleanup_arena_ struct arena *a = arena_new();
	char *interface = NULL, *gateway = NULL;

	(void)state;
	assert_true(host_parse_route(a, routes, &interface, &gateway));
	assert_string_equal(interface, "eth0");
	assert_string_equal(gateway, "192.0.2.1");
	assert_true(host_parse_route6(a, routes6, &interface));
	assert_string_equal(interface, "eth6");
	assert_false(host_parse_route(a, "Iface\n", &interface, &gateway));
	assert_false(host_parse_route6(a, "", &interface));
}

static void the_hosts_networks_are_found(void **state)
{
	static const char routes[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
				     "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
				     "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
				     "down\t0000010A\t00000000\t0000\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
				     "short\t0000010A\n"
				     "vpn\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n";
	static const char routes6[] =
		"fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
		"00000100 00000001 00000000 00000001     eth0\n"
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
		"00000100 00000001 00000000 00000001     eth0\n"
		"fd00000000000000000000000000000z 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
		"00000100 00000001 00000000 00000001     eth0\n"
		"00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 "
		"00000000 00000003 00000000 80200001       lo\n";
	_cleanup_arena_ struct arena *a = arena_new();
	struct host_prefixes list = { 0 };

	(void)state;
	host_parse_routes(a, routes, &list);
	host_parse_routes6(a, routes6, &list);
	assert_int_equal(list.n, 3);
	assert_string_equal(ip_prefix_text(a, &list.v[0].prefix), "192.0.2.0/24");
	assert_string_equal(ip_prefix_text(a, &list.v[1].prefix), "10.0.0.0/8");
	assert_string_equal(list.v[1].interface, "vpn");
	assert_string_equal(ip_prefix_text(a, &list.v[2].prefix), "fd00::/64");
	host_parse_routes(a, "", &list);
	host_parse_routes6(a, "x", &list);
	assert_int_equal(list.n, 3);
}

static void last_words_are_without_noise(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_string_equal(helper_last_words(a, "a\nb\nFailed to send 57 bytes to syslog\n\nc\nd\n"), "b; c; d");
	assert_string_equal(helper_last_words(a, "only"), "only");
	assert_string_equal(helper_last_words(a, ""), "");
}

/* A directory for one test; removed with what net_stop leaves. */
static char *scratch(struct arena *a)
{
	char *dir = arena_strdup(a, "/tmp/test-net-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void a_helper_is_started_and_ended(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *dir = scratch(a);
	struct strings argv = { 0 };
	struct helper h = { .program = "sh", .argv = &argv, .runtime_dir = dir };
	struct helper_process p;
	struct error err = { 0 };
	int pidfd;

	(void)state;
	strings_add(a, &argv, "sh");
	strings_add(a, &argv, "-c");
	strings_add(a, &argv, "echo words; exec sleep 60");
	if (helper_start(a, &h, &p, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(helper_record(dir, p.pid, &err), 0);
	pidfd = pidfd_open_pid(p.pid);
	assert_true(pidfd >= 0);
	for (int i = 0; i < 500 && !*helper_words(a, p.log); i++)
		usleep(10000);
	assert_string_equal(helper_words(a, p.log), "words");
	helper_seal_log(p.log);
	assert_true(write(p.log, "0123456789", 10) < 10);
	net_stop(dir);
	assert_int_equal(pidfd_wait_exit(pidfd, 5000), 1);
	net_stop(dir);
	close(pidfd);
	close(p.log);
	assert_int_equal(rmdir(dir), 0);
}

static void a_forged_record_ends_nobody(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *dir = scratch(a);
	const char *record = arena_printf(a, "%d 1\n", (int)getpid());	/* us, but started at another time */
	_cleanup_fd_ int fd = fd_open_dir(AT_FDCWD, dir);

	(void)state;
	assert_int_equal(fd_write_file(fd, "network", record, strlen(record), 0600, false), 0);
	net_stop(dir);
	assert_int_equal(rmdir(dir), 0);
}

static void a_missing_program_is_an_error(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	char *dir = scratch(a);
	struct strings argv = { 0 };
	struct helper h = { .program = "no-such-helper", .argv = &argv, .runtime_dir = dir };
	struct helper_process p;
	struct error err = { 0 };

	(void)state;
	strings_add(a, &argv, "no-such-helper");
	assert_int_equal(helper_start(a, &h, &p, &err), -1);
	assert_non_null(strstr(err.text, "start no-such-helper"));
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pasta_is_asked_for_the_ports_only), cmocka_unit_test(slirp4netns_has_its_addresses),
		cmocka_unit_test(slirp4netns_refuses_nonsense), cmocka_unit_test(the_default_route_is_found), cmocka_unit_test(the_hosts_networks_are_found),
		cmocka_unit_test(last_words_are_without_noise), cmocka_unit_test(a_helper_is_started_and_ended),
		cmocka_unit_test(a_forged_record_ends_nobody), cmocka_unit_test(a_missing_program_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
