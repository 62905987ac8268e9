/* What is compressed comes out again, and always as the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "transfer/deflate.h"
#include "transfer/inflate.h"

#define SIZE ((size_t)3 << 20)

static int collect(void *context, const void *p, size_t n, struct error *err)
{
	return buffer_add(context, p, n);
}

static void compress(const char *plain, size_t n, size_t block, enum layer_compression kind, const int64_t *level,
		     struct buffer *out)
{
	struct error err = { 0 };
	struct deflate *d = deflate_open(kind, level, collect, out, &err);

	assert_non_null(d);
	for (size_t at = 0; at < n; at += block)
		assert_int_equal(deflate_add(d, plain + at, n - at < block ? n - at : block, false, &err), 0);
	assert_int_equal(deflate_add(d, "", 0, true, &err), 0);
	deflate_close(d);
}

static void check(const struct buffer *packed, enum inflate_kind kind, const char *plain, size_t n)
{
	struct error err = { 0 };
	struct inflate *in = inflate_open_memory(packed->data, packed->size, &err);
	char *out = malloc(n + 1);
	size_t have = 0;
	ssize_t got;

	assert_non_null(in);
	assert_int_equal(inflate_kind(in), kind);
	while (have <= n && (got = inflate_read(in, out + have, n + 1 - have, &err)) > 0)
		have += (size_t)got;
	assert_int_equal(have, n);
	assert_memory_equal(out, plain, n);
	inflate_close(in);
	free(out);
}

/* Half of it can be compressed, half cannot. */
static char *make(void)
{
	char *plain = malloc(SIZE);
	uint32_t seed = 1;

	for (size_t i = 0; i < SIZE; i++) {
		seed = seed * 1664525 + 1013904223;
		plain[i] = i < SIZE / 2 ? (char)(seed >> 24) : (char)(i % 100);
	}
	return plain;
}

static void round_trips(void **state)
{
	static const struct { enum layer_compression kind; enum inflate_kind seen; int64_t level; } rows[] = {
		{ LAYER_GZIP, INFLATE_GZIP, 0 }, { LAYER_GZIP, INFLATE_GZIP, 1 }, { LAYER_GZIP, INFLATE_GZIP, 9 },
		{ LAYER_ZSTD, INFLATE_ZSTD, 1 }, { LAYER_ZSTD, INFLATE_ZSTD, 9 },
	};
	char *plain = make();

	(void)state;
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		_cleanup_buffer_ struct buffer a = BUFFER(2 * SIZE), b = BUFFER(2 * SIZE), nothing = BUFFER(SIZE);

		compress(plain, SIZE, SIZE, rows[i].kind, &rows[i].level, &a);
		compress(plain, SIZE, 131072, rows[i].kind, &rows[i].level, &b);
		check(&a, rows[i].seen, plain, SIZE);
		check(&b, rows[i].seen, plain, SIZE);
		compress(plain, 0, 1, rows[i].kind, &rows[i].level, &nothing);
		check(&nothing, rows[i].seen, plain, 0);
	}
	free(plain);
}

static void the_same_bytes(void **state)
{
	char *plain = make();

	(void)state;
	for (int kind = LAYER_GZIP; kind <= LAYER_ZSTD; kind++) {
		_cleanup_buffer_ struct buffer a = BUFFER(2 * SIZE), b = BUFFER(2 * SIZE);

		compress(plain, SIZE, 131072, (enum layer_compression)kind, NULL, &a);
		compress(plain, SIZE, 131072, (enum layer_compression)kind, NULL, &b);
		assert_int_equal(a.size, b.size);
		assert_memory_equal(a.data, b.data, a.size);
	}
	free(plain);
}

static void levels(void **state)
{
	static const struct { enum layer_compression kind; int64_t level; } wrong[] = {
		{ LAYER_GZIP, 10 }, { LAYER_GZIP, -1 }, { LAYER_ZSTD, 0 }, { LAYER_ZSTD, 23 }, { LAYER_ZSTD, INT64_MAX },
	};
	enum layer_compression kind;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		struct error err = { 0 };

		assert_null(deflate_open(wrong[i].kind, &wrong[i].level, collect, NULL, &err));
		assert_int_equal(err.kind, ERROR_USAGE);
	}
	assert_int_equal(deflate_kind("xz", &kind, NULL), -1);
	assert_int_equal(deflate_kind("zstd", &kind, NULL), 0);
	assert_int_equal(kind, LAYER_ZSTD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips), cmocka_unit_test(the_same_bytes), cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
