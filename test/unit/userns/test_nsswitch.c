#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "userns/nsswitch.h"

static const struct { const char *text, *database, *sources; } cases[] = {
	{ "passwd: files\nsubid: sss\n", "subid", "sss" },
	{ "passwd: files\nsubid: sss\n", "passwd", "files" },
	{ "passwd:\tfiles systemd\nshadow: files", "passwd", "files systemd" },
	{ "  subid:  ldap", "subid", "ldap" },
	{ "passwd: files [!SUCCESS=return] sss[NOTFOUND=continue]ldap [UNAVAIL=", "passwd", "files sss ldap" },
	{ "passwd: files # sss\n", "passwd", "files" },
	{ "passwd:files\r\n", "passwd", "files" },
	{ "#passwd: sss\nshadow: sss\npasswd_compat: nis\n", "passwd", "" },
	{ "subid:\n", "subid", "" },
	{ "subid", "subid", "" },
	{ "", "passwd", "" },
};

static void finds_sources(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct strings sources = nsswitch_sources(arena, cases[i].text, cases[i].database);

		assert_string_equal(strings_join(arena, &sources, " "), cases[i].sources);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_sources),
	};

	return cmocka_run_group_tests_name("userns/nsswitch", tests, NULL, NULL);
}
