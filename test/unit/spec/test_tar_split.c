#include "spec/tar_split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/string.h"

static void lines(void **state)
{
	static const struct { const char *line; bool good, is_file; int64_t size; const char *bytes; } cases[] = {
		{ "{\"type\":2,\"payload\":\"YWI=\",\"position\":0}", true, false, 2, "ab" },
		{ "{\"type\":2,\"payload\":\"\",\"position\":0}", true, false, 0, "" },
		{ "{\"type\":2,\"payload\":null,\"position\":7}", true, false, 0, "" },
		{ "{\"type\":1,\"name\":\"a\",\"size\":5,\"payload\":\"AAAAAAAAAAA=\",\"position\":1}", true, true, 5, NULL },
		{ "{\"type\":1,\"name\":\"a\",\"payload\":null,\"position\":1}", true, true, 0, NULL },
		{ "{\"type\":1,\"name_raw\":\"/w==\",\"size\":9223372036854775807}", true, true, INT64_MAX, NULL },
		{ "{\"type\":1,\"size\":-1}", false }, { "{\"type\":3}", false }, { "{\"type\":0}", false }, { "{}", false },
		{ "{\"type\":2,\"payload\":\"*\"}", false }, { "{\"type\":2,\"payload\":7}", false }, { "", false }, { "[]", false },
		{ "{\"type\":1,\"size\":18446744073709551615}", false }, { "{\"type\":2} {\"type\":2}", false },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct tar_split_entry e = { 0 };
		struct error err = { 0 };
		int r = tar_split_read(arena, cases[i].line, strlen(cases[i].line), &e, &err);

		if ((r == 0) != cases[i].good)
			fail_msg("%s: %s", cases[i].line, r < 0 ? err.text : "was accepted");
		if (r < 0)
			continue;
		assert_int_equal(e.is_file, cases[i].is_file);
		assert_int_equal(e.size, cases[i].size);
		if (cases[i].bytes)
			assert_memory_equal(e.bytes, cases[i].bytes, strlen(cases[i].bytes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines) };

	return cmocka_run_group_tests_name("tar_split", tests, NULL, NULL);
}
