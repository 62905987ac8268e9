#include "spec/transport.h"

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

static void parses(void **state)
{
	static const struct { const char *text; enum transport_kind kind; const char *path, *name; int64_t index; } cases[] = {
		{ "busybox", TRANSPORT_NONE, NULL, "busybox", -1 },
		{ "dirt:1", TRANSPORT_NONE, NULL, "dirt:1", -1 },
		{ "127.0.0.1:5000/oci:1", TRANSPORT_NONE, NULL, "127.0.0.1:5000/oci:1", -1 },
		{ "docker://quay.io/a:1", TRANSPORT_REGISTRY, NULL, "quay.io/a:1", -1 },
		{ "containers-storage:a", TRANSPORT_STORAGE, NULL, "a", -1 },
		{ "docker-archive:/a/b.tar", TRANSPORT_DOCKER_ARCHIVE, "/a/b.tar", NULL, -1 },
		{ "docker-archive:b.tar:a:1", TRANSPORT_DOCKER_ARCHIVE, "b.tar", "a:1", -1 },
		{ "docker-archive:b.tar:localhost:5000/a:1", TRANSPORT_DOCKER_ARCHIVE, "b.tar", "localhost:5000/a:1", -1 },
		{ "docker-archive:b.tar:@3", TRANSPORT_DOCKER_ARCHIVE, "b.tar", NULL, 3 },
		{ "docker-archive:b.tar:", TRANSPORT_DOCKER_ARCHIVE, "b.tar", NULL, -1 },
		{ "oci-archive:b.tar:1.0", TRANSPORT_OCI_ARCHIVE, "b.tar", "1.0", -1 },
		{ "oci-archive:b.tar:quay.io/a/b:v1", TRANSPORT_OCI_ARCHIVE, "b.tar", "quay.io/a/b:v1", -1 },
		{ "oci:d", TRANSPORT_OCI_DIR, "d", NULL, -1 },
		{ "oci:../d:x+y", TRANSPORT_OCI_DIR, "../d", "x+y", -1 },
		{ "oci:d:a--b__c", TRANSPORT_OCI_DIR, "d", "a--b__c", -1 },
		{ "oci:d:@0", TRANSPORT_OCI_DIR, "d", NULL, 0 },
		{ "dir:/a:b", TRANSPORT_DIR, "/a:b", NULL, -1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct transport t;

		if (transport_parse(arena, cases[i].text, &t, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		if (t.kind != cases[i].kind || !str_eq(t.path, cases[i].path) || !str_eq(t.name, cases[i].name) ||
		    t.index != cases[i].index)
			fail_msg("%s: %d, %s, %s, %lld", cases[i].text, t.kind, t.path, t.name, (long long)t.index);
	}
}

static void refuses(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "docker-archive:", "path is missing" },
		{ "oci::tag", "path is missing" },
		{ "dir:", "path is missing" },
		{ "", "must not be empty" },
		{ "docker://", "must not be empty" },
		{ "containers-storage:", "must not be empty" },
		{ "containers-storage:[overlay@/var/lib]a", "stores of other engines" },
		{ "docker-archive:a.tar:Upper", "lowercase" },
		{ "docker-archive:a.tar:a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "no digests" },
		{ "docker-archive:a.tar:@-1", "no place" },
		{ "oci:a:@1x", "no place" },
		{ "oci:a:@9999999", "no place" },
		{ "oci:a:b..c", "cannot name" },
		{ "oci:a:/b", "cannot name" },
		{ "oci:a:b:", "cannot name" },
		{ "oci:a:b\nc", "cannot name" },
		{ "docker-daemon:a:1", "not supported" },
		{ "ostree:a", "not supported" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct transport t;

		if (transport_parse(arena, cases[i].text, &t, &err) == 0)
			fail_msg("%s was accepted", cases[i].text);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void words(void **state)
{
	assert_string_equal(transport_word(TRANSPORT_OCI_DIR), "oci:");
	assert_string_equal(transport_word(TRANSPORT_NONE), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(parses, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
