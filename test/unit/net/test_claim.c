#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/claim.h"
#include "net/forward.h"
#include "net/net.h"

static const char tcp_table[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n"
	"   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0\n";
static const char udp6_table[] =
	"  sl  local_address                         remote_address                        st tx_queue rx_queue\n"
	"   7: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 "
	"00:00000000 00000000     0        0 99 2 0 0\n";

static void finds_the_listener(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	assert_int_equal(claim_find_inode(a, tcp_table, 8080, true), 4711);
	assert_int_equal(claim_find_inode(a, tcp_table, 8081, true), 0);
	assert_int_equal(claim_find_inode(a, udp6_table, 53, false), 99);
	assert_int_equal(claim_find_inode(a, "", 53, false), 0);
}

static int listen_somewhere(unsigned *ret_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(sock, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(sock, 1), 0);
	assert_int_equal(getsockname(sock, (struct sockaddr *)&in, &n), 0);
	*ret_port = ntohs(in.sin_port);
	return sock;
}

static void a_taken_port_names_its_owner(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_SLIRP4NETNS };
	struct error err = { 0 };
	unsigned port;
	int sock = listen_somewhere(&port);

	(void)state;
	assert_int_equal(net_parse_port(a, arena_printf(a, "127.0.0.1:%u:80", port), &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, &err), -1);
	assert_string_equal(err.text, arena_printf(a, "cannot listen on the TCP port: listen tcp4 127.0.0.1:%u: bind: "
						   "address already in use", port));
	assert_int_equal(error_exit_code(&err), 126);
	assert_non_null(strstr(err.hint, arena_printf(a, "(pid %d)", (int)getpid())));
	close(sock);
	assert_int_equal(net_claim_ports(a, &r, &err), 0);
}

static void random_ports_are_chosen(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_PASTA };

	(void)state;
	assert_int_equal(net_parse_port(a, "80", &r, NULL), 0);
	assert_int_equal(net_parse_port(a, "127.0.0.1::90-92/udp", &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, NULL), 0);
	assert_true(r.ports.v[0].host_port >= 1024);
	assert_true(r.ports.v[1].host_port >= 1024);
}

static void no_port_is_bound_without_a_helper(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_NONE };

	(void)state;
	assert_int_equal(net_parse_port(a, "80", &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, NULL), 0);
	assert_int_equal(r.ports.v[0].host_port, 0);
}

static void an_address_of_nobody_is_refused(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_PASTA };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(net_parse_port(a, "198.51.100.77:48123:80", &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, &err), -1);
	assert_non_null(strstr(err.text, "cannot assign requested address"));
	assert_int_equal(error_exit_code(&err), 126);
}

static int connect_to(int family, unsigned port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = v6.sin6_port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = connect(sock, family == AF_INET6 ? (void *)&v6 : (void *)&v4, family == AF_INET6 ? sizeof(v6) : sizeof(v4));

	close(sock);
	return r;
}

static void sockets_for_the_monitor_are_kept(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_BRIDGE }, other = { .mode = NET_BRIDGE };
	unsigned port;

	(void)state;
	assert_int_equal(net_parse_port(a, "80-82", &r, NULL), 0);
	assert_int_equal(net_parse_port(a, "127.0.0.1::53/udp", &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, NULL), 0);
	port = r.ports.v[0].host_port;
	assert_int_equal(net_forward_count(&r), 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(net_forward_socket(&r, i) >= 0);
	assert_int_equal(connect_to(AF_INET, port + 2), 0);
	assert_int_equal(net_parse_port(a, arena_printf(a, "%u:80", port + 1), &other, NULL), 0);
	assert_int_equal(net_claim_ports(a, &other, NULL), -1);
	net_close_sockets(&r);
	assert_int_equal(net_claim_ports(a, &other, NULL), 0);
	net_close_sockets(&other);
}

