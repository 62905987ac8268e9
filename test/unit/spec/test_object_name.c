#include "spec/object_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void names(void **state)
{
	static const struct { unsigned char digest[32]; const char *name; } cases[] = {
		{ { 0 }, "A/AAAAAAAAAAAAAAAAAAAAA" },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		  "_/_____________________" },
		{ { 0xf8 }, "-/AAAAAAAAAAAAAAAAAAAAA" },
		/* of "abc" */
		{ { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
		    0x61, 0xa3 }, "u/ngWv48Bz-pBQUDeXa4iI7" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[OBJECT_NAME_SIZE];

		object_name(cases[i].digest, name);
		assert_string_equal(name, cases[i].name);
		assert_true(object_name_is_valid(name));
	}
}

static void valid_names(void **state)
{
	static const char *const bad[] = {
		"", "/", "u/", "u", "/ngWv48Bz-pBQUDeXa4iI7", "ungWv48Bz-pBQUDeXa4iI7", "u/ngWv48Bz-pBQUDeXa4iI",
		"u/ngWv48Bz-pBQUDeXa4iI77", "u/ngWv48Bz-pBQUDeXa4iI+", "../ngWv48Bz-pBQUDeXa4iI", "u/ngWv48Bz-pBQ/DeXa4iI7",
		"u/ngWv48Bz-pBQUDeXa4iI7/", "./ngWv48Bz-pBQUDeXa4iI7",
	};

	assert_true(object_name_is_valid("u/ngWv48Bz-pBQUDeXa4iI7"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(object_name_is_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(valid_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
