#include "spec/chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

static void positions(void **state)
{
	static const struct { const char *text; bool good; } cases[] = {
		{ "100:50:500:1", true }, { "100:900:500:1", true }, { "9:1:1:1", true },
		{ "100:901:500:1", false }, { "8:50:500:1", false }, { "100:0:500:1", false }, { "100:50:0:1", false },
		{ "100:50:500:2", false }, { "100:50:500", false }, { "100:50:500:1:1", false }, { "", false },
		{ "-1:50:500:1", false }, { "100:50:99999999999:1", false }, { " 100:50:500:1", false },
		{ "99999999999999999999:50:500:1", false }, { "9223372036854775807:9223372036854775807:500:1", false },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct chunked_table t;
		struct error err = { 0 };

		if ((chunked_position_parse(cases[i].text, 1000, &t, &err) == 0) != cases[i].good)
			fail_msg("%s: %s", cases[i].text, cases[i].good ? err.text : "was accepted");
		if (cases[i].good)
			assert_int_equal(t.begin, t.offset - 8);
	}
}

static void put(unsigned char *p, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(n >> 8 * i);
}

static void footers(void **state)
{
	unsigned char newer[64] = { 0 }, older[64] = { 0 };
	struct chunked_table t;

	put(newer, 500); put(newer + 8, 100); put(newer + 16, 300); put(newer + 24, 1); put(newer + 32, 700);
	memcpy(newer + 56, "GNUlInUx", 8);
	assert_true(chunked_footer_parse(newer, 64, 1000, &t));
	assert_int_equal(t.offset, 500);
	assert_int_equal(t.plain_size, 300);
	assert_false(chunked_footer_parse(newer, 64, 590, &t));
	put(older + 24, 400); put(older + 32, 100); put(older + 40, 300); put(older + 48, 1);
	memcpy(older + 56, "GNUlInUx", 8);
	assert_true(chunked_footer_parse(older, 64, 1000, &t));
	assert_int_equal(t.offset, 400);
	put(older + 24, UINT64_MAX);
	assert_false(chunked_footer_parse(older, 64, 1000, &t));
	older[63] = 'y';
	assert_false(chunked_footer_parse(older, 64, 1000, &t));
	assert_false(chunked_footer_parse(newer + 32, 32, 1000, &t));
}

static int read_pieces(const char *entries, struct chunked_pieces *ret, struct error *err)
{
	static const struct chunked_table table = { .offset = 1008, .size = 10, .plain_size = 10, .begin = 1000 };
	char *text = arena_printf(arena, "{\"version\":1,\"entries\":[%s]}", entries);

	return chunked_pieces_read(arena, text, strlen(text), &table, ret, err);
}

#define FILE_A "{\"type\":\"reg\",\"name\":\"a\",\"size\":9,\"digest\":\"sha256:a\",\"offset\":100,\"endOffset\":300}"
#define FILE_B(time) "{\"type\":\"reg\",\"name\":\"b\",\"size\":9,\"modtime\":\"" time "\",\"digest\":\"sha256:b\"," \
	"\"offset\":350,\"endOffset\":900,\"chunkSize\":4,\"chunkDigest\":\"sha256:b1\"}," \
	"{\"type\":\"chunk\",\"name\":\"b\",\"offset\":600,\"chunkOffset\":4,\"chunkSize\":5,\"chunkDigest\":\"sha256:b2\"}"

static void pieces_have_no_gaps(void **state)
{
	static const int64_t ends[] = { 100, 300, 350, 600, 900, 1000 };
	struct chunked_pieces one, other;
	struct error err = { 0 };
	int64_t at = 0;

	assert_int_equal(read_pieces(FILE_A ",{\"type\":\"dir\",\"name\":\"d/\"}," FILE_B("1"), &one, &err), 0);
	assert_int_equal(one.n, ELEMENTS(ends));
	for (size_t i = 0; i < one.n; i++) {
		assert_int_equal(one.v[i].offset, at);
		at += one.v[i].size;
		assert_int_equal(at, ends[i]);
	}
	/* Another time of b changes its header, not its data. */
	assert_int_equal(read_pieces(FILE_A ",{\"type\":\"dir\",\"name\":\"d/\"}," FILE_B("2"), &other, &err), 0);
	for (size_t i = 0; i < one.n; i++) {
		bool same = one.v[i].key.a == other.v[i].key.a && one.v[i].key.b == other.v[i].key.b;

		assert_int_equal(same, i != 2);
	}
	assert_int_equal(read_pieces("", &one, &err), 0);
	assert_int_equal(one.n, 1);
}

