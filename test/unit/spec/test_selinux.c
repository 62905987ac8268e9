#include "spec/selinux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

static void contexts(void **state)
{
	static const struct { const char *text, *type, *level; } cases[] = {
		{ "system_u:system_r:container_t:s0", "container_t", "s0" },
		{ "system_u:system_r:container_t:s0:c1,c2", "container_t", "s0:c1,c2" },
		{ "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", "unconfined_t", "s0-s0:c0.c1023" },
		{ "system_u:object_r:tmp_t", "tmp_t", NULL },
		{ "", NULL, NULL }, { "a", NULL, NULL }, { "a:b", NULL, NULL }, { "a::c:s0", NULL, NULL }, { ":b:c:s0", NULL, NULL },
		{ "a:b:c:", NULL, NULL }, { "a:b:c:x0", NULL, NULL }, { "a:b:c:s0:", NULL, NULL }, { "a:b:c d:s0", NULL, NULL },
		{ "a:b:c\n:s0", NULL, NULL }, { "a:b:\"c:s0", NULL, NULL }, { "a:b:c:s0,fscontext=x", NULL, NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct selinux_context c = { 0 };
		struct error err = { 0 };

		if (!cases[i].type) {
			assert_int_equal(selinux_parse(arena, cases[i].text, &c, &err), -1);
			assert_int_equal(err.kind, ERROR_INVALID);
			continue;
		}
		assert_int_equal(selinux_parse(arena, cases[i].text, &c, &err), 0);
		assert_string_equal(c.type, cases[i].type);
		assert_true(str_eq(c.level, cases[i].level));
		assert_string_equal(selinux_print(arena, &c), cases[i].text);
	}
}

static void policy_names(void **state)
{
	static const struct { const char *config, *name; } cases[] = {
		{ NULL, "targeted" }, { "", "targeted" }, { "SELINUX=enforcing\nSELINUXTYPE=default\n", "default" },
		{ "# SELINUXTYPE=mls\n", "targeted" }, { "SELINUXTYPE = mls # comment", "mls" }, { "SELINUXTYPE=../..", "targeted" },
		{ "SELINUXTYPE=a/b", "targeted" }, { "SELINUXTYPE=", "targeted" }, { "SELINUXTYPEX=mls", "targeted" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(selinux_policy_name(arena, cases[i].config), cases[i].name);
}

static void container_contexts(void **state)
{
	struct selinux_contexts c;

	selinux_read_contexts(arena, "process = \"u:r:p_t:s0\"\ncontent = \"u:r:v_t:s0\"\nfile = \"u:object_r:f_t:s0\"\n"
			      "ro_file=\"u:object_r:ro_t:s0\"\n", &c);
	assert_true(c.found);
	assert_string_equal(c.process.type, "p_t");
	assert_string_equal(c.file.type, "f_t");
	/* Half a file, a damaged one, none: the usual names for what is missing. */
	selinux_read_contexts(arena, "  process\t=   \"u:r:p_t:s0\"", &c);
	assert_false(c.found);
	assert_string_equal(c.process.type, "p_t");
	assert_string_equal(selinux_print(arena, &c.file), "system_u:object_r:container_file_t:s0");
	selinux_read_contexts(arena, "process = \"nonsense\"\nfile", &c);
	assert_false(c.found);
	assert_string_equal(selinux_print(arena, &c.process), "system_u:system_r:container_t:s0");
	selinux_read_contexts(arena, NULL, &c);
	assert_false(c.found);
}

static unsigned count(const struct selinux_categories *set)
{
	unsigned n = 0;

	for (size_t i = 0; i < ELEMENTS(set->bits); i++)
		n += (unsigned)__builtin_popcountll(set->bits[i]);
	return n;
}

static void categories(void **state)
{
	static const struct { const char *level; int n; } cases[] = {
		{ "s0", 0 }, { "s15", 0 }, { "s0:c0", 1 }, { "s0:c1023", 1 }, { "s0:c1,c2", 2 }, { "s0:c1,c1", 1 },
		{ "s0-s0:c0.c1023", 1024 }, { "s0:c5-s0:c1,c4.c7", 5 }, { "s0-s15:c0.c63,c100", 65 },
		{ "", -1 }, { "s", -1 }, { "0", -1 }, { "s0:", -1 }, { "s0:c", -1 }, { "s0:c1024", -1 }, { "s0:c1,", -1 },
		{ "s0:c2.c1", -1 }, { "s0:c1.", -1 }, { "s0:c1 ", -1 }, { "s0-", -1 }, { "-s0", -1 }, { "s0-s0-s0", -1 },
		{ "s0:c99999999999999999999", -1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct selinux_categories set;

		assert_int_equal(selinux_parse_categories(cases[i].level, &set), cases[i].n < 0 ? -1 : 0);
		if (cases[i].n >= 0)
			assert_int_equal(count(&set), cases[i].n);
	}
}

/* Each number below n(n-1)/2 gives another pair, in order and from the set. */
static void pairs(void **state)
{
	struct selinux_categories set, all;
	unsigned a, b, last_a = 0, last_b = 0;

	assert_int_equal(selinux_parse_categories("s0:c3,c64,c70,c1000", &set), 0);
	for (uint64_t i = 0; i < 6; i++) {
		assert_true(selinux_pick_pair(&set, i, &a, &b));
		assert_true(a < b);
		assert_true(i == 0 || a > last_a || (a == last_a && b > last_b));
		last_a = a, last_b = b;
	}
	assert_int_equal(last_a, 70);
	assert_int_equal(last_b, 1000);
	assert_true(selinux_pick_pair(&set, 6, &a, &b));
	assert_int_equal(a, 3);
	assert_int_equal(b, 64);
	selinux_parse_categories("s0-s0:c0.c1023", &all);
	assert_true(selinux_pick_pair(&all, 1024 * 1023 / 2 - 1, &a, &b));
	assert_int_equal(a, 1022);
	assert_int_equal(b, 1023);
	assert_true(selinux_pick_pair(&all, UINT64_MAX, &a, &b));
	selinux_parse_categories("s0:c7", &set);
	assert_false(selinux_pick_pair(&set, 0, &a, &b));
	selinux_parse_categories("s0", &set);
	assert_false(selinux_pick_pair(&set, 0, &a, &b));
}

static void levels(void **state)
{
	assert_string_equal(selinux_level_with_pair(arena, "s0", 1, 7), "s0:c1,c7");
	assert_string_equal(selinux_level_with_pair(arena, "s0-s0:c0.c1023", 1, 7), "s0:c1,c7");
	assert_string_equal(selinux_level_with_pair(arena, "s3:c5", 1, 7), "s3:c1,c7");
	assert_string_equal(selinux_level_without_categories(arena, "s0:c1,c2"), "s0");
	assert_string_equal(selinux_level_without_categories(arena, "s0"), "s0");
	assert_null(selinux_level_without_categories(arena, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contexts), cmocka_unit_test(policy_names), cmocka_unit_test(container_contexts),
		cmocka_unit_test(categories), cmocka_unit_test(pairs), cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
