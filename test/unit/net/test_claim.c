#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/claim.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_listener), cmocka_unit_test(a_taken_port_names_its_owner),
		cmocka_unit_test(random_ports_are_chosen), cmocka_unit_test(no_port_is_bound_without_a_helper),
		cmocka_unit_test(an_address_of_nobody_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