static void a_failed_claim_keeps_nothing(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_BRIDGE };
	unsigned taken, first;
	int sock = listen_somewhere(&taken);

	(void)state;
	first = taken > 1 ? taken - 1 : taken;
	assert_int_equal(net_parse_port(a, arena_printf(a, "127.0.0.1:%u-%u:80-81", first, first + 1), &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, NULL), -1);
	assert_int_equal(net_forward_socket(&r, 0), -1);
	close(sock);
}

static void a_restart_takes_the_sockets_over(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_BRIDGE }, again = { .mode = NET_BRIDGE }, different = { .mode = NET_BRIDGE };
	int sockets[3];

	(void)state;
	assert_int_equal(net_parse_port(a, "80-81", &r, NULL), 0);
	assert_int_equal(net_parse_port(a, "53/udp", &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		sockets[i] = net_forward_socket(&r, i);
	again.inherited.v = sockets;
	again.inherited.n = 3;
	assert_int_equal(net_parse_port(a, "80-81", &again, NULL), 0);
	assert_int_equal(net_parse_port(a, "53/udp", &again, NULL), 0);
	assert_int_equal(net_claim_ports(a, &again, NULL), 0);
	assert_int_equal(again.ports.v[0].host_port, r.ports.v[0].host_port);
	assert_int_equal(again.ports.v[1].host_port, r.ports.v[1].host_port);
	for (size_t i = 0; i < 3; i++)
		sockets[i] = net_forward_socket(&again, i);
	/* Another order of protocols: they are closed, and the ports are claimed anew. */
	different.inherited.v = sockets;
	different.inherited.n = 3;
	assert_int_equal(net_parse_port(a, "53/udp", &different, NULL), 0);
	assert_int_equal(net_parse_port(a, "80-81", &different, NULL), 0);
	assert_int_equal(net_claim_ports(a, &different, NULL), 0);
	assert_int_equal(connect_to(AF_INET, r.ports.v[0].host_port), -1);
	assert_int_equal(connect_to(AF_INET, different.ports.v[1].host_port), 0);
	net_close_sockets(&different);
}

static void both_families_by_one_socket(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_BRIDGE };
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool has_v6 = probe >= 0 && bind(probe, (void *)&v6, sizeof(v6)) == 0;

	(void)state;
	close(probe);
	assert_int_equal(net_parse_port(a, "80", &r, NULL), 0);
	assert_int_equal(net_parse_port(a, "0.0.0.0::80", &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, NULL), 0);
	assert_int_equal(connect_to(AF_INET, r.ports.v[0].host_port), 0);
	if (has_v6)
		assert_int_equal(connect_to(AF_INET6, r.ports.v[0].host_port), 0);
	assert_int_equal(connect_to(AF_INET, r.ports.v[1].host_port), 0);
	assert_int_equal(connect_to(AF_INET6, r.ports.v[1].host_port), -1);
	net_close_sockets(&r);
}

static char *find_container(void *context, unsigned port, const char *protocol)
{
	(void)port;
	return strcmp(protocol, "tcp") == 0 ? context : NULL;
}

static void a_container_that_has_the_port_is_named(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct net_request r = { .mode = NET_BRIDGE, .find_container = find_container, .context = (void *)"web" };
	struct error err = { 0 };
	unsigned port;
	int sock = listen_somewhere(&port);

	(void)state;
	assert_int_equal(net_parse_port(a, arena_printf(a, "127.0.0.1:%u:80", port), &r, NULL), 0);
	assert_int_equal(net_claim_ports(a, &r, &err), -1);
	assert_string_equal(err.hint, "the port is published by the container web");
	close(sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_listener), cmocka_unit_test(a_taken_port_names_its_owner),
		cmocka_unit_test(random_ports_are_chosen), cmocka_unit_test(no_port_is_bound_without_a_helper),
		cmocka_unit_test(an_address_of_nobody_is_refused), cmocka_unit_test(sockets_for_the_monitor_are_kept),
		cmocka_unit_test(a_failed_claim_keeps_nothing), cmocka_unit_test(a_restart_takes_the_sockets_over),
		cmocka_unit_test(both_families_by_one_socket), cmocka_unit_test(a_container_that_has_the_port_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
