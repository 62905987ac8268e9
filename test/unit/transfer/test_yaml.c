#include "transfer/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void values(void **state)
{
	static const struct { const char *text, *json; } cases[] = {
		{ "", "null" },
		{ "# only\n", "null" },
		{ "a: 1\nb: [x, 'y', \"z\\t\"]\nc:\n  d: ~\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\\t\"],\"c\":{\"d\":null}}" },
		{ "a: true\nb: 'true'\nc: Off\nd: !!str true\n", "{\"a\":true,\"b\":\"true\",\"c\":false,\"d\":\"true\"}" },
		{ "docker.io/x:1:\n  lookaside: https://x.io:80/y\n", "{\"docker.io/x:1\":{\"lookaside\":\"https://x.io:80/y\"}}" },
		{ "- -7\n- 1.5\n- |\n  t\n", "[-7,\"1.5\",\"t\\n\"]" },
		{ "---\na: {}\n...\n", "{\"a\":{}}" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct json *value = yaml_parse(arena, cases[i].text, strlen(cases[i].text), &err);

		if (!value)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(json_print(arena, value, 0), cases[i].json);
	}
}

static void errors(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "a: 1\na: 2\n", "line 2, column 1: this name was given before" },
		{ "a: 1\n b: 2\n", "line 2" },
		{ "a: [1\n", "line 2" },
		{ "a: \"x\n", "line 2" },
		{ "a: &x 1\n", "anchors and aliases" },
		{ "a: &x [1]\nb: *x\n", "anchors and aliases" },
		{ "&x a: 1\n", "line 1, column 1" },
		{ "[a]: 1\n", "line 1, column 1: expected a name" },
		{ "a: 1\n---\nb: 2\n", "line 2, column 1: a second document" },
		{ "a: \"x\\0y\"\n", "a zero byte" },
		{ "\"x\\0y\": 1\n", "a zero byte" },
		{ "a: \xff\n", "line" },
		{ "a: \x01\n", "line" },
	};
	char deep[100];

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };

		if (yaml_parse(arena, cases[i].text, strlen(cases[i].text), &err) || !strstr(err.text, cases[i].error))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	memset(deep, '[', sizeof(deep));
	assert_null(yaml_parse(arena, deep, sizeof(deep), &(struct error){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(errors) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
