#include "spec/layer_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>

#include "base/string.h"
#include "spec/layer_format.h"

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

static const struct layer_xattr xattrs[] = { { "security.capability", "\1\0\2", 3 }, { "user.empty", "", 0 } };

static const struct layer_entry all[] = {
	{ .type = LAYER_DIRECTORY, .path = "", .mode = 0755, .opaque = true },
	{ .type = LAYER_DIRECTORY, .path = "bin", .mode = 01777, .uid = 1, .gid = 2, .mtime = { -5, 999999999 }, .implied = true },
	{ .type = LAYER_FILE, .path = "bin/file", .mode = 04755, .uid = 4294967294u, .gid = 4294967294u,
	  .mtime = { 1700000000, 1 }, .size = INT64_MAX, .digest = { 1, 2, [31] = 3 }, .linked = true, .xattrs = xattrs,
	  .xattrs_n = 2 },
	{ .type = LAYER_HARDLINK, .path = "bin/link", .target = "bin/file" },
	{ .type = LAYER_DIRECTORY, .path = "bin/sub" },
	{ .type = LAYER_FILE, .path = "bin/sub/empty" },
	{ .type = LAYER_WHITEOUT, .path = "bin-" },
	{ .type = LAYER_DEVICE, .path = "null", .mode = S_IFCHR | 0666, .device = 0x103 },
	{ .type = LAYER_FIFO, .path = "pipe", .mode = 0600 },
	{ .type = LAYER_SYMLINK, .path = "x\x01y\xff", .mode = 0777, .target = "../../with space", .linked = true },
};

static void add_all(struct layer_index_writer *w, const struct layer_entry *entries, size_t n)
{
	struct error err = { 0 };

	layer_index_begin(w, 1 << 20);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(layer_index_add(w, &entries[i], &err), 0);
	assert_int_equal(layer_index_end(w, &err), 0);
}

static void assert_same(const struct layer_entry *a, const struct layer_entry *b)
{
	assert_int_equal(a->type, b->type);
	assert_string_equal(a->path, b->path);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_true(a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec);
	assert_true(a->opaque == b->opaque && a->implied == b->implied && a->linked == b->linked);
	assert_true(a->size == b->size && a->device == b->device);
	assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
	assert_true(str_eq(a->target, b->target));
	assert_int_equal(a->xattrs_n, b->xattrs_n);
	for (size_t i = 0; i < a->xattrs_n; i++) {
		assert_string_equal(a->xattrs[i].name, b->xattrs[i].name);
		assert_int_equal(a->xattrs[i].size, b->xattrs[i].size);
		assert_memory_equal(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].size);
	}
}

static void round_trip(void **state)
{
	struct layer_index_writer w;
	const struct layer_entry *e;
	struct error err = { 0 };
	struct layer_index *x;

	add_all(&w, all, ELEMENTS(all));
	x = layer_index_open(arena, w.out.data, w.out.size, "index", &err);
	assert_non_null(x);
	assert_int_equal(layer_index_entries(x), ELEMENTS(all));
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ELEMENTS(all); i++) {
			assert_int_equal(layer_index_next(x, &e, &err), 1);
			assert_same(e, &all[i]);
		}
		assert_int_equal(layer_index_next(x, &e, &err), 0);
		assert_int_equal(layer_index_next(x, &e, &err), 0);
		layer_index_rewind(x);
	}
	layer_index_writer_done(&w);
}

static void empty_index(void **state)
{
	struct layer_index_writer w;
	const struct layer_entry *e;
	struct layer_index *x;

	add_all(&w, NULL, 0);
	x = layer_index_open(arena, w.out.data, w.out.size, "index", NULL);
	assert_non_null(x);
	assert_int_equal(layer_index_next(x, &e, NULL), 0);
	layer_index_writer_done(&w);
}

