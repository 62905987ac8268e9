#include "base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/string.h"

static const struct { const char *pattern, *name; bool plain, path; } cases[] = {
	{ "abc", "abc", true, true },
	{ "", "", true, true },
	{ "", "a", false, false },
	{ "*", "abc", true, true },
	{ "*", "", true, true },
	{ "*c", "abc", true, true },
	{ "a*", "ab/c", false, false },
	{ "a*/b", "abc/b", true, true },
	{ "a*b*c*d*e*/f", "axbxcxdxe/f", true, true },
	{ "a*b*c*d*e*/f", "axbxcxdxexxx/fff", false, false },
	{ "a*b?c*x", "abxbbxdbxebxczzx", true, true },
	{ "?", "/", false, false },
	{ "a?c", "abc", true, true },
	{ "?", "\xc3\xa4", true, true },
	{ "[a-c]x", "bx", true, true },
	{ "[^a-c]x", "bx", false, false },
	{ "[^a-c]x", "zx", true, true },
	{ "[\\]a]", "]", true, true },
	{ "[\\-x]", "-", true, true },
	{ "[\xc3\xa0-\xc3\xbf]", "\xc3\xa4", true, true },
	{ "\\*", "*", true, true },
	{ "\\*", "a", false, false },
	{ "[]a]", "a", false, false },
	{ "[-x]", "-", false, false },
	{ "[a-]", "a", false, false },
	{ "[a", "a", false, false },
	{ "[", "a", false, false },
	{ "a[", "b", false, false },
	{ "a\\", "a", false, false },
	{ "**", "a/b/c", false, true },
	{ "**/c", "a/b/c", false, true },
	{ "**/c", "c", false, true },
	{ "**/c", "bc", false, false },
	{ "a/**", "a/b/c", false, true },
	{ "a/**", "a", false, false },
	{ "a/**/z", "a/z", false, true },
	{ "a/**/z", "a/b/c/z", false, true },
	{ "a/**/z", "az", false, false },
	{ "a**/z", "ab/c/z", false, true },
	{ "**/*.go", "x/y.go", true, true },
	{ "**/*.go", "x/y.goo", false, false },
	{ "**/a/**/b", "x/a/y/a/z/b", false, true },
	{ "*.md", "README.md", true, true },
};

static void matches(void **state)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		if (glob_match(cases[i].pattern, cases[i].name) != cases[i].plain)
			fail_msg("%s, %s", cases[i].pattern, cases[i].name);
		if (glob_match_path(cases[i].pattern, cases[i].name) != cases[i].path)
			fail_msg("path: %s, %s", cases[i].pattern, cases[i].name);
	}
}

static void many_stars_take_no_time(void **state)
{
	char pattern[2000], name[2000];

	for (size_t i = 0; i < sizeof(pattern) - 1; i++)
		pattern[i] = "a*"[i % 2];
	pattern[sizeof(pattern) - 1] = '\0';
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 2] = 'b';
	name[sizeof(name) - 1] = '\0';
	assert_false(glob_match(pattern, name));
}

static void suggests(void **state)
{
	static const char *const commands[] = { "run", "create", "start", "stop", "restart", "ps", "logs", "inspect", "images",
						"volume", NULL };
	static const struct { const char *word, *closest; } words[] = {
		{ "strat", "start" }, { "stpo", "stop" },   { "inspct", "inspect" }, { "log", "logs" },
		{ "image", "images" }, { "xyzzy", NULL },    { "", NULL },	      { "rnu", "run" },
		{ "p", NULL },	       { "restrat", "restart" }, { "quux", NULL },
	};

	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (!str_eq(glob_closest(words[i].word, commands), words[i].closest))
			fail_msg("%s: %s", words[i].word, glob_closest(words[i].word, commands));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(many_stars_take_no_time),
		cmocka_unit_test(suggests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
