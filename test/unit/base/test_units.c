#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/string.h"

#define S INT64_C(1000000000)

static struct arena *arena;

static int setup(void **state)
{
	setenv("TZ", "UTC", 1);
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static void sizes(void **state)
{
	static const struct { const char *text; int result; uint64_t bytes; } cases[] = {
		{ "0", 0, 0 },
		{ "1024", 0, 1024 },
		{ "512b", 0, 512 },
		{ "64m", 0, 64 << 20 },
		{ "64M", 0, 64 << 20 },
		{ "64MB", 0, 64 << 20 },
		{ "1.5GiB", 0, 1536 << 20 },
		{ "0.5k", 0, 512 },
		{ "10 kb", 0, 10240 },
		{ "1t", 0, UINT64_C(1) << 40 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "15e", 0, UINT64_C(15) << 60 },
		{ "16e", -1, 0 },
		{ "18446744073709551616", -1, 0 },
		{ "", -1, 0 },
		{ "k", -1, 0 },
		{ "-1", -1, 0 },
		{ "1.", -1, 0 },
		{ ".5", -1, 0 },
		{ "1x", -1, 0 },
		{ "1mm", -1, 0 },
		{ "1  m", -1, 0 },
		{ " 1", -1, 0 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		uint64_t bytes = 0;

		if (units_parse_size(cases[i].text, &bytes) != cases[i].result || bytes != cases[i].bytes)
			fail_msg("%s: %llu", cases[i].text, (unsigned long long)bytes);
	}
}

static void size_texts(void **state)
{
	assert_string_equal(units_format_size(arena, 0), "0 B");
	assert_string_equal(units_format_size(arena, 999), "999 B");
	assert_string_equal(units_format_size(arena, 5320000), "5.32 MB");
	assert_string_equal(units_format_size(arena, 999999), "1 MB");
	assert_string_equal(units_format_size(arena, 123456789), "123 MB");
	assert_string_equal(units_format_size(arena, UINT64_MAX), "18.4 EB");
	assert_string_equal(units_format_size_binary(arena, 5578424), "5.32MiB");
	assert_string_equal(units_format_size_binary(arena, 1023), "1023B");
	assert_string_equal(units_format_size_binary(arena, 1048575), "1MiB");
}

static void durations(void **state)
{
	static const struct { const char *text; int64_t ns; const char *print; } cases[] = {
		{ "0", 0, "0s" },
		{ "5s", 5 * S, NULL },
		{ "-5s", -5 * S, NULL },
		{ "300ms", 300000000, NULL },
		{ "1h2m3.5s", 3723 * S + S / 2, NULL },
		{ "1m3.5s", 63 * S + S / 2, NULL },
		{ "1.5h", 5400 * S, "1h30m0s" },
		{ "90m", 5400 * S, "1h30m0s" },
		{ "100us", 100000, "100\xc2\xb5s" },
		{ "1.5\xc2\xb5s", 1500, NULL },
		{ "7ns", 7, NULL },
		{ "0.000000001s", 1, "1ns" },
		{ ".5s", S / 2, "500ms" },
		{ "1.s", S, "1s" },
		{ "2562047h47m16.854775807s", INT64_MAX, NULL },
	};
	static const char *const bad[] = { "", "-", "5", "s", "1x", "1.5", "5 s", ".s", "1h2", "3000000h", "1d", "+" };
	int64_t ns;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		if (units_parse_duration(cases[i].text, &ns) < 0 || ns != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)ns);
		assert_string_equal(units_format_duration(arena, ns), cases[i].print ? cases[i].print : cases[i].text);
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++)
		if (units_parse_duration(bad[i], &ns) == 0)
			fail_msg("%s was accepted", bad[i]);
}

static void human_durations(void **state)
{
	static const struct { int64_t seconds; const char *text; } cases[] = {
		{ 0, "Less than a second" }, { -5, "Less than a second" }, { 1, "1 second" },	 { 59, "59 seconds" },
		{ 60, "About a minute" },    { 119, "About a minute" },	   { 180, "3 minutes" }, { 3599, "59 minutes" },
		{ 3600, "About an hour" },   { 7200, "2 hours" },	   { 86400, "24 hours" }, { 172800, "2 days" },
		{ 86400 * 14, "2 weeks" },   { 86400 * 61, "2 months" },   { 86400 * 800, "2 years" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(units_human_duration(arena, cases[i].seconds * S), cases[i].text);
}

static void times(void **state)
{
	static const struct { const char *text; int64_t ns; } cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01", 0 },
		{ "1970-01-01T00:01", 60 * S },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1970-01-01T00:00:00.5-0100", 3600 * S + S / 2 },
		{ "1970-01-01 00:00:01.25 +0000 UTC", S + S / 4 },
		{ "2026-11-22T05:05:15.373262866Z", 1795323915 * S + 373262866 },
		{ "2024-02-29T00:00:00.1234567899Z", 1709164800 * S + 123456789 },
		{ "1700000000", 1700000000 * S },
		{ "1700000000.5", 1700000000 * S + S / 2 },
		{ "1969-12-31T23:59:59.5Z", -S / 2 },
		{ "10m", 400 * S },
		{ "-1s", 1001 * S },
	};
	static const char *const bad[] = { "", "x", "2026", "2026-13-01", "2026-02-29", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00X",
					   "2026-01-01Z0", "0001-01-01T00:00:00Z", "9999-12-31", "99999999999999", "1.", "1970-01-01T00:00:00+9" };
	int64_t ns;

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		if (units_parse_time(cases[i].text, 1000 * S, &ns) < 0 || ns != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)ns);
	for (size_t i = 0; i < ELEMENTS(bad); i++)
		if (strcmp(bad[i], "2026") != 0 && units_parse_time(bad[i], 1000 * S, &ns) == 0)
			fail_msg("%s was accepted", bad[i]);
}

static void time_texts(void **state)
{
	assert_string_equal(units_format_time(arena, 1795323915 * S + 373262866), "2026-11-22T05:05:15.373262866Z");
	assert_string_equal(units_format_time(arena, -S / 2), "1969-12-31T23:59:59.500000000Z");
	assert_string_equal(units_format_time_local(arena, 1795323915 * S + 373262800),
			    "2026-11-22 05:05:15.3732628 +0000 UTC");
	assert_true(units_now() > 1700000000 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),   cmocka_unit_test(size_texts), cmocka_unit_test(durations), cmocka_unit_test(human_durations),
		cmocka_unit_test(times),   cmocka_unit_test(time_texts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
