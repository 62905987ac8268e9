#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/string.h"
#include "gateway/facts.h"

static void print(const struct facts *f, char *ret, size_t room)
{
	char a[INET6_ADDRSTRLEN];

	*ret = '\0';
	for (size_t i = 0; i < f->servers_n; i++) {
		const union address *s = &f->servers[i];
		bool v4 = s->any.sa_family == AF_INET;

		assert_int_equal(ntohs(s->in.sin_port), 53);
		inet_ntop(s->any.sa_family, v4 ? (const void *)&s->in.sin_addr : (const void *)&s->in6.sin6_addr, a, sizeof(a));
		snprintf(ret + strlen(ret), room - strlen(ret), "%s%s", i ? " " : "", a);
	}
}

static void name_servers_are_read_as_resolvers_do(void **state)
{
	static const struct { const char *text, *expected; } cases[] = {
		{ "", "127.0.0.1" },
		{ "search example.org\n", "127.0.0.1" },
		{ "nameserver 192.0.2.1\n", "192.0.2.1" },
		{ "nameserver\t192.0.2.1 \r\nnameserver 2001:db8::1", "192.0.2.1 2001:db8::1" },
		{ "# nameserver 192.0.2.9\n;nameserver 192.0.2.8\n nameserver 192.0.2.7\nnameservers 192.0.2.6\n", "127.0.0.1" },
		{ "nameserver 192.0.2.1 # mine\nnameserver fe80::1%lo\n", "192.0.2.1 fe80::1" },
		{ "nameserver x\nnameserver 1.2.3\nnameserver 1.2.3.4\nnameserver\n", "1.2.3.4" },
		{ "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n", "1.1.1.1 2.2.2.2 3.3.3.3" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct facts facts = { .servers_n = 0 };
		char got[256];

		facts_parse_servers(cases[i].text, &facts);
		print(&facts, got, sizeof(got));
		assert_string_equal(got, cases[i].expected);
	}
}

static void a_scope_is_an_interface(void **state)
{
	struct facts facts;

	(void)state;
	facts_parse_servers("nameserver fe80::1%lo\n", &facts);
	assert_int_equal(facts.servers[0].in6.sin6_scope_id, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_servers_are_read_as_resolvers_do),
		cmocka_unit_test(a_scope_is_an_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
