#include "explain/run_line.h"

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

/* The image is the word "img". */
static struct run_line line_of(const char *text)
{
	struct run_line line = { .words = strings_split(arena, text, " ") };

	while (line.image_at < line.words.n && strcmp(line.words.v[line.image_at], "img") != 0)
		line.image_at++;
	return line;
}

static void options_are_dropped(void **state)
{
	static const struct { const char *line, *value, *expect; } cases[] = {
		{ "--user 5 img", NULL, "bryo run img" },
		{ "--user=5 -it img", NULL, "bryo run -it img" },
		{ "-u 5 -u6 img", NULL, "bryo run img" },
		{ "-u=5 img", NULL, "bryo run img" },
		{ "-u 5 -u 6 img", "6", "bryo run -u 5 img" },
		{ "--rm img --user 5", NULL, "bryo run --rm img --user 5" },
		{ "--userns host img", NULL, "bryo run --userns host img" },
		{ "img -u", NULL, "bryo run img -u" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct run_line line = line_of(cases[i].line);
		struct strings dropped = { 0 };

		run_line_drop(arena, &line, 'u', "user", cases[i].value, &dropped);
		assert_string_equal(run_line_print(arena, &line), cases[i].expect);
	}
}

static void mounts_are_changed(void **state)
{
	static const struct { const char *line, *drop, *add, *expect; } cases[] = {
		{ "-v /s:/d:ro img", "ro", NULL, "bryo run -v /s:/d img" },
		{ "-v /s:/d:ro,z --rm img cmd", "ro", NULL, "bryo run --rm -v /s:/d:z img cmd" },
		{ "-v/s:/d img", NULL, "U", "bryo run -v /s:/d:U img" },
		{ "--volume=/s:/d:noexec img", "noexec", NULL, "bryo run -v /s:/d img" },
		{ "--mount type=bind,src=/s,dst=/d,readonly img", "ro", NULL, "bryo run --mount type=bind,src=/s,dst=/d img" },
		{ "--mount type=bind,src=/s,target=/d,ro=true img", "ro", "U",
		  "bryo run --mount type=bind,src=/s,target=/d,U=true img" },
		{ "-v /s:/other:ro img", "ro", NULL, NULL },
		{ "img -v /s:/d:ro", "ro", NULL, NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct run_line line = line_of(cases[i].line);
		struct strings dropped = { 0 }, added = { 0 };
		bool found = run_line_change_mount(arena, &line, "/d", cases[i].drop, cases[i].add, &dropped, &added);

		assert_int_equal(found, cases[i].expect != NULL);
		assert_string_equal(run_line_print(arena, &line),
				    cases[i].expect ? cases[i].expect : arena_printf(arena, "bryo run %s", cases[i].line));
	}
}

static void options_stand_before_the_image(void **state)
{
	struct run_line line = line_of("--rm img sh -c x");
	struct strings more = { (char *[]){ "--user=0:0" }, 1 };

	line = run_line_with(arena, &line, &more);
	assert_string_equal(run_line_print(arena, &line), "bryo run --rm --user=0:0 img sh -c x");
	line = (struct run_line){ 0 };
	assert_null(run_line_print(arena, &line));
	line = run_line_with(arena, &line, &more);
	assert_null(run_line_print(arena, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_dropped),
		cmocka_unit_test(mounts_are_changed),
		cmocka_unit_test(options_stand_before_the_image),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
