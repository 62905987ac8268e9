/* How far an upload is, by what registries say, and the pieces that follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/string.h"
#include "spec/upload.h"

static void ranges(void **state)
{
	static const struct { const char *text; int64_t size, received; } rows[] = {
		{ "0-499", 1000, 500 },	    { "bytes=0-499", 1000, 500 },     { "0-0", 1000, 0 },
		{ "0-999", 1000, 1000 },    { "0-1000", 1000, -1 },	      { "1-499", 1000, -1 },
		{ "", 1000, -1 },	    { "0", 1000, -1 },		      { "0-", 1000, -1 },
		{ "-5", 1000, -1 },	    { "0-499 ", 1000, -1 },	      { "0-499/1000", 1000, -1 },
		{ "0--1", 1000, -1 },	    { "bytes 0-499", 1000, -1 },      { "0-99999999999999999999999999", 1000, -1 },
		{ "0-9223372036854775807", INT64_MAX, -1 }, { "0-0", 0, 0 },  { "00-09", 1000, 10 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (upload_received(rows[i].text, rows[i].size) != rows[i].received)
			fail_msg("%s of %lld: %lld", rows[i].text, (long long)rows[i].size,
				 (long long)upload_received(rows[i].text, rows[i].size));
}

static void pieces(void **state)
{
	struct upload_pieces p = { 0 };

	(void)state;
	assert_int_equal(upload_piece(&p, 0, 1 << 30), 1 << 30);
	assert_true(upload_make_smaller(&p, 1 << 30));
	assert_int_equal(upload_piece(&p, 0, 1 << 30), 64 << 20);
	assert_int_equal(upload_piece(&p, (1 << 30) - 5, 1 << 30), 5);
	assert_true(upload_make_smaller(&p, 64 << 20));
	assert_int_equal(p.most, 32 << 20);
	for (int i = 0; i < 7; i++)
		assert_true(upload_make_smaller(&p, p.most));
	assert_false(upload_make_smaller(&p, p.most));
}

static void lost(void **state)
{
	struct upload_pieces p = { 0 };

	(void)state;
	upload_lost(&p, 64 << 20);
	assert_int_equal(p.most, 0);
	upload_lost(&p, (64 << 20) + 1);
	assert_int_equal(p.most, 64 << 20);
	p = (struct upload_pieces){ .least = 65 << 20 };
	upload_lost(&p, 1 << 30);
	assert_int_equal(p.most, 0);
}

static void least(void **state)
{
	static const char *const nonsense[] = { NULL, "", "x", "-1", "1x", "99999999999999999999" };
	struct upload_pieces p = { .most = 1 << 20 };

	(void)state;
	for (size_t i = 0; i < ELEMENTS(nonsense); i++)
		upload_take_least(&p, nonsense[i]);
	assert_int_equal(p.least, 0);
	upload_take_least(&p, "5242880");
	assert_int_equal(p.most, 5242880);
	assert_false(upload_make_smaller(&p, p.most));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges), cmocka_unit_test(pieces), cmocka_unit_test(lost), cmocka_unit_test(least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
