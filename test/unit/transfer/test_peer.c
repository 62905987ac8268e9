/* Whom a registry may send us to, and what its addresses mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/string.h"
#include "transfer/peer.h"
#include "transfer/url.h"

static bool on_link(const char *text)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return peer_is_on_link((const struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return peer_is_on_link((const struct sockaddr *)&six);
}

static void test_links(void **state)
{
	static const char *const refused[] = { "169.254.169.254", "169.254.0.0", "fe80::1", "febf::1", "::ffff:169.254.1.1" };
	static const char *const fine[] = { "127.0.0.1", "169.253.1.1", "10.0.0.1", "::1", "fec0::1", "2001:db8::1",
					    "::ffff:10.0.0.1" };
	const struct sockaddr other = { .sa_family = AF_UNIX };

	for (size_t i = 0; i < ELEMENTS(refused); i++)
		assert_true(on_link(refused[i]));
	for (size_t i = 0; i < ELEMENTS(fine); i++)
		assert_false(on_link(fine[i]));
	assert_false(peer_is_on_link(&other));
}

static void test_hosts(void **state)
{
	static const struct { const char *a, *b; bool same; } rows[] = {
		{ "https://r.example/token", "https://r.example", true }, { "http://R.Example:80/x", "https://r.example:5000", true },
		{ "https://r.example.evil/", "https://r.example", false }, { "https://r.example@evil/", "https://r.example", false },
		{ "https://r.example:x@evil/", "https://r.example", false }, { "https://[::1]:5000/", "http://[::1]", true },
		{ "file:///etc/passwd", "https://r.example", false }, { "", "https://r.example", false },
		{ "https://r.exampl", "https://r.example", false },
	};
	_cleanup_arena_ struct arena *arena = arena_new();

	for (size_t i = 0; i < ELEMENTS(rows); i++)
		assert_int_equal(url_same_host(arena, rows[i].a, rows[i].b), rows[i].same);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_links), cmocka_unit_test(test_hosts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