static void hostile_tables(void **state)
{
	static const char *const cases[] = {
		FILE_A "," FILE_A,
		"{\"type\":\"reg\",\"size\":1,\"offset\":-5,\"endOffset\":10}",
		"{\"type\":\"reg\",\"size\":1,\"offset\":10,\"endOffset\":10}",
		"{\"type\":\"reg\",\"size\":1,\"offset\":10,\"endOffset\":1001}",
		"{\"type\":\"reg\",\"size\":1,\"offset\":2000,\"endOffset\":9223372036854775807}",
		"{\"type\":\"chunk\",\"offset\":10}",
		FILE_A ",{\"type\":\"chunk\",\"offset\":301}",
		FILE_A ",{\"type\":\"chunk\",\"offset\":50}",
		"{\"name\":\"a\"}",
		"7",
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct chunked_pieces pieces;
		struct error err = { 0 };

		if (read_pieces(cases[i], &pieces, &err) == 0)
			fail_msg("%s was accepted", cases[i]);
		assert_true(err.text[0]);
	}
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DATA(offset, end, size) "{\"type\":\"reg\",\"name\":\"x\",\"size\":" size ",\"digest\":\"sha256:" HEX "\"," \
	"\"offset\":" offset ",\"endOffset\":" end "}"

static int read_contents(const char *entries, struct chunked_contents *ret, struct error *err)
{
	static const struct chunked_table table = { .offset = 1008, .size = 10, .plain_size = 10, .begin = 1000 };
	char *text = arena_printf(arena, "{\"version\":1,\"tarSplitDigest\":\"sha256:s\",\"entries\":[%s]}", entries);

	return chunked_contents_read(arena, text, strlen(text), &table, ret, err);
}

static void contents(void **state)
{
	struct chunked_contents c;
	struct error err = { 0 };

	assert_int_equal(read_contents("{\"type\":\"dir\",\"name\":\"d/\"}," DATA("10", "20", "500") ","
				       "{\"type\":\"chunk\",\"offset\":15},{\"type\":\"reg\",\"name\":\"empty\"}," FILE_A, &c, &err), 0);
	assert_int_equal(c.n, 2);
	assert_true(c.v[0].offset == 10 && c.v[0].end == 20 && c.v[0].size == 500 && c.v[0].has_digest);
	assert_true(c.v[0].digest[0] == 0x01 && c.v[0].digest[7] == 0xef && c.v[0].digest[31] == 0xef);
	assert_true(c.v[1].offset == 100 && c.v[1].end == 300 && c.v[1].size == 9 && !c.v[1].has_digest);
	assert_string_equal(c.split_digest, "sha256:s");
	assert_int_equal(read_contents("", &c, &err), 0);
	assert_int_equal(c.n, 0);
}

static void hostile_contents(void **state)
{
	static const char *const cases[] = {
		DATA("10", "20", "1") "," DATA("19", "30", "1"), DATA("10", "20", "1") "," DATA("5", "30", "1"),
		DATA("-1", "20", "1"), DATA("10", "10", "1"), DATA("10", "1001", "1"), DATA("10", "9223372036854775807", "1"),
		DATA("9223372036854775807", "9223372036854775807", "1"),
		DATA("10", "20", "0"), DATA("10", "20", "-1"), DATA("10", "20", "4611686018427387904"),
		DATA("10", "20", "1000000") "," DATA("30", "40", "1000000"), "{\"type\":\"reg\",\"offset\":1,\"endOffset\":2}", "7",
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct chunked_contents c;
		struct error err = { 0 };

		if (read_contents(cases[i], &c, &err) == 0)
			fail_msg("%s was accepted", cases[i]);
		assert_true(err.text[0]);
	}
}

static void splits(void **state)
{
	static const struct chunked_table table = { .offset = 1008, .size = 10, .plain_size = 10, .begin = 1000 };
	static const struct { const char *text; bool good; } cases[] = {
		{ "1026:50:500", true }, { "1026:974:1", true },
		{ "1025:50:500", false }, { "1026:975:1", false }, { "1026:0:1", false }, { "1026:50", false }, { "1026:50:1:1", false },
		{ "-1:50:1", false }, { "", false }, { "9223372036854775807:9223372036854775807:1", false },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct chunked_table t;
		struct error err = { 0 };

		if ((chunked_split_parse(cases[i].text, &table, 2000, &t, &err) == 0) != cases[i].good)
			fail_msg("%s: %s", cases[i].text, cases[i].good ? err.text : "was accepted");
	}
}

static void annotations(void **state)
{
	struct pair pairs[] = { { "io.containers.zstd-chunked.manifest-position", "1:2:3:1" },
				{ "io.github.containers.zstd-chunked.manifest-checksum", "sha256:x" } };
	const struct string_map map = { pairs, 2 };

	assert_string_equal(chunked_annotation(&map, "manifest-position"), "1:2:3:1");
	assert_string_equal(chunked_annotation(&map, "manifest-checksum"), "sha256:x");
	assert_null(chunked_annotation(&map, "position"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions),
		cmocka_unit_test(footers),
		cmocka_unit_test(pieces_have_no_gaps),
		cmocka_unit_test(hostile_tables),
		cmocka_unit_test(contents),
		cmocka_unit_test(hostile_contents),
		cmocka_unit_test(splits),
		cmocka_unit_test(annotations),
	};

	return cmocka_run_group_tests_name("chunked", tests, setup, teardown);
}
