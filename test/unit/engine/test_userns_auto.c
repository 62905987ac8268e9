/* --userns auto: its options, and which ids a container gets */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/userns_auto.h"

static struct arena *arena;
static struct identity ana = { .uid = 1000, .gid = 1000, .user = "ana" };	/* with the subordinate ids 100000 to 165535 */

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	ana.maps = (struct id_maps){ 0 };
	idmap_add(arena, &ana.maps.uid, 0, 1000, 1);
	idmap_add(arena, &ana.maps.uid, 1, 100000, 65536);
	ana.maps.gid = ana.maps.uid;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct id_map map(const char *lines)
{
	struct id_map ret = { 0 };

	assert_int_equal(idmap_parse(arena, lines, &ret, NULL), 0);
	return ret;
}

static void test_ranges(void **state)
{
	static const struct { const char *forced, *used; uint64_t size; const char *map; uint64_t free; } cases[] = {
		{ "", "", 1024, "0 1 1024\n", 65536 },
		{ "", "0 1 1024", 1024, "0 1025 1024\n", 64512 },
		{ "", "0 1 1024\n0 1025 3000", 10, "0 4025 10\n", 61512 },
		/* a gap is used when it is long enough, and only then */
		{ "", "0 1 100\n0 201 100", 100, "0 101 100\n", 65336 },
		{ "", "0 1 100\n0 201 100", 101, "0 301 101\n", 65336 },
		{ "", "0 11 65526", 10, "0 1 10\n", 10 },
		/* pieces where no gap is */
		{ "", "0 11 100\n0 121 65416", 20, "0 1 10\n10 111 10\n", 20 },
		{ "", "0 11 65526", 11, NULL, 10 },
		{ "", "0 1 65536", 1, NULL, 0 },
		{ "", "", 65536, "0 1 65536\n", 65536 },
		{ "", "", 65537, NULL, 65536 },
		/* overlapping and foreign claims do no harm */
		{ "", "0 1 100\n0 50 100\n0 4000000000 100", 10, "0 150 10\n", 65387 },
		/* forced ones keep their places, and take none from the size */
		{ "5 0 1", "", 10, "0 1 5\n5 0 1\n6 6 4\n", 65536 },
		{ "0 1 5", "", 10, "0 1 5\n5 6 5\n", 65531 },
		{ "1000 3 2", "", 4, "0 5 4\n1000 3 2\n", 65534 },
		{ "0 10 10", "", 10, "0 10 10\n", 65526 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		const struct id_map forced = map(cases[i].forced), used = map(cases[i].used);
		struct id_map got;
		uint64_t free;
		bool fits = userns_auto_build(arena, &forced, cases[i].size, &ana.maps.uid, &used, &got, &free);

		if (fits != (cases[i].map != NULL) || (fits && !str_eq(idmap_print(arena, &got), cases[i].map)) || free != cases[i].free)
			fail_msg("%zu: %s, %llu free", i, fits ? idmap_print(arena, &got) : "none", (unsigned long long)free);
	}
}

static void test_options(void **state)
{
	static const struct { const char *text; uint64_t size; const char *uids, *gids; } cases[] = {
		{ NULL, 0, "", "" },
		{ "size=5000", 5000, "", "" },
		{ "uidmapping=5:0:1,size=10,gidmapping=7:@1000", 10, "5 0 1\n", "7 0 1\n" },
		{ "uidmapping=0:0:1,uidmapping=10:20:2", 0, "0 0 1\n10 20 2\n", "" },
	};
	static const char *const wrong[] = { "size=", "size=0", "size=-1", "size=4294967295", "what=1", "size", "uidmapping=+5:0:1",
					     "uidmapping=0:1:70000", "uidmapping=", "gidmapping=0:@7", "uidmapping=g0:1:1" };
	struct userns_auto a;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_int_equal(userns_auto_parse(arena, cases[i].text, &ana, &a, NULL), 0);
		assert_int_equal(a.size, cases[i].size);
		assert_string_equal(idmap_print(arena, &a.uids), cases[i].uids);
		assert_string_equal(idmap_print(arena, &a.gids), cases[i].gids);
	}
	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		struct error err = { 0 };

		if (userns_auto_parse(arena, wrong[i], &ana, &a, &err) == 0 || !err.text[0])
			fail_msg("%s is taken", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_options, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
