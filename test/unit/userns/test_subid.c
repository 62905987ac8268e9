#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/string.h"
#include "userns/subid.h"

static struct arena *arena;

static int enter(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void parses_lines_and_passes_over_the_rest(void **state)
{
	static const char text[] =
		"# comment\n\n  \nalice:100000:65536\n1000:300000:1\n:1:1\nbob:x:5\nbob:1\nbob:1:2:3\nbob:5:0\n"
		"bob:4294967295:1\nbob:4294967290:6\ncarol:-1:5\ndave:4294967296:1\nwin:7:8\r\nend:1:2";
	size_t bad = 0;
	struct subid_file f = subid_parse(arena, text, &bad);

	(void)state;
	assert_int_equal(f.n, 4);
	assert_string_equal(f.v[0].owner, "alice");
	assert_int_equal(f.v[0].first, 100000);
	assert_int_equal(f.v[0].count, 65536);
	assert_string_equal(f.v[2].owner, "win");
	assert_int_equal(f.v[2].count, 8);
	assert_string_equal(f.v[3].owner, "end");
	assert_int_equal(bad, 9);
	assert_int_equal(subid_parse(arena, "", NULL).n, 0);
}

static void owners_are_names_or_numbers(void **state)
{
	struct subid_entry name = { (char *)"alice", 1, 1 }, number = { (char *)"1000", 1, 1 };

	(void)state;
	assert_true(subid_is_owner(&name, "alice", 1000));
	assert_true(subid_is_owner(&number, "alice", 1000));
	assert_false(subid_is_owner(&number, "alice", 100));
	assert_false(subid_is_owner(&name, "ali", 1000));
}

static void makes_maps(void **state)
{
	static const struct { uint32_t own; struct id_extent ranges[3]; size_t n; const char *map; } cases[] = {
		{ 1000, { { 1, 100000, 65536 } }, 1, "0 1000 1\n1 100000 65536\n" },
		{ 1000, { { 0, 5000, 10 }, { 0, 200, 5 } }, 2, "0 1000 1\n1 5000 10\n11 200 5\n" },
		/* the own id inside of a range, at its start, at its end */
		{ 105, { { 0, 100, 10 } }, 1, "0 105 1\n1 100 5\n6 106 4\n" },
		{ 100, { { 0, 100, 10 } }, 1, "0 100 1\n1 101 9\n" },
		{ 109, { { 0, 100, 10 } }, 1, "0 109 1\n1 100 9\n" },
		/* ranges that overlap count once */
		{ 1, { { 0, 100, 10 }, { 0, 105, 10 } }, 2, "0 1 1\n1 100 10\n11 110 5\n" },
		{ 1, { { 0, 105, 2 }, { 0, 100, 10 }, { 0, 100, 10 } }, 3, "0 1 1\n1 105 2\n3 100 5\n8 107 3\n" },
		{ 7, { { 0, 7, 1 } }, 1, "0 7 1\n" },
		{ 7, { { 0 } }, 0, "0 7 1\n" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct id_map ranges = { (struct id_extent *)cases[i].ranges, cases[i].n };
		struct id_map map = subid_to_map(arena, cases[i].own, &ranges);

		assert_string_equal(idmap_print(arena, &map), cases[i].map);
	}
}

static void keeps_to_the_kernels_limit(void **state)
{
	struct id_map ranges = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		idmap_add(arena, &ranges, 0, 100000 + i * 10, 5);
	assert_int_equal(subid_to_map(arena, 1, &ranges).n, 340);
	ranges.n = 0;
	idmap_add(arena, &ranges, 0, 2, UINT32_MAX - 2);
	idmap_add(arena, &ranges, 0, 2, UINT32_MAX - 2);
	assert_true(idmap_size(&(struct id_map){ ranges.v, 1 }) < UINT32_MAX);
	assert_true(idmap_size(&ranges) > UINT32_MAX);
	assert_int_equal(subid_to_map(arena, 1, &ranges).n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lines_and_passes_over_the_rest),
		cmocka_unit_test(owners_are_names_or_numbers),
		cmocka_unit_test(makes_maps),
		cmocka_unit_test(keeps_to_the_kernels_limit),
	};

	return cmocka_run_group_tests_name("userns/subid", tests, enter, leave);
}
