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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates_both_ways),
		cmocka_unit_test(reads_what_the_kernel_prints),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests_name("sys/idmap", tests, NULL, NULL);
}
