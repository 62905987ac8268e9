#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/network_device.h"
#include "sys/fd.h"
#include "sys/netlink.h"

static struct arena *arena;

static int enter(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void add(struct oci_linux *l, const char *device, const char *name)
{
	*ARRAY_ADD(arena, &l->net_devices) = (struct oci_net_device){ (char *)device, (char *)name };
}

static struct oci_linux *with_network(void)
{
	struct oci_linux *l = arena_new_one(arena, struct oci_linux);

	ARRAY_ADD(arena, &l->namespaces)->type = (char *)"mount";
	ARRAY_ADD(arena, &l->namespaces)->type = (char *)"network";
	return l;
}

/* --- names */

static void refuses_names_that_no_interface_has(void **state)
{
	static const struct { const char *device, *name, *error; } cases[] = {
		{ "eth0", NULL, NULL },
		{ "eth0", "net0", NULL },
		{ "eth0", "net%d", NULL },
		{ "123456789012345", "a.b-c_d", NULL },
		{ "", NULL, ".linux.netDevices[\"\"]: the interface's name is empty" },
		{ "1234567890123456", NULL, ".linux.netDevices[\"1234567890123456\"]: the interface's name is longer than 15 bytes" },
		{ "a/b", NULL, ".linux.netDevices[\"a/b\"]: the interface's name has a character that no interface's name has" },
		{ "eth%d", NULL, ".linux.netDevices[\"eth%d\"]: the interface's name has a '%'" },
		{ "eth0", "", ".linux.netDevices[\"eth0\"].name: \"\" is empty" },
		{ "eth0", ".", ".linux.netDevices[\"eth0\"].name: \".\" is none" },
		{ "eth0", "..", ".linux.netDevices[\"eth0\"].name: \"..\" is none" },
		{ "eth0", "a b", ".linux.netDevices[\"eth0\"].name: \"a b\" has a character that no interface's name has" },
		{ "eth0", "a:b", ".linux.netDevices[\"eth0\"].name: \"a:b\" has a character that no interface's name has" },
		{ "eth0", "a\nb", ".linux.netDevices[\"eth0\"].name: \"a?b\" has a character that no interface's name has" },
		{ "eth0", "1234567890123456", ".linux.netDevices[\"eth0\"].name: \"1234567890123456\" is longer than 15 bytes" },
		{ "eth0", "e%s", ".linux.netDevices[\"eth0\"].name: \"e%s\" has a '%' that is not the one \"%d\" of a pattern" },
		{ "eth0", "e%d%d", ".linux.netDevices[\"eth0\"].name: \"e%d%d\" has a '%' that is not the one \"%d\" of a pattern" },
		{ "eth0", "e%", ".linux.netDevices[\"eth0\"].name: \"e%\" has a '%' that is not the one \"%d\" of a pattern" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct oci_linux *l = with_network();
		struct error err = { 0 };

		add(l, cases[i].device, cases[i].name);
		assert_int_equal(network_device_check(arena, l, &err), cases[i].error ? -1 : 0);
		if (cases[i].error)
			assert_string_equal(err.text, cases[i].error);
	}
}

static void refuses_one_name_for_two(void **state)
{
	struct oci_linux *l = with_network();
	struct error err = { 0 };

	(void)state;
	add(l, "a", "net%d");
	add(l, "b", "net%d");
	add(l, "c", "d");
	add(l, "d", "c");
	assert_int_equal(network_device_check(arena, l, &err), 0);
	add(l, "e", "c");
	assert_int_equal(network_device_check(arena, l, &err), -1);
	assert_string_equal(err.text, ".linux.netDevices[\"e\"].name: \"c\" is the name of \"d\" already");
	l->net_devices.n = 1;
	add(l, "a", NULL);
	assert_int_equal(network_device_check(arena, l, &err), -1);
	assert_string_equal(err.text, ".linux.netDevices[\"a\"]: given twice");
}

static void needs_a_namespace(void **state)
{
	struct oci_linux l = { 0 };
	struct error err = { 0 };

	(void)state;
	ARRAY_ADD(arena, &l.namespaces)->type = (char *)"mount";
	assert_int_equal(network_device_check(arena, &l, &err), 0);
	add(&l, "eth0", NULL);
	assert_int_equal(network_device_check(arena, &l, &err), -1);
	assert_string_equal(err.text, NETWORK_DEVICE_NO_NAMESPACE);
	/* There may be one, and be our own. */
	ARRAY_ADD(arena, &l.namespaces)->type = (char *)"network";
	assert_int_equal(network_device_move(arena, &l, getpid(), &err), -1);
	assert_string_equal(err.text, NETWORK_DEVICE_NO_NAMESPACE);
}

static void chooses_numbers_as_the_kernel_does(void **state)
{
	struct strings taken = { 0 };

	(void)state;
	strings_add(arena, &taken, "lo");
	strings_add(arena, &taken, "net0");
	strings_add(arena, &taken, "net1");
	strings_add(arena, &taken, "net3");
	strings_add(arena, &taken, "1234567890123-0");
	assert_string_equal(network_device_name(arena, "eth0", &taken), "eth0");
	assert_null(network_device_name(arena, "lo", &taken));
	assert_string_equal(network_device_name(arena, "net%d", &taken), "net2");
	assert_string_equal(network_device_name(arena, "x%dy", &taken), "x0y");
	assert_null(network_device_name(arena, "12345678901234%d", &taken) ?
		    network_device_name(arena, "123456789012345%d", &taken) : "");
}

/* --- real interfaces, in a user and network namespace: of any user */

struct place {
	int socket;			/* the "host" */
	pid_t pid;			/* waits in another network namespace */
	int inside;			/* a socket there */
};

/* A "host" of this test's own, made as any user can. */
static bool enter_namespaces(void)
{
	static bool entered;

	if (unshare(entered ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	entered = true;
	return true;
}

static bool place_open(struct place *p)
{
	int ready[2], ns;
	char path[64], byte = 0;

	if (!enter_namespaces() || pipe(ready) < 0)
		return false;
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return false;
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)p->pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	p->socket = netlink_open();
	netlink_open_in(&ns, 1, &p->inside, NULL);
	close(ns);
	return p->socket >= 0 && p->inside >= 0;
}

static void place_close(struct place *p)
{
	close(p->socket);
	close(p->inside);
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

static void put(char *at, uint16_t type, const void *value, size_t n)
{
	struct rtattr head = { .rta_len = (unsigned short)(sizeof(head) + n), .rta_type = type };

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), value, n);
}

/* One end of a pair, with an MTU and a hardware address that nobody gets by chance. */
static int make_interface(const struct place *p, const char *name)
{
	static const uint8_t mac[6] = { 2, 0, 0, 1, 2, 3 };
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct netlink_request r;
	uint32_t mtu = 1400;
	char info[12] = { 0 };

	put(info, IFLA_INFO_KIND, "veth", 5);
	netlink_request_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, name);
	netlink_request_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	netlink_request_add(&r, IFLA_ADDRESS, mac, sizeof(mac));
	netlink_request_add(&r, IFLA_LINKINFO, info, 9);
	return netlink_ask(p->socket, &r, NULL, NULL, NULL);
}

struct seen {
	const char *name;
	bool found, up;
	uint32_t index, mtu;
	uint8_t mac[6];
	struct strings addresses;
};

static void see_link(void *context, const struct nlmsghdr *m)
{
	const struct ifinfomsg *body = netlink_body(m, sizeof(*body));
	struct seen *s = context;

	if (!str_eq(netlink_find_string(m, sizeof(*body), IFLA_IFNAME), s->name))
		return;
	s->found = true;
	s->up = body->ifi_flags & IFF_UP;
	s->index = (uint32_t)body->ifi_index;
	s->mtu = *(const uint32_t *)netlink_find(m, sizeof(*body), IFLA_MTU, 4, NULL);
	memcpy(s->mac, netlink_find(m, sizeof(*body), IFLA_ADDRESS, 6, NULL), 6);
}

static void see_address(void *context, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *body = netlink_body(m, sizeof(*body));
	struct seen *s = context;
	char text[64];

	if (body->ifa_index != s->index || body->ifa_scope != RT_SCOPE_UNIVERSE)
		return;
	inet_ntop(body->ifa_family, netlink_find(m, sizeof(*body), IFA_ADDRESS, 4, NULL), text, sizeof(text));
	strings_addf(arena, &s->addresses, "%s/%u", text, body->ifa_prefixlen);
}

static struct seen look(int socket, const char *name)
{
	struct seen s = { .name = name };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	struct netlink_request r;

	netlink_request_init(&r, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link));
	assert_int_equal(netlink_ask(socket, &r, see_link, &s, NULL), 0);
	netlink_request_init(&r, RTM_GETADDR, NLM_F_DUMP, &address, sizeof(address));
	assert_int_equal(netlink_ask(socket, &r, see_address, &s, NULL), 0);
	return s;
}

