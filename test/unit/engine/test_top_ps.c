/* The words of ps(1) as descriptors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/top_ps.h"

static void test_words(void **state)
{
	static const struct { const char *words, *descriptors; } cases[] = {
		{ "-eo pid,comm", "pid,comm" },
		{ "-o pid,cmd,%cpu", "pid,args,pcpu" },
		{ "-opid,stat", "pid,state" },
		{ "-o pid -o euser", "pid,user" },
		{ "axo pid,ni", "pid,nice" },
		{ "aux", "user,pid,pcpu,vsz,rss,tty,state,stime,time,args" },
		{ "-ef", "user,pid,ppid,pcpu,stime,tty,time,args" },
		{ "-e", "pid,tty,state,time,args" },
		{ "-o", NULL }, { "-", NULL }, { "-Z", NULL }, { "-e --forest", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct strings words = strings_split(arena, cases[i].words, " "), got = { 0 };
		struct error err = { 0 };
		int r = top_ps_descriptors(arena, &words, &got, &err);

		assert_true(top_ps_is(&words));
		if ((r == 0) != (cases[i].descriptors != NULL) ||
		    (r == 0 && !str_eq(strings_join(arena, &got, ","), cases[i].descriptors)))
			fail_msg("%s: %s", cases[i].words, r == 0 ? strings_join(arena, &got, ",") : err.text);
	}
}

static void test_descriptors_are_none(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct strings words = strings_split(arena, "pid,args", " "), none = { 0 };

	(void)state;
	assert_false(top_ps_is(&words));
	assert_false(top_ps_is(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_descriptors_are_none) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
