#include "engine/volume_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

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

static char *describe(const struct volume_options *o)
{
	return arena_printf(arena, "%s [%s] [%s]%s%s", o->tmpfs ? "tmpfs" : o->device ? o->device : "-",
			    strings_join(arena, &o->data, ","), strings_join(arena, &o->flags, ","), o->read_only ? " ro" : "",
			    o->no_copy ? " nocopy" : "");
}

/* texts: -o options between blanks. */
static void options(void **state)
{
	static const struct { const char *texts, *expect; } cases[] = {
		{ "", "- [] []" },
		{ "type=tmpfs", "tmpfs [] []" },
		{ "type=tmpfs device=tmpfs o=size=2m,uid=5,gid=6,mode=700,nr_inodes=9,noexec",
		  "tmpfs [size=2m,uid=5,gid=6,mode=700,nr_inodes=9] [noexec]" },
		{ "type=none o=bind device=/d", "/d [] []" },
		{ "type=bind device=/d o=rbind,ro,nosuid,uid=7", "/d [] [nosuid] ro" },
		{ "device=/d o=ro,rw", "/d [] []" },
		{ "o=uid=5,gid=6,exec", "- [] [exec]" },
		{ "nocopy", "- [] [] nocopy" },
		{ "type=bind", "!needs a directory" },
		{ "type=bind device=d", "!must be an absolute directory" },
		{ "type=ext4 device=/dev/sda", "!cannot mount volumes of type ext4" },
		{ "type=nfs device=:/x o=addr=1.2.3.4", "!cannot mount volumes of type nfs" },
		{ "o=size=1m", "!needs a volume of type tmpfs" },
		{ "o=uid=me", "!a number is needed" },
		{ "o=uid=-1", "!a number is needed" },
		{ "o=uid", "!o=uid is not offered" },
		{ "type=tmpfs o=size=big", "!a size such as" },
		{ "type=tmpfs o=mode=888", "!an octal mode" },
		{ "o=lowerdir=/x", "!o=lowerdir=/x is not offered" },
		{ "size=1m", "!invalid option \"size\"" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct strings texts = *cases[i].texts ? strings_split(arena, cases[i].texts, " ") : (struct strings){ 0 };
		struct string_map map = { 0 };
		struct volume_options o;
		struct error err = { 0 };
		int r;

		map_add_pairs(arena, &map, &texts);
		r = volume_options_parse(arena, &map, &o, &err);
		if (*cases[i].expect == '!') {
			assert_int_equal(r, -1);
			if (!strstr(err.text, cases[i].expect + 1))
				fail_msg("%s: %s", cases[i].texts, err.text);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", cases[i].texts, err.text);
		assert_string_equal(describe(&o), cases[i].expect);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(options) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
