/* Tars of all kinds, unpacked to objects by streams whose blocks end anywhere: what their recipes make is the same tar. */
#include "transfer/remake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/codec.h"
#include "transfer/layer_maker.h"
#include "transfer/untar.h"

#define CHAIN "sha256:0000000000000000000000000000000000000000000000000000000000000000"

struct tar { unsigned char *data; size_t n, room; };

static struct arena *arena;
static char top_path[64];
static struct places places;
static int stage;

static int setup(void **state)
{
	int top;

	arena = arena_new();
	strcpy(top_path, "/tmp/remake.XXXXXX");
	assert_non_null(mkdtemp(top_path));
	top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fd_mkdirs(top, arena_printf(arena, "layers/%s", digest_hex(CHAIN)), 0755), 0);
	assert_true(mkdirat(top, "objects", 0755) == 0 && mkdirat(top, "tmp", 0755) == 0);
	places = (struct places){ -1, fd_open_dir(top, "tmp"), fd_open_dir(top, "objects"), fd_open_dir(top, "layers") };
	stage = fd_open_dir(places.layers, digest_hex(CHAIN));
	close(top);
	return 0;
}

static int teardown(void **state)
{
	fd_remove_tree(AT_FDCWD, top_path);
	close(places.tmp);
	close(places.objects);
	close(places.layers);
	close(stage);
	arena_free(arena);
	return 0;
}

/* --- tars */

static unsigned char *more(struct tar *t, size_t n)
{
	unsigned char *p;

	while (t->n + n > t->room) {
		t->room = t->room ? 2 * t->room : 1 << 16;
		t->data = realloc(t->data, t->room);
		assert_non_null(t->data);
	}
	p = t->data + t->n;
	memset(p, 0, n);
	t->n += n;
	return p;
}

static void sum_up(unsigned char *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static unsigned char *add_header(struct tar *t, const char *name, char type, size_t size)
{
	unsigned char *h = more(t, 512);

	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	strcpy((char *)h + 100, "0000644");
	strcpy((char *)h + 108, "0000000");
	strcpy((char *)h + 116, "0000000");
	snprintf((char *)h + 124, 12, "%011zo", size);
	strcpy((char *)h + 136, "07346545000");
	h[156] = (unsigned char)type;
	memcpy(h + 257, "ustar\0" "00", 8);
	sum_up(h);
	return h;
}

/* Bytes that are nowhere the same; padded with `pad`, which nobody says must be zeros. */
static void add_content(struct tar *t, size_t size, unsigned char pad)
{
	unsigned char *p = more(t, (size + 511) / 512 * 512);

	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)(i * 7 + i / 251 + size);
	memset(p + size, pad, (size + 511) / 512 * 512 - size);
}

static void add_file(struct tar *t, const char *name, size_t size)
{
	add_header(t, name, '0', size);
	add_content(t, size, 0);
}

static void add_text(struct tar *t, const char *name, char type, const char *text)
{
	size_t n = strlen(text);

	add_header(t, name, type, n);
	memcpy(more(t, (n + 511) / 512 * 512), text, n);
}

static void add_pax(struct tar *t, const char *key, const char *value)
{
	int n = (int)(strlen(key) + strlen(value) + 3), total = n + snprintf(NULL, 0, "%d", n);

	total = n + snprintf(NULL, 0, "%d", total);
	add_text(t, "pax", 'x', arena_printf(arena, "%d %s=%s\n", total, key, value));
}

static void add_link(struct tar *t, const char *name, char type, const char *target)
{
	unsigned char *h = add_header(t, name, type, 0);

	strcpy((char *)h + 157, target);
	sum_up(h);
}

/* --- the way there and back */

struct pieces { const unsigned char *p; size_t n, part; };

static ssize_t read_piece(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	struct pieces *s = state;

	if (n > s->part)
		n = s->part;
	if (n > s->n)
		n = s->n;
	memcpy(p, s->p, n);
	s->p += n;
	s->n -= n;
	return (ssize_t)n;
}

