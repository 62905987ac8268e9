#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "run/bypass_filter.h"
#include "run/seccomp_machine.h"
#include "sys/bypass_options.h"

static bool published;

static uint32_t answer_to(const struct seccomp_data *data)
{
	size_t n;
	const struct sock_filter *filter = bypass_filter(published, &n);

	return seccomp_machine_answer(filter, n, data);
}

static uint32_t answer(uint32_t arch, long number, uint64_t first, uint64_t third)
{
	return answer_to(&(struct seccomp_data){ .nr = (int)number, .arch = arch, .args = { first, 0, third } });
}

static uint32_t answer_option(int level, int name)
{
	return answer_to(&(struct seccomp_data){ .nr = SYS_setsockopt, .arch = SECCOMP_NATIVE, .args = { 3, (uint64_t)level, (uint64_t)name } });
}

static void connections_and_listening_are_notified(void **state)
{
	static const size_t sizes[] = { sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6), sizeof(struct sockaddr_storage) };
	struct error err = { 0 };
	_cleanup_arena_ struct arena *a = arena_new();
	size_t n;
	const struct sock_filter *filter = bypass_filter(published, &n);

	(void)state;
	assert_int_equal(seccomp_machine_check(a, filter, n, &err), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(answer(SECCOMP_NATIVE, SYS_connect, 3, sizes[i]), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(SECCOMP_NATIVE, SYS_listen, 3, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(answer(SECCOMP_NATIVE, SYS_listen, 363, 16), SECCOMP_RET_USER_NOTIF);
}

static void the_rest_passes(void **state)
{
	(void)state;
	assert_int_equal(answer(SECCOMP_NATIVE, SYS_connect, 3, 110), SECCOMP_RET_ALLOW);
	for (long n = 0; n < 1000; n++)
		if (n != SYS_connect && n != SYS_listen && n != 425 && !(published && (n == SYS_accept || n == SYS_accept4)))
			assert_int_equal(answer(SECCOMP_NATIVE, n, 4, 16), SECCOMP_RET_ALLOW);
}

static void seldom_options_are_notified(void **state)
{
	const struct { int level, name; } others[] = {
		{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_SNDBUF }, { IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_CORK }, { IPPROTO_IP, IP_RECVERR }, { IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_UDP, 104 },
	};

	(void)state;
#define CHECK(level, name) assert_int_equal(answer_option(level, name), SECCOMP_RET_USER_NOTIF);
	BYPASS_SELDOM_OPTIONS(CHECK)
	BYPASS_SPECIAL_OPTIONS(CHECK)
	BYPASS_OTHER_OPTIONS(CHECK)
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(answer_option(others[i].level, others[i].name), SECCOMP_RET_ALLOW);
}

static void no_other_way_leads_to_listening(void **state)
{
	(void)state;
	assert_int_equal(answer(SECCOMP_NATIVE, 425, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
#ifdef __x86_64__
	assert_int_equal(answer(AUDIT_ARCH_X86_64, 0x40000000 | SYS_listen, 3, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(AUDIT_ARCH_X86_64, -1, 3, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(AUDIT_ARCH_I386, 363, 3, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(AUDIT_ARCH_I386, 102, 4, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(AUDIT_ARCH_I386, 102, 3, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(AUDIT_ARCH_I386, 425, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(answer(AUDIT_ARCH_I386, 50, 0, 0), SECCOMP_RET_ALLOW);
#endif
}

static void accepting_is_notified_where_ports_are_published(void **state)
{
	published = true;
	for (uint64_t flags = 0; flags < 3; flags++) {
		assert_int_equal(answer(SECCOMP_NATIVE, SYS_accept, 3, flags), SECCOMP_RET_USER_NOTIF);
		assert_int_equal(answer(SECCOMP_NATIVE, SYS_accept4, 3, flags), SECCOMP_RET_USER_NOTIF);
	}
	connections_and_listening_are_notified(state);
	the_rest_passes(state);
	no_other_way_leads_to_listening(state);
	seldom_options_are_notified(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_and_listening_are_notified), cmocka_unit_test(the_rest_passes),
		cmocka_unit_test(no_other_way_leads_to_listening),
		cmocka_unit_test(seldom_options_are_notified),
		cmocka_unit_test(accepting_is_notified_where_ports_are_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
