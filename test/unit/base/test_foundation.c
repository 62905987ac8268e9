/* error, arena, string and buffer */
#include "base/buffer.h"
#include "base/error.h"
#include "base/string.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

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

static void errors_gain_frames(void **state)
{
	struct error err = { 0 };

	assert_int_equal(error_frame(&err, "nothing"), -1);
	assert_string_equal(err.text, "");
	errno = EACCES;
	error_errno(&err, "open %s", "x");
	error_frame(&err, "mount %d", 1);
	error_hint(&err, "first");
	error_hint(&err, "second");
	assert_string_equal(err.text, "mount 1: open x: Permission denied");
	assert_string_equal(err.hint, "first");
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_int_equal(err.sys, EACCES);
	error_set(&err, ERROR_NO_COMMAND, "gone");
	assert_string_equal(err.hint, "");
	assert_int_equal(error_exit_code(&err), 127);
	error_clear(&err);
	assert_int_equal(error_exit_code(&err), 0);
	assert_int_equal(error_set(NULL, ERROR_FAILED, "x"), -1);
}

static void errors_have_codes_places_and_lines_to_paste(void **state)
{
	struct error err = { 0 };

	error_code(&err, "early");
	error_where(&err, "early");
	error_fix(&err, "early");
	assert_string_equal(err.code, "");
	assert_string_equal(err.where, "");
	assert_string_equal(err.hint, "");
	error_set(&err, ERROR_NOT_EXECUTABLE, "port");
	assert_string_equal(error_code_of(&err), "not-executable");
	error_code(&err, "port-taken");
	error_code(&err, "later");
	error_where(&err, "%d:80", 8080);
	error_where(&err, "later");
	assert_string_equal(error_code_of(&err), "port-taken");
	assert_string_equal(err.where, "8080:80");
	error_hint(&err, "held by x");
	error_fix(&err, "run -p %d", 8081);
	error_fix_admin(&err, "sysctl");
	assert_string_equal(err.hint, "held by x\n$ run -p 8081\n# sysctl");
	error_fix(&err, "%*s", ERROR_HINT_SIZE, "");
	assert_string_equal(err.hint, "held by x\n$ run -p 8081\n# sysctl");
	error_set(&err, ERROR_NO_SPACE, "full");
	assert_string_equal(error_code_of(&err), "no-space");
	assert_string_equal(err.where, "");
	error_fix(&err, "rm");
	assert_string_equal(err.hint, "$ rm");
	error_set(&err, ERROR_DENIED, "a name with lines");
	error_hint(&err, "look at %s", "x\n# evil");
	error_fix(&err, "ls %s", "y\n# evil\n");
	assert_string_equal(err.hint, "look at x?# evil\n$ ls y?# evil?");
	error_set(&err, ERROR_DENIED, "as another process had it");
	error_hint_again(&err, "do\n$ this");
	assert_string_equal(err.hint, "do\n$ this");
	for (int kind = ERROR_NONE; kind < ERROR_KINDS; kind++)
		assert_true(error_kind_code(kind)[0]);
	assert_int_equal(error_fix(NULL, "x"), -1);
	assert_int_equal(error_code(NULL, "x"), -1);
}

static void long_errors_are_cut(void **state)
{
	struct error err = { 0 };
	char text[2 * ERROR_TEXT_SIZE];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, ERROR_FAILED, "%s", text);
	assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
	assert_true(str_ends(err.text, "a..."));
	error_frame(&err, "frame");
	assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
	assert_true(str_starts(err.text, "frame: aaa"));
	assert_true(str_ends(err.text, "a..."));
	error_frame(&err, "%s", text);
	assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
	error_set(&err, ERROR_FAILED, "%s", text);
	errno = ENOENT;
	error_errno(&err, "%s", text);
	assert_true(str_ends(err.text, "..."));
}

static void errors_cross_a_pipe(void **state)
{
	struct error sent = { 0 }, got = { 0 };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	error_set(&sent, ERROR_EXISTS, "taken");
	assert_int_equal(error_send(fds[1], &sent), 0);
	assert_int_equal(error_receive(fds[0], &got), 1);
	assert_string_equal(got.text, "taken");
	assert_int_equal(got.kind, ERROR_EXISTS);
	assert_int_equal(write(fds[1], "short", 5), 5);
	close(fds[1]);
	assert_int_equal(error_receive(fds[0], &got), -1);
	assert_int_equal(error_receive(fds[0], &got), 0);
	close(fds[0]);
}

