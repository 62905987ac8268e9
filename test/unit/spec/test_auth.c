#include "spec/auth.h"

#include "spec/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

/* YTpi is a:b, dTpwOnc= is u:p:w */
static const char config[] =
	"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"},\"quay.io\":{\"auth\":\"dTpwOnc=\"},"
	"\"quay.io/team\":{\"username\":\"t\",\"password\":\"s\"},\"http://10.0.0.1:5000\":{\"auth\":\"YTpi\"},"
	"\"ghcr.io\":{},\"bad.io\":{\"auth\":\"!!\"},\"worse.io\":{\"auth\":\"YWI=\"},"
	"\"token.io\":{\"auth\":\"dTo=\",\"identitytoken\":\"tok\"}},"
	"\"credHelpers\":{\"gcr.io\":\"gcloud\"},\"HttpHeaders\":{\"X\":\"y\"}}";

static struct auth_file file_of(const char *text)
{
	struct auth_file file = { 0 };
	struct error err = { 0 };

	if (auth_decode(arena, text, strlen(text), "auth.json", &file, &err) < 0)
		fail_msg("%s", err.text);
	return file;
}

static void finds(void **state)
{
	static const struct { const char *repository; int result; const char *username, *password, *token, *helper; } cases[] = {
		{ "docker.io/library/busybox", 1, "a", "b" },
		{ "registry-1.docker.io/library/busybox", 1, "a", "b" },
		{ "quay.io/other/app", 1, "u", "p:w" },
		{ "quay.io/team/app", 1, "t", "s" },
		{ "quay.io/teamx/app", 1, "u", "p:w" },
		{ "quay.io.evil.com/team/app", 0 },
		{ "10.0.0.1:5000/x", 1, "a", "b" },
		{ "10.0.0.1/x", 0 },
		{ "ghcr.io/x", 0 },
		{ "gcr.io/p/x", 1, .helper = "gcloud" },
		{ "token.io/x", 1, "u", NULL, "tok" },
		{ "bad.io/x", -1 },
		{ "worse.io/x", -1 },
		{ "unknown.io/x", 0 },
	};
	struct auth_file file = file_of(config);

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct credentials c;
		char *helper;
		int r = auth_find(arena, &file, cases[i].repository, &c, &helper, &err);

		if (r != cases[i].result || !str_eq(c.username, cases[i].username) || !str_eq(c.password, cases[i].password) ||
		    !str_eq(c.identity_token, cases[i].token) || !str_eq(helper, cases[i].helper))
			fail_msg("%s: %d %s %s %s %s", cases[i].repository, r, c.username, c.password, c.identity_token, helper);
		if (r < 0)
			assert_null(strstr(err.text, "YWI="));
	}
}

static void the_store_is_asked_last(void **state)
{
	struct auth_file file = file_of("{\"auths\":{\"a.io\":{\"auth\":\"YTpi\"},\"b.io\":{}},\"credsStore\":\"pass\"}");
	struct error err = { 0 };
	struct credentials c;
	char *helper;

	assert_int_equal(auth_find(arena, &file, "b.io/x", &c, &helper, &err), 1);
	assert_string_equal(helper, "pass");
	assert_int_equal(auth_find(arena, &file, "a.io/x", &c, &helper, &err), 1);
	assert_null(helper);
}

static void writes_and_keeps_the_rest(void **state)
{
	struct auth_file file = file_of(config), empty = file_of(" \n");
	const struct credentials c = { "me", "pw", NULL };
	struct credentials found;
	struct error err = { 0 };
	char *helper;

	auth_set(arena, &file, "docker.io", &c);
	assert_int_equal(auth_find(arena, &file, "docker.io/library/x", &found, &helper, &err), 1);
	assert_string_equal(found.password, "pw");
	assert_non_null(strstr(auth_print(arena, &file), "HttpHeaders"));
	assert_null(strstr(auth_print(arena, &file), "index.docker.io"));
	assert_true(auth_remove(arena, &file, "https://docker.io"));
	assert_false(auth_remove(arena, &file, "docker.io"));
	assert_int_equal(auth_find(arena, &file, "docker.io/library/x", &found, &helper, &err), 0);
	auth_set(arena, &empty, "127.0.0.1:5000", &c);
	assert_string_equal(auth_print(arena, &empty),
			    "{\n    \"auths\": {\n        \"127.0.0.1:5000\": {\n            \"auth\": \"bWU6cHc=\"\n        }\n"
			    "    }\n}\n");
	assert_int_equal(auth_find(arena, &(struct auth_file){ 0 }, "x.io/y", &found, &helper, &err), 0);
}

static void refuses(void **state)
{
	static const char *const bad[] = { "[]", "{\"auths\":[]}", "{\"auths\":{\"x\":1}}", "{\"credHelpers\":{\"x\":{}}}", "{" };

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		struct auth_file file;
		struct error err = { 0 };

		assert_int_equal(auth_decode(arena, bad[i], strlen(bad[i]), "auth.json", &file, &err), -1);
		assert_true(str_starts(err.text, "auth.json: "));
	}
}

static void base64(void **state)
{
	static const struct { const char *plain, *encoded; } cases[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xfe", "//4=" },
	};
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Z g=", "Zm9-" };

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_string_equal(base64_encode(arena, cases[i].plain, strlen(cases[i].plain)), cases[i].encoded);
		assert_string_equal(base64_decode(arena, cases[i].encoded, NULL), cases[i].plain);
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++)
		assert_null(base64_decode(arena, bad[i], NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),   cmocka_unit_test(the_store_is_asked_last), cmocka_unit_test(writes_and_keeps_the_rest),
		cmocka_unit_test(refuses), cmocka_unit_test(base64),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