static void long_paths(void **state)
{
	struct layer_index_writer w;
	struct error err = { 0 };
	const struct layer_entry *e;
	struct layer_entry parent = { .type = LAYER_DIRECTORY }, child = { .type = LAYER_FILE };
	char *path = arena_alloc(arena, LAYER_PATH_MAX + 2);
	struct layer_index *x;

	memset(path, 'a', LAYER_PATH_MAX);
	parent.path = arena_strndup(arena, path, LAYER_PATH_MAX - 2);
	path[LAYER_PATH_MAX - 2] = '/';
	child.path = path;
	layer_index_begin(&w, 1 << 20);
	assert_int_equal(layer_index_add(&w, &parent, &err), 0);
	assert_int_equal(layer_index_add(&w, &child, &err), 0);
	assert_int_equal(layer_index_end(&w, &err), 0);
	x = layer_index_open(arena, w.out.data, w.out.size, "index", &err);
	assert_int_equal(layer_index_next(x, &e, &err), 1);
	assert_string_equal(e->path, parent.path);
	assert_int_equal(layer_index_next(x, &e, &err), 1);
	assert_string_equal(e->path, child.path);
	path[LAYER_PATH_MAX] = 'b';
	assert_int_equal(layer_index_add(&w, &child, &err), -1);
	layer_index_writer_done(&w);
}

