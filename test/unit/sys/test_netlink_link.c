/* Interfaces in network namespaces of this test's own, made as any user can; skipped where he cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/netlink_link.h"

static const uint8_t mac_a[6] = { 0x62, 0, 0, 0, 0, 1 }, mac_b[6] = { 0x62, 0, 0, 0, 0, 2 };

/* A namespace of the test's own user namespace, and the test is in another one. */
static int new_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0 || (fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	return fd;
}

struct place {
	int ns[2], socket[2];
};

static bool place_open(struct place *p)
{
	static bool entered;

	if (!entered && unshare(CLONE_NEWUSER) < 0)
		return false;
	entered = true;
	p->ns[0] = new_namespace();
	p->ns[1] = new_namespace();
	return p->ns[0] >= 0 && p->ns[1] >= 0 && new_namespace() >= 0 && netlink_open_in(p->ns, 2, p->socket, NULL) == 0;
}

static struct place open_or_skip(void)
{
	struct place p;

	if (!place_open(&p))
		skip();
	return p;
}

static struct netlink_link find(int socket, const char *name)
{
	struct netlink_link link;

	assert_int_equal(netlink_link_find(socket, name, &link, NULL), 0);
	return link;
}

static void sockets_are_where_they_belong(void **state)
{
	struct place p = open_or_skip();
	int bad = open("/dev/null", O_RDONLY | O_CLOEXEC), sockets[2];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(netlink_link_add_bridge(p.socket[0], "br1", 1500, mac_a, 0, NULL), 0);
	assert_true(find(p.socket[0], "br1").index > 0);
	assert_int_equal(find(p.socket[1], "br1").index, 0);
	assert_int_equal(if_nametoindex("br1"), 0);	/* and the caller is where he was */
	assert_int_equal(netlink_open_in((int[]){ p.ns[0], bad }, 2, sockets, &err), -1);
	assert_non_null(strstr(err.text, "enter the network namespace"));
	assert_true(sockets[0] == -1 && sockets[1] == -1);
}

static void a_pair_connects_two_namespaces(void **state)
{
	struct place p = open_or_skip();
	struct netlink_pair pair = { .mtu = 65520, .other_ns = p.ns[1], .other_name = "eth0", .other_mac = mac_b };
	struct netlink_link bridge, inside;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(netlink_link_add_bridge(p.socket[0], "br1", 65520, mac_a, 0, NULL), 0);
	bridge = find(p.socket[0], "br1");
	assert_false(bridge.is_up);
	assert_int_equal(netlink_link_set_up(p.socket[0], bridge.index, NULL), 0);
	assert_true(find(p.socket[0], "br1").is_up);
	pair.bridge = bridge.index;
	assert_int_equal(netlink_link_add_pair(p.socket[0], &pair, NULL), 0);
	inside = find(p.socket[1], "eth0");
	assert_true(inside.index > 0 && inside.other > 0 && !inside.is_up);
	assert_int_equal(netlink_link_add_pair(p.socket[0], &pair, &err), -1);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(netlink_link_delete(p.socket[0], inside.other, NULL), 0);
	assert_int_equal(find(p.socket[1], "eth0").index, 0);
}

static void count_message(void *context, const struct nlmsghdr *m)
{
	*(unsigned *)context += m->nlmsg_type == RTM_NEWROUTE;
}

/* How many routes of the main table lead by a gateway. */
static unsigned count_routes(int socket, int family)
{
	struct rtmsg body = { .rtm_family = (unsigned char)family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC };
	struct netlink_request r;
	unsigned n = 0;
	int on = 1;

	setsockopt(socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	netlink_request_init(&r, RTM_GETROUTE, NLM_F_DUMP, &body, sizeof(body));
	assert_int_equal(netlink_ask(socket, &r, count_message, &n, NULL), 0);
	return n;
}

static void addresses_and_routes(void **state)
{
	struct place p = open_or_skip();
	uint8_t own[16], gateway[16], own6[16], gateway6[16];
	const struct netlink_address address = { AF_INET, own, 24 }, address6 = { AF_INET6, own6, 64 };
	const struct netlink_address everywhere = { .family = AF_INET }, everywhere6 = { .family = AF_INET6 };
	unsigned index;
	struct error err = { 0 };

	(void)state;
	inet_pton(AF_INET, "10.9.0.2", own);
	inet_pton(AF_INET, "10.9.0.1", gateway);
	inet_pton(AF_INET6, "fd09::2", own6);
	inet_pton(AF_INET6, "fd09::1", gateway6);
	assert_int_equal(netlink_link_add_bridge(p.socket[0], "br1", 1500, mac_a, 0, NULL), 0);
	index = find(p.socket[0], "br1").index;
	assert_int_equal(netlink_link_set_up(p.socket[0], index, NULL), 0);
	assert_int_equal(netlink_link_add_address(p.socket[0], index, &address, NULL), 0);
	assert_int_equal(netlink_link_add_address(p.socket[0], index, &address6, NULL), 0);
	assert_int_equal(netlink_link_add_address(p.socket[0], index, &address, &err), -1);
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(netlink_link_add_route(p.socket[0], index, &everywhere, gateway, 100, NULL), 0);
	assert_int_equal(netlink_link_add_route(p.socket[0], index, &everywhere, gateway, 101, NULL), 0);
	assert_int_equal(netlink_link_add_route(p.socket[0], index, &everywhere6, gateway6, 100, NULL), 0);
	assert_int_equal(count_routes(p.socket[0], AF_INET), 2);
	assert_int_equal(count_routes(p.socket[0], AF_INET6), 1);
}

static void long_requests_are_refused(void **state)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct netlink_request r;
	char much[600] = "";
	size_t begun;

	(void)state;
	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	begun = netlink_request_begin(&r, IFLA_LINKINFO, NULL, 0);
	netlink_request_add(&r, IFLA_INFO_KIND, much, sizeof(much));
	assert_false(r.failed);
	netlink_request_end(&r, begun);
	netlink_request_add(&r, IFLA_IFNAME, much, sizeof(much));
	assert_true(r.failed);
	netlink_request_end(&r, netlink_request_begin(&r, IFLA_LINKINFO, much, sizeof(much)));
	assert_int_equal(netlink_ask(-1, &r, NULL, NULL, NULL), -1);
	assert_int_equal(errno, E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_where_they_belong), cmocka_unit_test(a_pair_connects_two_namespaces),
		cmocka_unit_test(addresses_and_routes), cmocka_unit_test(long_requests_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
