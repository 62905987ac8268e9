/* Packed streams: several members, cuts, damage, trailing bytes, and the kinds told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "transfer/hash.h"
#include "transfer/inflate.h"

#define PLAIN_SIZE ((size_t)700000)

struct bytes { unsigned char *p; size_t n; };

static struct bytes plain(void)
{
	struct bytes b = { malloc(PLAIN_SIZE), PLAIN_SIZE };
	uint32_t x = 1;

	for (size_t i = 0; i < b.n; i++) {
		x = x * 1664525 + 1013904223;
		b.p[i] = (unsigned char)(i % 3 ? x >> 30 : x >> 24);
	}
	return b;
}

static struct bytes gzip(const unsigned char *p, size_t n)
{
	struct bytes b = { malloc(n + 4096), 0 };
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n, .next_out = b.p, .avail_out = (uInt)(n + 4096) };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b.n = z.total_out;
	deflateEnd(&z);
	return b;
}

static struct bytes zstd(const unsigned char *p, size_t n)
{
	struct bytes b = { malloc(ZSTD_compressBound(n)), 0 };

	b.n = ZSTD_compress(b.p, ZSTD_compressBound(n), p, n, 3);
	assert_false(ZSTD_isError(b.n));
	return b;
}

static struct bytes join(struct bytes a, struct bytes b)
{
	a.p = realloc(a.p, a.n + b.n + 1);
	memcpy(a.p + a.n, b.p, b.n);
	a.n += b.n;
	free(b.p);
	return a;
}

static struct bytes copy_of(const void *p, size_t n)
{
	struct bytes b = { malloc(n + 1), n };

	memcpy(b.p, p, n);
	return b;
}

/* Reads it all in steps of the given size; the result, or n == SIZE_MAX for an error. */
static struct bytes unpack(const struct bytes *packed, size_t step, enum inflate_kind kind)
{
	struct error err = { 0 };
	struct inflate *in = inflate_open_memory(packed->p, packed->n, &err);
	struct bytes out = { malloc(3 * PLAIN_SIZE), 0 };
	ssize_t n;

	assert_non_null(in);
	assert_int_equal(inflate_kind(in), kind);
	while ((n = inflate_read(in, out.p + out.n, step, &err)) > 0)
		out.n += (size_t)n;
	if (n < 0) {
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_int_equal(inflate_read(in, out.p, 1, &err), -1);
		out.n = SIZE_MAX;
	} else {
		assert_int_equal(inflate_consumed(in), packed->n);
	}
	inflate_close(in);
	return out;
}

static void check(struct bytes packed, enum inflate_kind kind, size_t copies)
{
	static const size_t steps[] = { 999, 65536, PLAIN_SIZE };
	struct bytes want = plain();

	for (size_t i = 0; i < ELEMENTS(steps); i++) {
		struct bytes got = unpack(&packed, steps[i], kind);

		assert_int_equal(got.n, copies * want.n);
		for (size_t c = 0; c < copies; c++)
			assert_memory_equal(got.p + c * want.n, want.p, want.n);
		free(got.p);
	}
	free(want.p);
	free(packed.p);
}

static void test_gzip(void **state)
{
	struct bytes p = plain();

	check(gzip(p.p, p.n), INFLATE_GZIP, 1);
	check(join(gzip(p.p, p.n), gzip(p.p, p.n)), INFLATE_GZIP, 2);
	check(join(join(gzip(p.p, p.n), gzip(p.p, 0)), copy_of("\0\0\0\0\0", 5)), INFLATE_GZIP, 1);
	check(join(gzip(p.p, 1000), gzip(p.p + 1000, p.n - 1000)), INFLATE_GZIP, 1);
	free(p.p);
}

static void test_zstd(void **state)
{
	static const char skippable[] = "\x50\x2a\x4d\x18\x04\0\0\0meta";
	struct bytes p = plain();

	check(zstd(p.p, p.n), INFLATE_ZSTD, 1);
	check(join(zstd(p.p, p.n), zstd(p.p, p.n)), INFLATE_ZSTD, 2);
	check(join(copy_of(skippable, 12), join(zstd(p.p, p.n), copy_of(skippable, 12))), INFLATE_ZSTD, 1);
	free(p.p);
}

static void test_plain(void **state)
{
	check(plain(), INFLATE_PLAIN, 1);
}

static void test_empty(void **state)
{
	struct bytes none = copy_of("", 0), got = unpack(&none, 10, INFLATE_PLAIN);

	assert_int_equal(got.n, 0);
	free(got.p);
	free(none.p);
}

static void expect_failure(struct bytes packed, enum inflate_kind kind)
{
	struct bytes got = unpack(&packed, 65536, kind);

	assert_true(got.n == SIZE_MAX);
	free(got.p);
	free(packed.p);
}

static void test_cut(void **state)
{
	struct bytes p = plain();
	static const size_t lost[] = { 1, 4, 9, 1000 };

	for (size_t i = 0; i < ELEMENTS(lost); i++) {
		struct bytes g = gzip(p.p, p.n), z = zstd(p.p, p.n);

		g.n -= lost[i];
		expect_failure(g, INFLATE_GZIP);
		z.n -= lost[i];
		expect_failure(z, INFLATE_ZSTD);
	}
	free(p.p);
}

