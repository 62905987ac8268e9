#include "spec/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/string.h"
#include "spec/recipe_format.h"

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

/* Steps are not packed here. */
static int keep(void *context, const void *p, size_t n, struct error *err)
{
	return buffer_add(context, p, n) < 0 ? error_errno(err, "keep steps") : 0;
}

/* By `part` bytes: a reader must not rely on getting more. */
struct source { const char *p; size_t n, part; };

static ssize_t give(void *context, void *p, size_t n, struct error *err)
{
	struct source *s = context;

	if (n > s->part)
		n = s->part;
	if (n > s->n)
		n = s->n;
	if (n)
		memcpy(p, s->p, n);
	s->p += n;
	s->n -= n;
	return (ssize_t)n;
}

static const unsigned char one[OBJECT_DIGEST_SIZE] = { 1, [31] = 1 }, two[OBJECT_DIGEST_SIZE] = { 2, [31] = 2 };

static void write_recipe(struct buffer *ret)
{
	_cleanup_buffer_ struct buffer steps = BUFFER(1 << 24);
	char *large = calloc(1, 300000);
	struct recipe_writer w;
	struct error err = { 0 };

	*ret = BUFFER(1 << 24);
	recipe_begin(&w, keep, &steps, 1 << 16);
	assert_int_equal(recipe_add_bytes(&w, "header", 6, &err), 0);
	assert_int_equal(recipe_add_bytes(&w, "", 0, &err), 0);
	assert_int_equal(recipe_add_object(&w, one, 0, 5000000000, &err), 0);
	assert_int_equal(recipe_add_bytes(&w, large, 300000, &err), 0);
	assert_int_equal(recipe_add_object(&w, two, 512, 100, &err), 0);	/* a sparse file */
	assert_int_equal(recipe_add_object(&w, two, 4096, 1, &err), 0);
	assert_int_equal(recipe_add_object(&w, one, 0, 7, &err), 0);
	assert_int_equal(recipe_end(&w, steps.data, steps.size, ret, &err), 0);
	recipe_writer_done(&w);
	free(large);
}

static void expect_object(struct recipe *r, const unsigned char *digest, int64_t offset, int64_t size)
{
	struct recipe_step s;

	assert_int_equal(recipe_next(r, &s, NULL), 1);
	assert_null(s.bytes);
	assert_memory_equal(s.digest, digest, OBJECT_DIGEST_SIZE);
	assert_int_equal(s.offset, offset);
	assert_int_equal(s.size, size);
}

/* text: NULL means zeros. */
static void expect_bytes(struct recipe *r, const char *text, int64_t size)
{
	static const char zeros[1 << 16];
	struct recipe_step s;

	for (int64_t at = 0; at < size; at += s.size) {
		assert_int_equal(recipe_next(r, &s, NULL), 1);
		assert_non_null(s.bytes);
		assert_true(s.size > 0 && s.size <= size - at);
		assert_memory_equal(s.bytes, text ? text + at : zeros, (size_t)s.size);
	}
}

static void round_trip(void **state)
{
	static const size_t parts[] = { 1 << 20, 4099, 2 };
	struct error err = { 0 };
	struct recipe_step s;
	struct buffer file;
	struct recipe *r;

	write_recipe(&file);
	r = recipe_open(arena, file.data, file.size, "recipe", &err);
	assert_non_null(r);
	assert_int_equal(recipe_objects(r), 3);
	assert_int_equal(recipe_tar_size(r), 6 + 5000000000 + 300000 + 100 + 1 + 7);
	for (size_t i = 0; i < ELEMENTS(parts); i++) {
		struct source source = { .part = parts[i] };

		source.p = recipe_packed(r, &source.n);
		recipe_start(r, give, &source);
		expect_bytes(r, "header", 6);
		expect_object(r, one, 0, 5000000000);
		expect_bytes(r, NULL, 300000);
		expect_object(r, two, 512, 100);
		expect_object(r, two, 4096, 1);
		expect_object(r, one, 0, 7);
		assert_int_equal(recipe_next(r, &s, &err), 0);
		assert_int_equal(recipe_next(r, &s, &err), 0);
	}
	buffer_done(&file);
}