static void add_address(const struct place *p, const char *name, int family, const char *text, uint8_t prefix,
			uint32_t valid)
{
	struct ifaddrmsg body = { .ifa_family = (uint8_t)family, .ifa_prefixlen = prefix, .ifa_index = look(p->socket, name).index };
	struct ifa_cacheinfo life = { .ifa_prefered = valid, .ifa_valid = valid };
	struct netlink_request r;
	uint8_t bytes[16];
	size_t n = family == AF_INET ? 4 : 16;

	assert_int_equal(inet_pton(family, text, bytes), 1);
	netlink_request_init(&r, RTM_NEWADDR, NLM_F_CREATE, &body, sizeof(body));
	netlink_request_add(&r, IFA_LOCAL, bytes, n);
	netlink_request_add(&r, IFA_ADDRESS, bytes, n);
	if (valid)
		netlink_request_add(&r, IFA_CACHEINFO, &life, sizeof(life));
	assert_int_equal(netlink_ask(p->socket, &r, NULL, NULL, NULL), 0);
}

static void set_up(const struct place *p, const char *name)
{
	struct ifinfomsg body = { .ifi_index = (int)look(p->socket, name).index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	assert_int_equal(netlink_ask(p->socket, &r, NULL, NULL, NULL), 0);
}

/* Up, with addresses of both families and one that will not last. */
static bool prepare(struct place *p)
{
	if (!place_open(p))
		return false;
	if (make_interface(p, "probe0") < 0) {
		place_close(p);
		return false;
	}
	set_up(p, "probe0");
	add_address(p, "probe0", AF_INET, "192.0.2.7", 24, 0);
	add_address(p, "probe0", AF_INET, "192.0.2.8", 24, 0);
	add_address(p, "probe0", AF_INET6, "2001:db8::7", 64, 0);
	add_address(p, "probe0", AF_INET6, "2001:db8::9", 64, 3600);
	return true;
}

static void assert_whole(const struct seen *s)
{
	static const uint8_t mac[6] = { 2, 0, 0, 1, 2, 3 };

	assert_true(s->found);
	assert_true(s->up);
	assert_int_equal(s->mtu, 1400);
	assert_memory_equal(s->mac, mac, 6);
	assert_int_equal(s->addresses.n, 3);
	assert_true(strings_has(&s->addresses, "192.0.2.7/24"));
	assert_true(strings_has(&s->addresses, "192.0.2.8/24"));
	assert_true(strings_has(&s->addresses, "2001:db8::7/64"));
}

static void moves_with_all_that_belongs_to_it(void **state)
{
	struct oci_linux *l = with_network();
	struct error err = { 0 };
	struct place p;
	struct seen s;

	(void)state;
	if (!prepare(&p))
		skip();
	assert_int_equal(make_interface(&p, "probe1"), 0);
	assert_int_equal(make_interface(&p, "probe2"), 0);
	add(l, "probe0", "inner");
	add(l, "probe1", "probe%d");
	add(l, "probe2", NULL);
	if (network_device_move(arena, l, p.pid, &err) < 0)
		fail_msg("%s", err.text);
	s = look(p.inside, "inner");
	assert_whole(&s);
	assert_false(look(p.socket, "probe0").found);
	s = look(p.inside, "probe0");		/* of the pattern */
	assert_true(s.found && s.up);
	assert_int_equal(s.addresses.n, 0);
	assert_true(look(p.inside, "probe2").up);
	place_close(&p);
}

/* The kernel lets no loopback go: what went before it comes back. */
static void moves_all_or_none(void **state)
{
	struct oci_linux *l = with_network();
	struct error err = { 0 };
	struct place p;
	struct seen s;

	(void)state;
	if (!prepare(&p))
		skip();
	assert_int_equal(make_interface(&p, "probe1"), 0);
	add(l, "probe0", "inner");
	add(l, "probe1", NULL);
	add(l, "lo", "loop");
	assert_int_equal(network_device_move(arena, l, p.pid, &err), -1);
	assert_true(str_starts(err.text, ".linux.netDevices[\"lo\"]: move it: "));
	assert_false(look(p.inside, "inner").found);
	assert_false(look(p.inside, "probe1").found);
	s = look(p.socket, "probe0");
	s.addresses.n -= s.addresses.n == 4;
	assert_whole(&s);
	s = look(p.socket, "probe1");
	assert_true(s.found && !s.up);
	place_close(&p);
}

static void complains_before_anything_moves(void **state)
{
	struct error err = { 0 };
	struct oci_linux *l;
	struct place p;

	(void)state;
	if (!prepare(&p))
		skip();
	l = with_network();
	add(l, "probe0", NULL);
	add(l, "probe9", NULL);
	assert_int_equal(network_device_move(arena, l, p.pid, &err), -1);
	assert_string_equal(err.text, ".linux.netDevices[\"probe9\"]: there is no such interface");
	assert_int_equal(make_interface(&p, "probe1"), 0);
	l = with_network();
	add(l, "probe0", NULL);
	add(l, "probe1", "lo");
	assert_int_equal(network_device_move(arena, l, p.pid, &err), -1);
	assert_string_equal(err.text, ".linux.netDevices[\"probe1\"]: the container's network namespace has an interface \"lo\" already");
	assert_true(look(p.socket, "probe0").found);
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_names_that_no_interface_has, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_one_name_for_two, enter, leave),
		cmocka_unit_test_setup_teardown(needs_a_namespace, enter, leave),
		cmocka_unit_test_setup_teardown(chooses_numbers_as_the_kernel_does, enter, leave),
		cmocka_unit_test_setup_teardown(moves_with_all_that_belongs_to_it, enter, leave),
		cmocka_unit_test_setup_teardown(moves_all_or_none, enter, leave),
		cmocka_unit_test_setup_teardown(complains_before_anything_moves, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
