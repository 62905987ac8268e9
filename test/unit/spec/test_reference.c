#include "spec/reference.h"

#include "base/string.h"

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

#define SHA "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void parses(void **state)
{
	static const struct { const char *text, *registry, *path, *tag, *digest, *print; } cases[] = {
		{ "busybox", NULL, "busybox", NULL, NULL, "busybox:latest" },
		{ "busybox:1.36", NULL, "busybox", "1.36", NULL, "busybox:1.36" },
		{ "team/app", NULL, "team/app", NULL, NULL, "team/app:latest" },
		{ "docker.io/busybox", "docker.io", "library/busybox", NULL, NULL, "docker.io/library/busybox:latest" },
		{ "index.docker.io/a/b", "docker.io", "a/b", NULL, NULL, "docker.io/a/b:latest" },
		{ "docker://quay.io/x/y:z", "quay.io", "x/y", "z", NULL, "quay.io/x/y:z" },
		{ "127.0.0.1:5000/busybox", "127.0.0.1:5000", "busybox", NULL, NULL, "127.0.0.1:5000/busybox:latest" },
		{ "localhost/mine:v1", "localhost", "mine", "v1", NULL, "localhost/mine:v1" },
		{ "localhost:5000/a/b/c:t", "localhost:5000", "a/b/c", "t", NULL, "localhost:5000/a/b/c:t" },
		{ "[::1]:5000/a", "[::1]:5000", "a", NULL, NULL, "[::1]:5000/a:latest" },
		{ "quay.io/a@" SHA, "quay.io", "a", NULL, SHA, "quay.io/a@" SHA },
		{ "quay.io/a:t@" SHA, "quay.io", "a", "t", SHA, "quay.io/a:t@" SHA },
		{ "a__b/c-d.e--f", NULL, "a__b/c-d.e--f", NULL, NULL, "a__b/c-d.e--f:latest" },
		{ "MyHost/app", "MyHost", "app", NULL, NULL, "MyHost/app:latest" },
		{ "a:_x.Y-z", NULL, "a", "_x.Y-z", NULL, "a:_x.Y-z" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct reference r;

		if (reference_parse(arena, cases[i].text, &r, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		if (!str_eq(r.registry, cases[i].registry) || !str_eq(r.path, cases[i].path) || !str_eq(r.tag, cases[i].tag) ||
		    !str_eq(r.digest, cases[i].digest))
			fail_msg("%s: %s, %s, %s, %s", cases[i].text, r.registry, r.path, r.tag, r.digest);
		assert_string_equal(reference_print(arena, &r), cases[i].print);
	}
}

static void refuses(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "must not be empty" },
		{ "docker://", "must not be empty" },
		{ "Busybox", "must be lowercase" },
		{ "quay.io/Team/app", "must be lowercase" },
		{ "a//b", "an empty part" },
		{ "/a", "an empty part" },
		{ "a/", "an empty part" },
		{ "quay.io/", "an empty part" },
		{ "a:", "an empty tag" },
		{ "a:-x", "a character that tags cannot have" },
		{ "a:b:c", "a character that tags cannot have" },
		{ "a b", "a character that names cannot have" },
		{ "a\x1b[31m", "invalid reference format: \"a?[31m\"" },
		{ "-a", "starts or ends with a separator" },
		{ "a_", "starts or ends with a separator" },
		{ "a..b", "two separators" },
		{ "a___b", "two separators" },
		{ "a.-b", "two separators" },
		{ "../etc", "malformed registry name" },
		{ "host:0/a", "malformed port" },
		{ "host:99999/a", "malformed port" },
		{ "host:x/a", "malformed port" },
		{ "-host.io/a", "malformed registry name" },
		{ "[zz:1]:5/a", "malformed registry address" },
		{ "a@sha256:x", "malformed digest" },
		{ "a@", "malformed digest" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "are an ID" },
	};
	static char long_name[400];

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct reference r;

		if (reference_parse(arena, cases[i].text, &r, &err) == 0 || !strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	memset(long_name, 'a', 256);
	assert_int_equal(reference_parse(arena, long_name, &(struct reference){ 0 }, &(struct error){ 0 }), -1);
	memset(long_name, 'a', 2);
	long_name[1] = ':';
	memset(long_name + 2, 'b', 129);
	long_name[131] = '\0';
	assert_int_equal(reference_parse(arena, long_name, &(struct reference){ 0 }, &(struct error){ 0 }), -1);
	long_name[130] = '\0';
	assert_int_equal(reference_parse(arena, long_name, &(struct reference){ 0 }, &(struct error){ 0 }), 0);
}

static void object_names(void **state)
{
	assert_true(reference_is_object_name("web"));
	assert_true(reference_is_object_name("9a_b.C-d"));
	assert_false(reference_is_object_name(""));
	assert_false(reference_is_object_name("-a"));
	assert_false(reference_is_object_name("a/b"));
	assert_false(reference_is_object_name(".."));
	assert_false(reference_is_object_name("a\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(object_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