static void arenas_give_zeroed_memory(void **state)
{
	for (size_t size = 0; size < 70000; size = size * 3 + 1) {
		char *p = arena_alloc(arena, size);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	assert_null(arena_strdup(arena, NULL));
	assert_string_equal(arena_strndup(arena, "abc", 2), "ab");
	assert_int_equal(strlen(arena_printf(arena, "%*s", 5000, "x")), 5000);
}

static void lists_grow(void **state)
{
	struct { int *v; size_t n; } numbers = { 0 };
	struct strings list = { 0 };

	for (int i = 0; i < 100; i++) {
		*ARRAY_ADD(arena, &numbers) = i;
		strings_addf(arena, &list, "%d", i);
		assert_null(list.v[list.n]);
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(numbers.v[i], i);
	assert_true(strings_has(&list, "99"));
	assert_false(strings_has(&list, "100"));
	list = strings_split(arena, "a,b;;c", ",;");
	assert_int_equal(list.n, 4);
	assert_string_equal(strings_join(arena, &list, "+"), "a+b++c");
}

static void maps_keep_order(void **state)
{
	struct string_map map = { 0 };

	for (int i = 0; i < 9; i++)
		map_set(arena, &map, arena_printf(arena, "k%d", i), "v");
	map_set(arena, &map, "k3", "new");
	assert_string_equal(map_get(&map, "k3"), "new");
	assert_true(map_unset(&map, "k0"));
	assert_false(map_unset(&map, "k0"));
	map_set(arena, &map, "k9", "v");
	map_set(arena, &map, "k10", "v");
	assert_int_equal(map.n, 10);
	assert_string_equal(map.v[0].key, "k1");
	assert_string_equal(map.v[9].key, "k10");
	assert_null(map_get(&map, "k0"));
}

static void maps_take_and_find_pairs(void **state)
{
	static const struct { const char *text; bool found; } cases[] = {
		{ "a", true }, { "a=1", true }, { "a=", false }, { "a=12", false }, { "", false }, { "=1", false }, { "ab", false },
		{ "b", true }, { "b=x=y", true }, { "b=x", false }, { "c", true }, { "c=", true }, { "c=1", false },
	};
	struct strings texts = { 0 };
	struct string_map map = { 0 };

	strings_add(arena, &texts, "a=0");
	strings_add(arena, &texts, "b=x=y");
	strings_add(arena, &texts, "c");
	strings_add(arena, &texts, "a=1");
	map_add_pairs(arena, &map, &texts);
	assert_int_equal(map.n, 3);
	assert_string_equal(map_get(&map, "a"), "1");
	assert_string_equal(map_get(&map, "b"), "x=y");
	assert_string_equal(map_get(&map, "c"), "");
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		if (map_has_pair(&map, cases[i].text) != cases[i].found)
			fail_msg("%s", cases[i].text);
}

static void numbers_are_strict(void **state)
{
	static const struct { const char *text; int u64, i64, u32; } cases[] = {
		{ "0", 0, 0, 0 },
		{ "4294967295", 0, 0, 0 },
		{ "4294967296", 0, 0, -1 },
		{ "9223372036854775807", 0, 0, -1 },
		{ "9223372036854775808", 0, -1, -1 },
		{ "18446744073709551615", 0, -1, -1 },
		{ "18446744073709551616", -1, -1, -1 },
		{ "-9223372036854775808", -1, 0, -1 },
		{ "-9223372036854775809", -1, -1, -1 },
		{ "-1", -1, 0, -1 },
		{ "+1", -1, -1, -1 },
		{ " 1", -1, -1, -1 },
		{ "1 ", -1, -1, -1 },
		{ "", -1, -1, -1 },
		{ "0x1", -1, -1, -1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		unsigned long long u64;
		long long i64;
		unsigned u32;

		if (str_to_u64(cases[i].text, &u64) != cases[i].u64 || str_to_i64(cases[i].text, &i64) != cases[i].i64 ||
		    str_to_u32(cases[i].text, &u32) != cases[i].u32)
			fail_msg("%s", cases[i].text);
	}
}

static void foreign_text_is_made_harmless(void **state)
{
	assert_string_equal(str_printable(arena, "a\x1b[2J\n\x7f", 100), "a?[2J??");
	assert_string_equal(str_printable(arena, "abcdef", 3), "abc...");
	assert_string_equal(str_printable(arena, NULL, 3), "");
}

static void words_are_quoted(void **state)
{
	(void)state;
	assert_string_equal(str_quote(arena, "a/b:c=1"), "a/b:c=1");
	assert_string_equal(str_quote(arena, ""), "''");
	assert_string_equal(str_quote(arena, "a b"), "'a b'");
	assert_string_equal(str_quote(arena, "it's"), "'it'\\''s'");
	assert_string_equal(str_quote(arena, "$(rm -rf /)"), "'$(rm -rf /)'");
	assert_string_equal(str_quote(arena, "~/x"), "'~/x'");
}

static void buffers_have_a_ceiling(void **state)
{
	_cleanup_buffer_ struct buffer b = BUFFER(10);

	assert_int_equal(buffer_adds(&b, "12345"), 0);
	assert_int_equal(buffer_printf(&b, "%d", 678), 0);
	assert_false(b.failed);
	assert_int_equal(buffer_adds(&b, "abc"), -1);
	assert_int_equal(errno, EFBIG);
	assert_true(b.failed);
	assert_string_equal(b.data, "12345678");
	buffer_consume(&b, 5);
	assert_string_equal(b.data, "678");
	assert_int_equal(buffer_adds(&b, "9abcdef"), 0);
	assert_int_equal(b.size, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_gain_frames),	     cmocka_unit_test(errors_have_codes_places_and_lines_to_paste),
		cmocka_unit_test(long_errors_are_cut),
		cmocka_unit_test(errors_cross_a_pipe),	     cmocka_unit_test(arenas_give_zeroed_memory),
		cmocka_unit_test(lists_grow),		     cmocka_unit_test(maps_keep_order),
		cmocka_unit_test(maps_take_and_find_pairs),
		cmocka_unit_test(numbers_are_strict),	     cmocka_unit_test(foreign_text_is_made_harmless),
		cmocka_unit_test(words_are_quoted),
		cmocka_unit_test(buffers_have_a_ceiling),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
