#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/bypass.h"

static bool parses(const char *text, uint16_t port, size_t size)
{
	struct sockaddr_storage any = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&any;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&any;
	struct target t;

	if (strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
	} else {
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
	}
	return target_parse(&t, &any, size);
}

static void only_unicast_addresses_may_be_outside(void **state)
{
	static const char *const never[] = {
		"127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "169.254.1.1", "169.254.169.254", "224.0.0.251",
		"239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:0.0.0.0",
		"::ffff:169.254.1.1", "::ffff:224.0.0.1", "::ffff:0:127.0.0.1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
		"ff0e::1",
	};
	static const char *const maybe[] = {
		"10.0.0.1", "192.168.1.1", "126.255.255.255", "128.0.0.1", "169.253.0.1", "169.255.0.1", "223.255.255.255",
		"fd00::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (parses(never[i], 80, sizeof(struct sockaddr_storage)))
			fail_msg("%s", never[i]);
	for (size_t i = 0; i < sizeof(maybe) / sizeof(maybe[0]); i++)
		if (!parses(maybe[i], 80, strchr(maybe[i], ':') ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)))
			fail_msg("%s", maybe[i]);
}

static void an_address_is_whole_and_has_a_port(void **state)
{
	struct sockaddr_in6 scoped = { .sin6_family = AF_INET6, .sin6_port = 80, .sin6_scope_id = 2,
				       .sin6_addr.s6_addr = { 0x20, 1, 0xd, 0xb8 } };
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC }, local = { .sa_family = AF_UNIX };
	char large[sizeof(struct sockaddr_storage) + 1] = { AF_INET };
	struct target t;

	(void)state;
	assert_false(parses("10.0.0.1", 0, sizeof(struct sockaddr_in)));
	assert_false(parses("2001:db8::1", 0, sizeof(struct sockaddr_in6)));
	assert_false(parses("10.0.0.1", 80, sizeof(struct sockaddr_in) - 1));
	assert_false(parses("2001:db8::1", 80, sizeof(struct sockaddr_in6) - 1));
	assert_false(target_parse(&t, &scoped, sizeof(scoped)));
	assert_false(target_parse(&t, &unspecified, sizeof(unspecified)));
	assert_int_equal(t.size, 0);
	assert_false(target_parse(&t, &local, sizeof(local)));
	assert_false(target_parse(&t, large, sizeof(large)));
	assert_false(target_parse(&t, large, 0));
	scoped.sin6_scope_id = 0;
	assert_true(target_parse(&t, &scoped, sizeof(scoped)));
	assert_false(t.is_v4);
}

/* --- of our own process */

static void descriptors_are_told_apart(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), set = epoll_create1(0), second, taken;
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x123456789abcdef0 };
	struct epoll_place place;
	struct stat st;

	(void)state;
	fstat(fd, &st);
	assert_int_equal(caller_closes_on_exec(getpid(), fd), 1);
	fcntl(fd, F_SETFD, 0);
	assert_int_equal(caller_closes_on_exec(getpid(), fd), 0);
	assert_int_equal(caller_closes_on_exec(getpid(), 9999), -1);
	assert_true(caller_knows_once(getpid(), fd, st.st_ino, &place));
	assert_int_equal(place.epoll, -1);
	assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e), 0);
	assert_true(caller_knows_once(getpid(), fd, st.st_ino, &place));
	assert_int_equal(place.epoll, set);
	assert_int_equal(place.events & (EPOLLIN | EPOLLET), EPOLLIN | EPOLLET);
	assert_true(place.data == e.data.u64);
	taken = caller_take(getpid(), fd);
	assert_true(taken >= 0);
	assert_false(caller_knows_once(getpid(), fd, st.st_ino, &place));
	close(taken);
	second = epoll_create1(0);
	assert_int_equal(epoll_ctl(second, EPOLL_CTL_ADD, fd, &e), 0);
	assert_false(caller_knows_once(getpid(), fd, st.st_ino, &place));
	close(second);
	close(set);
	close(fd);
	assert_int_equal(caller_take(getpid(), 9999), -1);
}

static void memory_comes_whole_or_not_at_all(void **state)
{
	char text[] = "address", copy[sizeof(text)] = "";

	(void)state;
	assert_true(caller_read(getpid(), (uintptr_t)text, copy, sizeof(copy)));
	assert_string_equal(copy, text);
	assert_false(caller_read(getpid(), 8, copy, sizeof(copy)));
}

static void what_is_special_is_left_alone(void **state)
{
	int plain = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_in any = { .sin_family = AF_INET };
	uint64_t cookie = own_socket_cookie(plain);
	struct own_socket s;

	(void)state;
	if (!cookie)
		skip();
	assert_true(own_socket_examine(&s, plain, cookie, true));
	assert_false(s.is_host);
	assert_false(own_socket_examine(&s, plain, cookie + 1, true));
	assert_false(own_socket_examine(&s, udp, cookie, true));
	assert_false(own_socket_examine(&s, local, cookie, true));
	assert_int_equal(fcntl(plain, F_SETOWN, getpid()), 0);
	assert_false(own_socket_examine(&s, plain, cookie, true));
	assert_int_equal(fcntl(plain, F_SETOWN, 0), 0);
	assert_true(own_socket_examine(&s, plain, cookie, true));
	assert_int_equal(bind(plain, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_false(own_socket_examine(&s, plain, cookie, true));
	close(plain);
	close(udp);
	close(local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_unicast_addresses_may_be_outside), cmocka_unit_test(an_address_is_whole_and_has_a_port),
		cmocka_unit_test(descriptors_are_told_apart), cmocka_unit_test(memory_comes_whole_or_not_at_all),
		cmocka_unit_test(what_is_special_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
