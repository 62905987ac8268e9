/* Each answer is given whole, byte by byte, and in pieces of three. What was taken is printed as "OFFSET:BYTES". */
#include "spec/byteranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/string.h"

static int take(void *context, int64_t offset, const char *p, size_t n)
{
	struct buffer *out = context;
	static int64_t next;

	assert_true(n > 0);
	if (!out->size || offset != next)
		buffer_printf(out, "%s%lld:", out->size ? " " : "", (long long)offset);
	buffer_add(out, p, n);
	next = offset + (int64_t)n;
	return memchr(p, '!', n) ? -1 : 0;
}

static void headers(void **state)
{
	static const struct { const char *text; int64_t from, end; } ranges[] = {
		{ "bytes 0-0/1", 0, 1 }, { "bytes 5-9/*", 5, 10 }, { "Bytes 5-9/100", 5, 10 },
		{ "bytes 9-5/100", -1, 0 }, { "bytes */100", -1, 0 }, { "bytes 5-9", -1, 0 }, { "items 5-9/100", -1, 0 },
		{ "bytes -5-9/100", -1, 0 }, { "bytes 5-99999999999999999999/100", -1, 0 },
		{ "bytes 0-9223372036854775807/*", -1, 0 },
	};
	static const struct { const char *type; bool good; } types[] = {
		{ "multipart/byteranges; boundary=x", true }, { "Multipart/Byteranges;Boundary=\"a b\"", true },
		{ "multipart/byteranges", false }, { "multipart/byteranges; boundary=", false }, { NULL, false },
		{ "text/plain; boundary=x", false },
		{ "multipart/byteranges; boundary=0123456789012345678901234567890123456789012345678901234567890123456789x", false },
	};

	for (size_t i = 0; i < ELEMENTS(ranges); i++) {
		int64_t from = -1, end = 0;
		bool good = byteranges_parse(ranges[i].text, &from, &end);

		if (good != (ranges[i].from >= 0) || (good && (from != ranges[i].from || end != ranges[i].end)))
			fail_msg("%s", ranges[i].text);
	}
	for (size_t i = 0; i < ELEMENTS(types); i++) {
		struct byteranges b;

		if (byteranges_begin(&b, types[i].type, take, NULL) != types[i].good)
			fail_msg("%s", types[i].type);
	}
}

#define PART(range, data) "\r\n--B\r\nContent-Type: x/y\r\nContent-Range: bytes " range "/100\r\n\r\n" data

static const struct { const char *answer, *taken; bool whole; } answers[] = {
	{ PART("5-7", "abc") PART("90-90", "z") "\r\n--B--\r\n", "5:abc 90:z", true },
	{ "--B\r\ncontent-range:bytes 5-7/*\r\n\r\nabc\r\n--B--", "5:abc", false },
	{ "--B\nContent-Range: bytes 5-7/*\n\nabc\n--B--\n", "5:abc", true },
	{ "a preamble\r\n" PART("5-7", "abc") "\r\n--B--\r\nand more", "5:abc", true },
	/* the bytes are counted: a boundary may be in them */
	{ PART("0-8", "\r\n--B--\r\n") "\r\n--B--\r\n", "0:\r\n--B--\r\n", true },
	{ PART("5-7", "abc") PART("5-7", "abc") "\r\n--B--\r\n", "5:abc 5:abc", true },
	{ PART("5-7", "ab"), "5:ab", false },
	{ "\r\n--B--\r\n", "", true },
	{ "", "", false },
	/* NULL: refused */
	{ PART("5-7", "abcd") "\r\n--B--\r\n", NULL, false },
	{ PART("7-5", "abc"), NULL, false },
	{ "--B\r\n\r\nabc", NULL, false },
	{ "--B\r\nContent-Range: bytes 1-2/9\r\nContent-Range: bytes 1-2/9\r\n\r\n", NULL, false },
	{ PART("5-7", "a!c"), NULL, false },
};

static void give(const char *answer, size_t step, const char *taken, bool whole)
{
	size_t n = strlen(answer);
	struct buffer out = BUFFER(1000);
	struct error err = { 0 };
	struct byteranges b;
	int r = 0;

	assert_true(byteranges_begin(&b, "multipart/byteranges; boundary=B", take, &out));
	for (size_t i = 0; r == 0 && i < n; i += step)
		r = byteranges_add(&b, answer + i, n - i < step ? n - i : step, &err);
	if ((r < 0) != !taken || (taken && strcmp(out.size ? out.data : "", taken) != 0) || (taken && byteranges_is_whole(&b) != whole))
		fail_msg("%s in pieces of %zu: %d, %s", answer, step, r, out.size ? out.data : "");
	buffer_done(&out);
}

static void parts(void **state)
{
	for (size_t i = 0; i < ELEMENTS(answers); i++) {
		give(answers[i].answer, 10000, answers[i].taken, answers[i].whole);
		give(answers[i].answer, 3, answers[i].taken, answers[i].whole);
		give(answers[i].answer, 1, answers[i].taken, answers[i].whole);
	}
}

/* Without an end of headers, of a line, or of what comes before the first part. */
static void floods(void **state)
{
	static const char *const texts[] = { "x", "x\n", "--B\nx: y\n" };

	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		struct error err = { 0 };
		struct byteranges b;
		int r = 0, n = 0;

		assert_true(byteranges_begin(&b, "multipart/byteranges; boundary=B", take, NULL));
		for (; r == 0 && n < 100000; n++)
			r = byteranges_add(&b, n ? strchr(texts[i], 'x') : texts[i], strlen(n ? strchr(texts[i], 'x') : texts[i]), &err);
		assert_int_equal(r, -1);
		assert_true(err.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(headers), cmocka_unit_test(parts), cmocka_unit_test(floods) };

	return cmocka_run_group_tests_name("byteranges", tests, NULL, NULL);
}
