/* WWW-Authenticate in the forms that registries use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "transfer/challenge.h"

static void test_forms(void **state)
{
	static const struct {
		const char *header;
		size_t n;
		enum challenge_scheme chosen;
		const char *realm, *service, *scope;
	} rows[] = {
		{ "Bearer realm=\"https://auth.example/token\",service=\"reg\",scope=\"repository:a/b:pull,push\"", 1,
		  CHALLENGE_BEARER, "https://auth.example/token", "reg", "repository:a/b:pull,push" },
		{ "Basic realm=\"a \\\"quoted\\\", realm\"", 1, CHALLENGE_BASIC, "a \"quoted\", realm", NULL, NULL },
		{ "bEARER Realm = \"https://x/t\" , Service = plain", 1, CHALLENGE_BEARER, "https://x/t", "plain", NULL },
		{ "Basic realm=\"r\", Bearer realm=\"https://x/t\"", 2, CHALLENGE_BEARER, "https://x/t", NULL, NULL },
		{ "Negotiate abcd==, Digest realm=\"d\", nonce=\"n,m\", Basic realm=\"b\"", 1, CHALLENGE_BASIC, "b", NULL, NULL },
		{ "Bearer service=\"no realm\", Basic", 2, CHALLENGE_BASIC, NULL, NULL, NULL },
		{ ",, ,Basic realm=\"unterminated", 1, CHALLENGE_BASIC, "unterminated", NULL, NULL },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct challenges list = { 0 };
		const struct challenge *c;

		challenge_parse(arena, rows[i].header, &list);
		assert_int_equal(list.n, rows[i].n);
		c = challenge_choose(&list);
		assert_non_null(c);
		assert_int_equal(c->scheme, rows[i].chosen);
		assert_true(str_eq(c->realm, rows[i].realm));
		assert_true(str_eq(c->service, rows[i].service));
		assert_true(str_eq(c->scopes.n ? c->scopes.v[0] : NULL, rows[i].scope));
	}
}

static void test_nothing_understood(void **state)
{
	static const char *const headers[] = { "", "Negotiate", "NTLM abc==", "=,=\"", "\"", "realm=\"x\"" };

	for (size_t i = 0; i < ELEMENTS(headers); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct challenges list = { 0 };

		challenge_parse(arena, headers[i], &list);
		assert_null(challenge_choose(&list));
	}
}

static void test_several_headers_and_scopes(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct challenges list = { 0 };

	challenge_parse(arena, "Basic realm=\"b\"", &list);
	challenge_parse(arena, "Bearer realm=\"https://x\",scope=\"one\",scope=\"two\",error=\"insufficient_scope\"", &list);
	assert_int_equal(list.n, 2);
	assert_int_equal(challenge_choose(&list)->scopes.n, 2);
	assert_string_equal(challenge_choose(&list)->error, "insufficient_scope");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_nothing_understood),
		cmocka_unit_test(test_several_headers_and_scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
