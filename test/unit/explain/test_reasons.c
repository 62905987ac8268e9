#include "explain/reasons.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/string.h"

static void every_reason_has_its_texts(void **state)
{
	for (enum reason r = 0; r < REASON_COUNT; r++) {
		const struct reason_text *t = reason_text(r);

		if (!t->code)
			fail_msg("reason %d has no text", r);
		for (const char *c = t->code; *c; c++)
			if (!islower((unsigned char)*c) && *c != '-')
				fail_msg("%s is no code", t->code);
		if (str_is_empty(t->line) || strchr(t->line, '\n') || str_ends(t->line, ".") || strlen(t->line) > 100)
			fail_msg("%s: its line", t->code);
		if (str_is_empty(t->paragraph) || strchr(t->paragraph, '\n') || strstr(t->paragraph, "  "))
			fail_msg("%s: its paragraph", t->code);
	}
}

static void codes_are_found(void **state)
{
	for (enum reason r = 0; r < REASON_COUNT; r++)
		assert_int_equal(reason_find(reason_code(r)), r);	/* and so they are unique */
	assert_int_equal(reason_find("uid_shift"), REASON_COUNT);
	assert_int_equal(reason_find(""), REASON_COUNT);
}

static void nothing_harmful_is_advised(void **state)
{
	static const char *const harmful[] = { "777", "label=disable", "sudo chmod", "sudo chown" };

	for (enum reason r = 0; r < REASON_COUNT; r++)
		for (size_t i = 0; i < ELEMENTS(harmful); i++)
			if (strstr(reason_text(r)->paragraph, harmful[i]))
				fail_msg("%s: %s", reason_code(r), harmful[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_texts),
		cmocka_unit_test(codes_are_found),
		cmocka_unit_test(nothing_harmful_is_advised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
