/* --uidmap and --gidmap as maps of ids */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/userns_given.h"

static void test_maps(void **state)
{
	/* the user 1000 with the subordinate ids 100000 to 165535 */
	static const struct { char kind; const char *texts, *map; } cases[] = {
		{ 'u', "0:1:1000", "0 1 1000\n" },
		{ 'u', "1000:0:1 0:1:1000", "0 1 1000\n1000 0 1\n" },
		{ 'u', "0:@1000", "0 0 1\n" },
		{ 'u', "0:@100009:2", "0 10 2\n" },
		{ 'u', "+5000:@1000:1", "0 1 5000\n5000 0 1\n5001 5001 60536\n" },
		{ 'u', "+0:5:1", "0 5 1\n1 0 5\n6 6 65531\n" },
		{ 'u', "+70000:0:1", "0 1 65536\n70000 0 1\n" },
		{ 'g', "u0:1:10", "0 0 65537\n" },
		{ 'u', "+u5:0:1", "0 1 5\n5 0 1\n6 6 65531\n" },
		{ 'u', "0:@7", NULL }, { 'u', "0", NULL }, { 'u', "0:1:0", NULL }, { 'u', "x:1:1", NULL }, { 'u', "", NULL },
		{ 'u', "0:0:65538", NULL }, { 'u', "0:0:2 1:5:1", NULL }, { 'u', "0:0:2 5:1:1", NULL },
		{ 'u', "0:1:1:1", NULL }, { 'u', "4294967295:0:1", NULL },
	};
	_cleanup_arena_ struct arena *arena = arena_new();
	struct identity id = { .uid = 1000, .gid = 1000, .user = "ana" };

	(void)state;
	idmap_add(arena, &id.maps.uid, 0, 1000, 1);
	idmap_add(arena, &id.maps.uid, 1, 100000, 65536);
	id.maps.gid = id.maps.uid;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct strings texts = strings_split(arena, cases[i].texts, " ");
		struct error err = { 0 };
		struct id_map map;
		int r = userns_given_map(arena, cases[i].kind, &texts, &id, &map, &err);

		if ((r == 0) != (cases[i].map != NULL) || (r == 0 && !str_eq(idmap_print(arena, &map), cases[i].map)))
			fail_msg("%s: %s", cases[i].texts, r == 0 ? idmap_print(arena, &map) : err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_maps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