static void test_damage(void **state)
{
	struct bytes p = plain(), g = gzip(p.p, p.n), z = zstd(p.p, p.n);

	g.p[g.n - 6] ^= 1;		/* the checksum */
	expect_failure(g, INFLATE_GZIP);
	z.p[z.n / 2] ^= 0xff;
	z.p[z.n / 2 + 1] ^= 0xff;
	free(z.p);
	expect_failure(join(gzip(p.p, 100), copy_of("garbage after the end", 21)), INFLATE_GZIP);
	free(p.p);
}

/* A frame that wants a window of 2 GiB. */
static void test_window_bomb(void **state)
{
	expect_failure(copy_of("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9), INFLATE_ZSTD);
}

static void test_pipe(void **state)
{
	struct bytes p = plain(), g = gzip(p.p, 5000);
	struct error err = { 0 };
	struct inflate *in;
	char out[6000];
	int ends[2];
	ssize_t n;

	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(fd_write_all(ends[1], g.p, g.n), 0);
	close(ends[1]);
	in = inflate_open(ends[0], &err);
	assert_non_null(in);
	n = inflate_read(in, out, sizeof(out), &err);
	assert_int_equal(n, 5000);
	assert_memory_equal(out, p.p, 5000);
	assert_int_equal(inflate_read(in, out, sizeof(out), &err), 0);
	inflate_close(in);
	close(ends[0]);
	free(g.p);
	free(p.p);
}

static void test_sniff(void **state)
{
	assert_int_equal(inflate_sniff("\x1f\x8b", 2), INFLATE_GZIP);
	assert_int_equal(inflate_sniff("\x1f", 1), INFLATE_PLAIN);
	assert_int_equal(inflate_sniff("\xfd" "7zXZ\0", 6), INFLATE_XZ);
	assert_int_equal(inflate_sniff("BZh9", 4), INFLATE_BZIP2);
	assert_int_equal(inflate_sniff("BZh0", 4), INFLATE_PLAIN);
	assert_int_equal(inflate_sniff("./\0\0\0\0", 6), INFLATE_PLAIN);
}

/* --- by another process */

static struct inflate *open_apart(const struct bytes *packed, int *ret_fd)
{
	struct inflate *in;

	*ret_fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(*ret_fd, packed->p, packed->n), 0);
	assert_int_equal(lseek(*ret_fd, 0, SEEK_SET), 0);
	in = inflate_open(*ret_fd, NULL);
	assert_non_null(in);
	assert_int_equal(inflate_apart(in, NULL, NULL), 0);
	assert_string_equal(inflate_apart_digest(in), "");
	return in;
}

static void test_apart(void **state)
{
	struct bytes p = plain(), packed[] = { gzip(p.p, p.n), zstd(p.p, p.n), copy_of(p.p, p.n), copy_of("", 0) };
	char digest[DIGEST_TEXT_MAX];

	for (size_t i = 0; i < ELEMENTS(packed); i++) {
		size_t size = i == 3 ? 0 : p.n, at = 0;
		const void *bytes;
		struct error err = { 0 };
		int fd;
		struct inflate *in = open_apart(&packed[i], &fd);
		ssize_t n;

		while ((n = inflate_next(in, NULL, 0, &bytes, &err)) > 0) {
			assert_true((size_t)n <= size - at);
			assert_memory_equal(bytes, p.p + at, (size_t)n);
			at += (size_t)n;
		}
		assert_int_equal(n, 0);
		assert_int_equal(inflate_next(in, NULL, 0, &bytes, &err), 0);
		assert_int_equal(at, size);
		assert_int_equal(inflate_consumed(in), packed[i].n);
		assert_int_equal(hash_bytes(p.p, size, NULL, digest, &err), 0);
		assert_string_equal(inflate_apart_digest(in), digest);
		inflate_close(in);
		close(fd);
		free(packed[i].p);
	}
	free(p.p);
}

static void test_apart_damage(void **state)
{
	struct bytes p = plain(), packed = gzip(p.p, p.n);
	const void *bytes;
	struct error err = { 0 };
	struct inflate *in;
	ssize_t n;
	int fd;

	packed.p[packed.n / 2] ^= 0x55;
	in = open_apart(&packed, &fd);
	while ((n = inflate_next(in, NULL, 0, &bytes, &err)) > 0)
		;
	assert_int_equal(n, -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_non_null(strstr(err.text, "gzip"));
	assert_int_equal(inflate_next(in, NULL, 0, &bytes, &err), -1);
	inflate_close(in);
	close(fd);
	in = open_apart(&packed, &fd);		/* nobody reads */
	inflate_close(in);
	close(fd);
	free(packed.p);
	free(p.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gzip), cmocka_unit_test(test_zstd), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_empty), cmocka_unit_test(test_cut), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_window_bomb), cmocka_unit_test(test_pipe), cmocka_unit_test(test_sniff),
		cmocka_unit_test(test_apart), cmocka_unit_test(test_apart_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