static void nothing(void **state)
{
	struct buffer file = BUFFER(1000);
	struct source source = { .part = 1 };
	struct recipe_writer w;
	struct recipe_step s;
	struct recipe *r;

	recipe_begin(&w, keep, NULL, 1000);
	assert_int_equal(recipe_end(&w, "", 0, &file, NULL), 0);
	r = recipe_open(arena, file.data, file.size, "recipe", NULL);
	assert_non_null(r);
	recipe_start(r, give, &source);
	assert_int_equal(recipe_next(r, &s, NULL), 0);
	recipe_writer_done(&w);
	buffer_done(&file);
}

static void limits(void **state)
{
	_cleanup_buffer_ struct buffer steps = BUFFER(1 << 20);
	struct buffer small = BUFFER(20);
	struct recipe_writer w;
	struct error err = { 0 };

	recipe_begin(&w, keep, &steps, OBJECT_DIGEST_SIZE);
	assert_int_equal(recipe_add_object(&w, one, 0, 1, &err), 0);
	assert_int_equal(recipe_add_object(&w, one, -1, 1, &err), -1);
	assert_int_equal(recipe_add_object(&w, one, 0, INT64_MAX, &err), -1);
	assert_int_equal(recipe_add_object(&w, two, 0, 1, &err), -1);
	assert_int_equal(recipe_end(&w, "", 0, &small, &err), -1);
	recipe_writer_done(&w);
	buffer_done(&small);
}

/* Whatever bit of the file changes: no recipe. */
static void damage(void **state)
{
	struct error err = { 0 };
	struct buffer file;

	write_recipe(&file);
	for (size_t i = 0; i < file.size; i += i < 300 ? 1 : 997) {
		file.data[i] ^= 0x10;
		assert_null(recipe_open(arena, file.data, file.size, "recipe", &err));
		assert_true(err.kind == ERROR_INVALID || err.kind == ERROR_UNSUPPORTED);
		error_clear(&err);
		file.data[i] ^= 0x10;
	}
	assert_null(recipe_open(arena, file.data, file.size - 1, "recipe", &err));
	assert_null(recipe_open(arena, file.data, 10, "recipe", &err));
	buffer_done(&file);
}

/* Under a right checksum. */
static void bad_steps(void **state)
{
	static const struct { const char *name, *steps; size_t n; int64_t tar_size; } cases[] = {
		{ "ends in a number", "\x81", 1, 5 },
		{ "ends in bytes", "\x14" "abc", 4, 5 },
		{ "more than the tar", "\x18" "abcdef", 7, 5 },
		{ "less than the tar", "\x14" "abcde", 6, 6 },
		{ "goes on after the tar", "\x14" "abcde\x04x", 8, 5 },
		{ "a step of nothing", "\x00", 1, 5 },
		{ "a number longer than it must be", "\x94\x00" "abcde", 7, 5 },
		{ "a number too large", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, 5 },
		{ "no object is left", "\x05\x05", 2, 2 },
		{ "the same object before any", "\x07\x00", 2, 1 },
		{ "an object is not used", "\x14" "abcde", 6, 5 },
		{ "an offset too large", "\x06\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, 1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct buffer file = BUFFER(1000);
		struct recipe_header h = { .magic = RECIPE_MAGIC, .version = htole32(RECIPE_VERSION), .objects = htole64(1) };
		struct source source = { .part = 100 };
		struct recipe_step s;
		struct error err = { 0 };
		struct recipe *r;
		int more;

		h.tar_size = htole64((uint64_t)cases[i].tar_size);
		h.size = htole64(sizeof(h) + sizeof(one) + cases[i].n);
		buffer_add(&file, &h, sizeof(h));
		buffer_add(&file, one, sizeof(one));
		buffer_add(&file, cases[i].steps, cases[i].n);
		h.checksum = htole64(recipe_checksum(h, file.data + sizeof(h), file.size - sizeof(h)));
		memcpy(file.data, &h, sizeof(h));
		r = recipe_open(arena, file.data, file.size, cases[i].name, &err);
		assert_non_null(r);
		source.p = recipe_packed(r, &source.n);
		recipe_start(r, give, &source);
		while ((more = recipe_next(r, &s, &err)) > 0)
			;
		if (more == 0)
			fail_msg("%s: taken for a recipe", cases[i].name);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_int_equal(recipe_next(r, &s, &err), -1);
		buffer_done(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(damage, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_steps, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
