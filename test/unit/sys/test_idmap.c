#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/idmap.h"

static struct id_map parsed(struct arena *a, const char *text)
{
	struct id_map map = { 0 };
	struct error err = { 0 };

	assert_int_equal(idmap_parse(a, text, &map, &err), 0);
	return map;
}

static void translates_both_ways(void **state)
{
	struct arena *a = arena_new();
	struct id_map map = parsed(a, "0 1000 1\n1 100000 65536\n65537 300000 10\n");
	static const struct { uint32_t inside, outside; } cases[] = {
		{ 0, 1000 }, { 1, 100000 }, { 65536, 165535 }, { 65537, 300000 }, { 65546, 300009 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_int_equal(idmap_to_outside(&map, cases[i].inside), cases[i].outside);
		assert_int_equal(idmap_to_inside(&map, cases[i].outside), cases[i].inside);
	}
	assert_int_equal(idmap_to_outside(&map, 65547), ID_NONE);
	assert_int_equal(idmap_to_inside(&map, 0), ID_NONE);
	assert_int_equal(idmap_to_inside(&map, 165536), ID_NONE);
	assert_int_equal(idmap_size(&map), 65547);
	assert_string_equal(idmap_print(a, &map), "0 1000 1\n1 100000 65536\n65537 300000 10\n");
	arena_free(a);
}

static void reads_what_the_kernel_prints(void **state)
{
	struct arena *a = arena_new();
	struct id_map map = parsed(a, "         0          0 4294967295\n");
	struct id_maps own;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(idmap_to_outside(&map, 4294967294u), 4294967294u);
	assert_int_equal(idmap_size(&map), 4294967295u);
	assert_int_equal(parsed(a, "").n, 0);
	assert_int_equal(parsed(a, "\n\n0 1 1").n, 1);
	assert_int_equal(idmap_read(a, 0, &own, &err), 0);
	assert_true(own.uid.n > 0 && own.gid.n > 0);
	assert_int_not_equal(idmap_to_outside(&own.uid, getuid()), ID_NONE);
	arena_free(a);
}

static void refuses_nonsense(void **state)
{
	static const char *const cases[] = {
		"0", "0 1", "0 1 2 3", "0 1 -1", "a b c", "0 1 0", "0 1 4294967296", "4294967295 0 2", "0 4294967295 2",
		"0 1 1 x", "0,1,1", "0 0x10 1",
	};
	struct arena *a = arena_new();
	struct id_map map = { 0 };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(idmap_parse(a, cases[i], &map, &err), -1);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
	assert_int_equal(map.n, 0);
	arena_free(a);
}

static void compares(void **state)
{
	struct arena *a = arena_new();
	struct id_map one = parsed(a, "0 1 1\n1 5 9\n"), same = parsed(a, "0 1 1\n1 5 9\n"), other = parsed(a, "0 1 1\n");

	(void)state;
	assert_true(idmap_equal(&one, &same));
	assert_false(idmap_equal(&one, &other));
	arena_free(a);
}

/* An extent of the kernel's lies in one of the outer namespace. */
static void splits(void **state)
{
	static const struct { const char *map, *split; } cases[] = {
		{ "0 1 1000\n", "0 1 1000\n" },
		{ "0 0 1000\n", "0 0 1\n1 1 999\n" },
		{ "0 1 2000\n2000 0 1\n", "0 1 1000\n1000 1001 1000\n2000 0 1\n" },
		{ "5 999 3000\n", "5 999 2\n7 1001 2000\n2007 3001 998\n" },
		{ "0 9000 10\n", "0 9000 10\n" },
		{ "", "" },
	};
	struct arena *a = arena_new();
	struct id_map outer = parsed(a, "0 1000 1\n1 100000 1000\n1001 300000 2000\n3001 500000 1000\n");

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct id_map map = parsed(a, cases[i].map), split = idmap_split(a, &map, &outer);

		assert_string_equal(idmap_print(a, &split), cases[i].split);
	}
	assert_true(idmap_has(&outer, 0, 4001));
	assert_false(idmap_has(&outer, 0, 4002));
	assert_true(idmap_has(&outer, 500, 2000));
	assert_true(idmap_has(&outer, 9000, 0));
	assert_false(idmap_has(&outer, 9000, 1));
	arena_free(a);
}

static void names(void **state)
{
	struct arena *a = arena_new();
	struct id_map one = parsed(a, "0 1 10\n"), other = parsed(a, "0 1 11\n");
	const struct id_maps maps[] = { { one, one }, { one, other }, { other, one }, { one, one } };

	(void)state;
	assert_string_equal(idmap_name(a, &maps[0]), idmap_name(a, &maps[3]));
	assert_string_not_equal(idmap_name(a, &maps[0]), idmap_name(a, &maps[1]));
	assert_string_not_equal(idmap_name(a, &maps[1]), idmap_name(a, &maps[2]));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates_both_ways),
		cmocka_unit_test(reads_what_the_kernel_prints),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(compares),
		cmocka_unit_test(splits),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("sys/idmap", tests, NULL, NULL);
}
