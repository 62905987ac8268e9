#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/calendar.h"

static const struct { int64_t seconds; struct calendar_time t; } cases[] = {
	{ 0, { 1970, 1, 1, 0, 0, 0 } },
	{ -1, { 1969, 12, 31, 23, 59, 59 } },
	{ 951782399, { 2000, 2, 28, 23, 59, 59 } },
	{ 951782400, { 2000, 2, 29, 0, 0, 0 } },
	{ 4107542400, { 2100, 3, 1, 0, 0, 0 } },
	{ -9223372036, { 1677, 9, 21, 0, 12, 44 } },
	{ -62167219200, { 0, 1, 1, 0, 0, 0 } },
	{ -62167219201, { -1, 12, 31, 23, 59, 59 } },
};

static void check(int64_t seconds, const struct calendar_time *t)
{
	const struct calendar_time is = calendar_utc(seconds);

	assert_int_equal(is.year, t->year);
	assert_int_equal(is.month, t->month);
	assert_int_equal(is.day, t->day);
	assert_int_equal(is.hour, t->hour);
	assert_int_equal(is.minute, t->minute);
	assert_int_equal(is.second, t->second);
}

static void test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check(cases[i].seconds, &cases[i].t);
}

/* The C library says the same of every day of four centuries and a half. */
static void test_as_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -1000; day < 165000; day++) {
		time_t seconds = day * 86400 + day * 7919 % 86400;
		struct tm tm;

		gmtime_r(&seconds, &tm);
		check(seconds, &(struct calendar_time){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
							tm.tm_sec });
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_as_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