/* 1: a recipe was made. */
static int unpack(const struct tar *t, size_t part, size_t limit)
{
	static const struct codec codec = { .name = "pieces", .read = read_piece };
	const struct tree_options options = { .squash_owner = true };
	struct pieces pieces = { t->data, t->n, part };
	struct inflate in = { .codec = &codec, .state = &pieces, .fd = -1 };
	struct error err = { 0 };
	struct recipe_maker recipe;
	struct layer_maker maker;
	struct untar_layer to;
	struct untar u = { .in = &in, .target = &untar_to_layer, .to = &to, .recipe = &recipe };
	int made;

	unlinkat(stage, "recipe", 0);
	assert_int_equal(layer_maker_init(&maker, &places, &options, &err), 0);
	assert_int_equal(recipe_maker_init(&recipe, limit, &err), 0);
	to = (struct untar_layer){ .tree = maker.tree, .objects = &maker.objects, .recipe = &recipe };
	if (untar(&u, &err) < 0)
		fail_msg("%s", err.text);
	made = recipe_maker_finish(&recipe, stage, &err);
	recipe_maker_done(&recipe);
	layer_maker_done(&maker);
	assert_int_equal(made > 0, remake_can(&places, CHAIN));
	return made;
}

static void expect_remade(const struct tar *t, size_t part)
{
	struct error err = { 0 };
	int64_t size;
	struct inflate *in = remake_open(&places, CHAIN, &size, &err);
	unsigned char *block = malloc(part);
	size_t at = 0;
	ssize_t n;

	assert_non_null(in);
	assert_int_equal(size, t->n);
	while ((n = inflate_read(in, block, part, &err)) > 0) {
		assert_true(at + (size_t)n <= t->n);
		if (memcmp(block, t->data + at, (size_t)n) != 0)
			fail_msg("other bytes near %zu", at);
		at += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, t->n);
	inflate_close(in);
	free(block);
}

static int64_t recipe_size(void)
{
	struct stat st;

	assert_int_equal(fstatat(stage, "recipe", &st, 0), 0);
	return st.st_size;
}

static void there_and_back(struct tar *t)
{
	static const size_t parts[] = { 1 << 20, 512, 511, 100003, 1000 };

	for (size_t i = 0; i < ELEMENTS(parts); i++) {
		assert_int_equal(unpack(t, parts[i], 1 << 20), 1);
		expect_remade(t, parts[i]);
	}
	free(t->data);
}

static void files(void **state)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 131072, 131071, 3000000, 1, 4096 };
	struct tar t = { 0 };

	for (size_t i = 0; i < ELEMENTS(sizes); i++)
		add_file(&t, arena_printf(arena, "file%zu", i), sizes[i]);
	more(&t, 1024);
	there_and_back(&t);
}

static void kinds_of_entries(void **state)
{
	struct tar t = { 0 };

	add_header(&t, "dir/", '5', 0);
	add_pax(&t, "path", arena_printf(arena, "dir/%0150d/%0100d", 1, 1));
	add_file(&t, "short", 700);
	add_text(&t, "././@LongLink", 'L', arena_printf(arena, "dir/%0150d/%0150d", 2, 2));
	add_file(&t, "short", 600);
	add_link(&t, "soft", '2', "dir");
	add_file(&t, "twice", 1000);
	add_link(&t, "hard", '1', "twice");
	add_file(&t, "twice", 1001);		/* takes the first one's place */
	add_file(&t, "dir/.wh.gone", 5000);	/* contents that nobody wants */
	add_file(&t, "dir/.wh..wh..opq", 0);
	add_file(&t, ".wh..wh.plnk/17", 140000);
	add_header(&t, "odd", '0', 100);
	add_content(&t, 100, 'x');
	more(&t, 1024);
	there_and_back(&t);
}

static void ends(void **state)
{
	struct tar none = { 0 }, open = { 0 }, garbage = { 0 };

	more(&none, 1024);
	there_and_back(&none);
	add_file(&open, "file", 1000);
	there_and_back(&open);
	add_file(&garbage, "file", 1000);
	more(&garbage, 10240);
	add_content(&garbage, 300000, 'y');
	there_and_back(&garbage);
}

