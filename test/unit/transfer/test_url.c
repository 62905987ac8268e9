/* Addresses in a registry's answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/string.h"
#include "transfer/url.h"

static void resolved(void **state)
{
	static const struct { const char *base, *location, *url; } rows[] = {
		{ "https://h/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/1?x=y", "https://h/v2/a/blobs/uploads/1?x=y" },
		{ "https://h:5000/v2/a/blobs/uploads/", "1?x=y", "https://h:5000/v2/a/blobs/uploads/1?x=y" },
		{ "https://h/v2/a/blobs/uploads/1", "?x=z", "https://h/v2/a/blobs/uploads/1?x=z" },
		{ "https://h/v2/a", "https://other/up?s=%2F", "https://other/up?s=%2F" },
		{ "https://h/v2/a", "//other/up", "https://other/up" },
		{ "http://h/v2/a", "https://h/up", "https://h/up" },
		{ "http://h/v2/a", "/up#part", "http://h/up" },
		{ "https://h/v2/a", "http://h/up", NULL },
		{ "https://h/v2/a", "ftp://h/up", NULL },
		{ "https://h/v2/a", "file:///etc/passwd", NULL },
		{ "https://h/v2/a", "https://", NULL },
		{ "https://h/v2/a", "https://h:99999/", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		char *url = url_resolve(arena, rows[i].base, rows[i].location, &err);

		if (!str_eq(url, rows[i].url))
			fail_msg("%s and %s: %s", rows[i].base, rows[i].location, url ? url : err.text);
		assert_int_equal(err.kind != ERROR_NONE, rows[i].url == NULL);
	}
}

static void origins(void **state)
{
	static const struct { const char *url, *origin; } rows[] = {
		{ "https://Host/v2/", "https://host:443" },	{ "http://h/x", "http://h:80" },
		{ "http://h:5000", "http://h:5000" },		{ "https://user:secret@h/", "https://h:443" },
		{ "http://[::1]:5000/", "http://[::1]:5000" },	{ "ftp://h/", NULL },
		{ "nonsense", NULL },				{ "https://h@evil/", "https://evil:443" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		char *origin = url_origin(arena, rows[i].url);

		if (!str_eq(origin, rows[i].origin))
			fail_msg("%s: %s", rows[i].url, origin);
	}
}

static void parameters(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(url_add_parameter(arena, "https://h/u", "digest", "sha256:ab"), "https://h/u?digest=sha256%3Aab");
	assert_string_equal(url_add_parameter(arena, "https://h/u?s=1", "digest", "sha256:ab"),
			    "https://h/u?s=1&digest=sha256%3Aab");
	assert_string_equal(url_add_parameter(arena, "https://h/u?", "from", "a/b&c"), "https://h/u?from=a%2Fb%26c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolved), cmocka_unit_test(origins), cmocka_unit_test(parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