static void order(void **state)
{
	static const struct { const char *a, *b; int order; } cases[] = {
		{ "", "", 0 }, { "", "a", -1 }, { "a", "a", 0 }, { "a", "b", -1 }, { "a", "a/b", -1 }, { "a/b", "a-b", -1 },
		{ "a/b", "a\x01", -1 }, { "a/z", "aa", -1 }, { "a/b", "a/c", -1 }, { "a\x7f", "a\x80", -1 }, { "ab", "a/b", 1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		int forth = layer_index_compare(cases[i].a, cases[i].b), back = layer_index_compare(cases[i].b, cases[i].a);

		assert_int_equal((forth > 0) - (forth < 0), cases[i].order);
		assert_int_equal((back > 0) - (back < 0), -cases[i].order);
	}
}

static void writer_refuses_disorder(void **state)
{
	static const struct { const char *first, *second; } cases[] = {
		{ "b", "a" }, { "a", "a" }, { "a", "" }, { "a/b", "a" }, { "a-b", "a/b" }, { "", "" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct layer_entry first = { .type = LAYER_DIRECTORY, .path = cases[i].first };
		struct layer_entry second = { .type = LAYER_DIRECTORY, .path = cases[i].second };
		struct layer_index_writer w;
		struct error err = { 0 };

		layer_index_begin(&w, 1 << 20);
		assert_int_equal(layer_index_add(&w, &first, &err), 0);
		assert_int_equal(layer_index_add(&w, &second, &err), -1);
		assert_non_null(strstr(err.text, "out of order"));
		layer_index_writer_done(&w);
	}
}

static void writer_has_a_limit(void **state)
{
	struct layer_index_writer w;
	struct error err = { 0 };
	int r = 0;

	layer_index_begin(&w, 100);
	for (size_t i = 0; i < ELEMENTS(all) && r == 0; i++)
		r = layer_index_add(&w, &all[i], &err);
	assert_int_equal(r, -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_int_equal(layer_index_end(&w, &err), -1);
	layer_index_writer_done(&w);
}

static void damage_is_found(void **state)
{
	struct layer_index_writer w;
	struct error err = { 0 };

	add_all(&w, all, ELEMENTS(all));
	for (size_t i = 0; i < w.out.size; i++) {
		w.out.data[i] ^= 0x10;
		assert_null(layer_index_open(arena, w.out.data, w.out.size, "layers/x/index", &err));
		assert_non_null(strstr(err.text, "layers/x/index"));
		w.out.data[i] ^= 0x10;
		assert_null(layer_index_open(arena, w.out.data, i, "index", &err));
	}
	assert_non_null(layer_index_open(arena, w.out.data, w.out.size, "index", &err));
	layer_index_writer_done(&w);
}

static void another_version(void **state)
{
	struct layer_index_writer w;
	struct error err = { 0 };
	uint32_t version = htole32(2);

	add_all(&w, all, ELEMENTS(all));
	memcpy(w.out.data + offsetof(struct layer_header, version), &version, sizeof(version));
	assert_null(layer_index_open(arena, w.out.data, w.out.size, "index", &err));
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
	layer_index_writer_done(&w);
}

/* A file with a right header around these entries, which nobody's writer makes. */
static int read_body(const void *body, size_t n, uint64_t entries)
{
	struct layer_header h = { LAYER_MAGIC, htole32(LAYER_VERSION), 0, htole64(entries), htole64(sizeof(h) + n), 0 };
	unsigned char *file = malloc(sizeof(h) + n);
	const struct layer_entry *e;
	struct error err = { 0 };
	struct layer_index *x;
	int r;

	h.checksum = htole64(layer_checksum(h, body, n));
	memcpy(file, &h, sizeof(h));
	memcpy(file + sizeof(h), body, n);
	x = layer_index_open(arena, file, sizeof(h) + n, "index", &err);
	assert_non_null(x);
	while ((r = layer_index_next(x, &e, &err)) > 0)
		;
	assert_true(r == 0 || err.kind == ERROR_INVALID);
	assert_int_equal(layer_index_next(x, &e, &err), r);
	free(file);
	return r;
}

#define FILE_REST "\0\0\0\0\0\0"	/* mode, uid, gid, two of the time, size */
#define DIR_REST "\0\0\0\0\0"

static void wrong_entries(void **state)
{
#define BODY(s) s, sizeof(s) - 1
	static const struct { const char *body; size_t size; uint64_t entries; int result; } cases[] = {
		{ BODY("\2\0\1a" FILE_REST), 1, 0 },
		{ BODY("\2\0\1a" FILE_REST), 2, -1 },				/* an entry less than the header says */
		{ BODY("\2\0\1a" FILE_REST), 0, -1 },				/* more */
		{ BODY("\2\0\1a" FILE_REST "\2\0\1b" FILE_REST), 1, -1 },
		{ BODY("\2\0\1a" FILE_REST "\2\0\1b" FILE_REST), 2, 0 },
		{ BODY("\2\0\1b" FILE_REST "\2\0\1a" FILE_REST), 2, -1 },	/* disorder */
		{ BODY("\2\0\1a" FILE_REST "\2\0\1a" FILE_REST), 2, -1 },	/* twice */
		{ BODY("\2\0\1a" FILE_REST "\2\1\0" FILE_REST), 2, -1 },
		{ BODY("\2\0\2aa" FILE_REST "\2\0\2ab" FILE_REST), 2, -1 },	/* more of the path is shared */
		{ BODY("\2\1\1a" FILE_REST), 1, -1 },				/* shared with nothing */
		{ BODY("\2\0\3a/b" FILE_REST), 1, -1 },				/* no parent */
		{ BODY("\2\0\1a" FILE_REST "\2\1\2/b" FILE_REST), 2, -1 },	/* a file as parent */
		{ BODY("\1\0\1a" DIR_REST "\2\1\2/b" FILE_REST), 2, 0 },
		{ BODY("\1\0\1a" DIR_REST "\2\1\4/b/c" FILE_REST), 2, -1 },
		{ BODY("\1\0\1a" DIR_REST "\2\1\2/b" FILE_REST "\2\2\1c" FILE_REST), 3, 0 },
		{ BODY("\1\0\1a" DIR_REST "\2\1\2-b" FILE_REST "\2\2\1c" FILE_REST), 3, 0 },
		{ BODY("\2\0\0" FILE_REST), 1, -1 },				/* the root is a file */
		{ BODY("\1\0\0" DIR_REST), 1, 0 },
		{ BODY("\7\0\0"), 1, -1 },					/* the root is whited out */
		{ BODY("\2\0\1." FILE_REST), 1, -1 },
		{ BODY("\2\0\2.." FILE_REST), 1, -1 },
		{ BODY("\2\0\3..." FILE_REST), 1, 0 },
		{ BODY("\2\0\2/a" FILE_REST), 1, -1 },
		{ BODY("\1\0\2a/" DIR_REST), 1, -1 },
		{ BODY("\1\0\1a" DIR_REST "\2\1\3/.." FILE_REST), 2, -1 },
		{ BODY("\1\0\1a" DIR_REST "\2\1\1/" FILE_REST), 2, -1 },
		{ BODY("\1\0\1a" DIR_REST "\1\1\2/." DIR_REST "\2\3\1x" FILE_REST), 3, -1 },
		{ BODY("\2\0\2a\0" FILE_REST), 1, -1 },
		{ BODY("\0\0\1a" FILE_REST), 1, -1 },				/* no type */
		{ BODY("\202\0\1a" FILE_REST), 1, -1 },				/* unknown bits */
		{ BODY("\012\0\1a" FILE_REST), 1, -1 },				/* an opaque file */
		{ BODY("\047\0\1a"), 1, -1 },					/* a linked whiteout */
		{ BODY("\7\0\1a"), 1, 0 },
		{ BODY("\2\0\1a\x80\x20\0\0\0\0\0"), 1, -1 },			/* mode 010000 */
		{ BODY("\2\0\1a\x80\0\0\0\0\0\0"), 1, -1 },			/* a number that is longer than it must be */
		{ BODY("\2\0\1a\0\xff\xff\xff\xff\x0f\0\0\0\0"), 1, -1 },	/* uid -1 */
		{ BODY("\2\0\1a\0\xfe\xff\xff\xff\x0f\0\0\0\0"), 1, 0 },
		{ BODY("\2\0\1a\0\0\0\0\x80\x94\xeb\xdc\3\0"), 1, -1 },		/* 1000000000 ns */
		{ BODY("\2\0\1a\0\0\0\0\0\1"), 1, -1 },				/* no digest */
		{ BODY("\2\0\1a\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), 1, -1 },
		{ BODY("\2\0\1a\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 1, -1 },
		{ BODY("\3\0\1a" DIR_REST "\1x\0"), 1, 0 },
		{ BODY("\3\0\1a" DIR_REST "\0\0"), 1, -1 },			/* a link to nothing */
		{ BODY("\3\0\1a" DIR_REST "\1xy"), 1, -1 },
		{ BODY("\3\0\1a" DIR_REST "\2x\0\0"), 1, -1 },
		{ BODY("\4\0\1b\1a\0"), 1, 0 },
		{ BODY("\4\0\1b\1b\0"), 1, -1 },				/* links to itself or to what comes later */
		{ BODY("\4\0\1b\1c\0"), 1, -1 },
		{ BODY("\6\0\1a\x80\x40\0\0\0\0\5"), 1, 0 },			/* S_IFCHR */
		{ BODY("\6\0\1a\0\0\0\0\0\5"), 1, -1 },
		{ BODY("\102\0\1a" FILE_REST "\1\1x\0\1v"), 1, 0 },
		{ BODY("\102\0\1a" FILE_REST "\0"), 1, -1 },
		{ BODY("\102\0\1a" FILE_REST "\1\1x\0\2v"), 1, -1 },
		{ BODY("\102\0\1a" FILE_REST "\2\1x\0\1v"), 1, -1 },
		{ BODY("\103\0\1a" DIR_REST "\1x\0\1\1x\0\0"), 1, -1 },		/* xattrs of a link */
	};
#undef BODY

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		if (read_body(cases[i].body, cases[i].size, cases[i].entries) != cases[i].result)
			fail_msg("case %zu: expected %d", i, cases[i].result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(empty_index), cmocka_unit_test(long_paths),
		cmocka_unit_test(order), cmocka_unit_test(writer_refuses_disorder), cmocka_unit_test(writer_has_a_limit),
		cmocka_unit_test(damage_is_found), cmocka_unit_test(another_version), cmocka_unit_test(wrong_entries),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