/* The blocks of data that the header of the old form tells of. */
static void sparse(void **state)
{
	struct tar t = { 0 };
	unsigned char *h = add_header(&t, "sparse", 'S', 512 + 700);

	strcpy((char *)h + 257, "ustar  ");
	strcpy((char *)h + 386, "00000010000");		/* 512 bytes at 4096 */
	strcpy((char *)h + 398, "00000001000");
	strcpy((char *)h + 410, "00000040000");		/* 700 at 16384 */
	strcpy((char *)h + 422, "00000001274");
	strcpy((char *)h + 483, "00000100000");
	sum_up(h);
	add_content(&t, 512 + 700, 0);
	add_file(&t, "after", 33);
	more(&t, 1024);
	there_and_back(&t);
}

/* The new form: the map stands before the data. */
static void sparse_pax(void **state)
{
	struct tar t = { 0 };

	add_text(&t, "pax", 'x', "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=hole\n"
		 "31 GNU.sparse.realsize=1000000\n");
	add_header(&t, "GNUSparseFile.0/hole", '0', 512 + 1000);
	memcpy(more(&t, 512), "2\n1000\n600\n500000\n400\n", 22);
	add_content(&t, 1000, 0);
	add_file(&t, "after", 33);
	more(&t, 1024);
	there_and_back(&t);
}

static void many_files_cost_little(void **state)
{
	struct tar t = { 0 };

	for (int i = 0; i < 3000; i++)
		add_file(&t, arena_printf(arena, "usr/share/doc/package-%d/copyright", i), (size_t)(i % 700 + 1));
	more(&t, 1024);
	assert_int_equal(unpack(&t, 1 << 20, 1 << 20), 1);
	assert_true(recipe_size() < 3000 * 60);
	there_and_back(&t);
}

static void too_large(void **state)
{
	struct tar t = { 0 };

	for (int i = 0; i < 100; i++)
		add_file(&t, arena_printf(arena, "file%d", i), (size_t)(100 + i));
	more(&t, 1024);
	assert_int_equal(unpack(&t, 1 << 20, 3000), 0);
	assert_int_equal(unpack(&t, 1 << 20, 1 << 20), 1);
	free(t.data);
}

/* --- damage */

static void expect_failure(enum error_kind kind)
{
	struct error err = { 0 };
	struct inflate *in = remake_open(&places, CHAIN, NULL, &err);
	char block[4096];
	ssize_t n = -1;

	while (in && (n = inflate_read(in, block, sizeof(block), &err)) > 0)
		;
	assert_int_equal(n, -1);
	assert_int_equal(err.kind, kind);
	inflate_close(in);
}

static void remove_objects(void)
{
	struct strings names = { 0 };

	assert_int_equal(objects_list(arena, places.objects, &names, NULL), 0);
	assert_true(names.n > 0);
	for (size_t i = 0; i < names.n; i++)
		unlinkat(places.objects, names.v[i], 0);
}

static void damage(void **state)
{
	struct tar t = { 0 };
	int fd;

	add_file(&t, "file", 100000);
	more(&t, 1024);
	assert_int_equal(unpack(&t, 1 << 20, 1 << 20), 1);
	remove_objects();
	expect_failure(ERROR_INVALID);
	assert_int_equal(unpack(&t, 1 << 20, 1 << 20), 1);
	fd = openat(stage, "recipe", O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "?", 1, 60), 1);
	close(fd);
	expect_failure(ERROR_INVALID);
	assert_int_equal(truncate(arena_printf(arena, "%s/layers/%s/recipe", top_path, digest_hex(CHAIN)), 0), 0);
	assert_false(remake_can(&places, CHAIN));
	expect_failure(ERROR_INVALID);
	unlinkat(stage, "recipe", 0);
	expect_failure(ERROR_NOT_FOUND);
	free(t.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_of_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(ends, setup, teardown),
		cmocka_unit_test_setup_teardown(sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(sparse_pax, setup, teardown),
		cmocka_unit_test_setup_teardown(many_files_cost_little, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(damage, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
