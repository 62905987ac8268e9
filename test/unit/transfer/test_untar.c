/* Hostile and odd archives against the writer, in a directory of the test's own. Ownership is squashed, so that any
 * user can run this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/untar.h"

struct tar { unsigned char data[1 << 17]; size_t n; };

struct place { char path[64]; int top, root; };

static void finish_header(unsigned char *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

/* One ustar header with its content. */
static void add(struct tar *t, const char *name, char type, unsigned mode, const char *link, const char *content)
{
	unsigned char *h = t->data + t->n;
	size_t size = content ? strlen(content) : 0;

	memset(h, 0, 512);
	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	sprintf((char *)h + 100, "%07o", mode);
	sprintf((char *)h + 108, "%07o", 0);
	sprintf((char *)h + 116, "%07o", 0);
	sprintf((char *)h + 124, "%011zo", size);
	sprintf((char *)h + 136, "%011o", 1000000000);
	h[156] = (unsigned char)type;
	if (link)
		memcpy(h + 157, link, strlen(link) < 100 ? strlen(link) : 100);
	memcpy(h + 257, "ustar\0" "00", 8);
	finish_header(h);
	t->n += 512;
	if (size) {
		memset(t->data + t->n, 0, (size + 511) / 512 * 512);
		memcpy(t->data + t->n, content, size);
		t->n += (size + 511) / 512 * 512;
	}
}

static void file(struct tar *t, const char *name, const char *content) { add(t, name, '0', 0644, NULL, content); }
static void dir(struct tar *t, const char *name) { add(t, name, '5', 0755, NULL, NULL); }
static void soft(struct tar *t, const char *name, const char *to) { add(t, name, '2', 0777, to, NULL); }
static void hard(struct tar *t, const char *name, const char *to) { add(t, name, '1', 0644, to, NULL); }

static void pax(struct tar *t, const char *key, const char *value)
{
	char record[600];
	int n = (int)(strlen(key) + strlen(value) + 3), total = n + 2;

	total = n + snprintf(NULL, 0, "%d", total);
	snprintf(record, sizeof(record), "%d %s=%s\n", total, key, value);
	add(t, "pax", 'x', 0644, NULL, record);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/untar.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->top = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(p->top, "root", 0755), 0);
	p->root = fd_open_dir(p->top, "root");
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fd_remove_tree(AT_FDCWD, p->path);
	close(p->root);
	close(p->top);
	free(p);
	return 0;
}

static int run_with(struct place *p, struct tar *t, struct tree_options options, struct error *err)
{
	struct tree tree;
	struct untar u = { .target = options.keep_kind ? &untar_to_plain_tree : &untar_to_tree, .to = &tree };
	int scratch = open(p->path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), r;

	memset(t->data + t->n, 0, 1024);
	t->n += 1024;
	*err = (struct error){ 0 };
	assert_int_equal(tree_init(&tree, p->root, "", &options, scratch, err), 0);
	u.in = inflate_open_memory(t->data, t->n, err);
	r = untar(&u, err);
	inflate_close(u.in);
	tree_done(&tree);
	return r;
}

static int run(struct place *p, struct tar *t, struct error *err)
{
	return run_with(p, t, (struct tree_options){ .squash_owner = true }, err);
}

static void expect(struct place *p, const char *name, const char *content)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	size_t size;
	char *text = fd_read_file(arena, p->root, name, 4096, &size);

	assert_non_null(text);
	assert_string_equal(text, content);
}

static mode_t mode_of(struct place *p, const char *name)
{
	struct stat st;

	return fstatat(p->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode : 0;
}

static bool is_whiteout(struct place *p, const char *name)
{
	struct stat st;

	return fstatat(p->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static bool is_opaque(struct place *p, const char *name)
{
	_cleanup_fd_ int fd = openat(p->root, name, O_RDONLY | O_DIRECTORY);
	char value[4];

	return fgetxattr(fd, "user.overlay.opaque", value, sizeof(value)) == 1 || faccessat(fd, ".wh..wh..opq", F_OK, 0) == 0;
}

static bool is_outside_clean(struct place *p)
{
	_cleanup_dir_ DIR *d = fd_opendir(p->top, ".");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	return n == 1;
}

static void test_ordinary(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;
	struct stat st;

	add(&t, "./", '5', 0751, NULL, NULL);
	add(&t, "d", '5', 02755, NULL, NULL);
	file(&t, "d/f", "content");
	add(&t, "d/suid", '0', 04755, NULL, "x");
	soft(&t, "d/s", "../nowhere");
	hard(&t, "h", "d/f");
	add(&t, "fifo", '6', 0600, NULL, NULL);
	add(&t, "device", '3', 0600, NULL, NULL);
	file(&t, "missing/parents/f", "y");
	assert_int_equal(run(*state, &t, &err), 0);
	expect(p, "d/f", "content");
	expect(p, "h", "content");
	expect(p, "missing/parents/f", "y");
	assert_int_equal(mode_of(p, ".") & 07777, 0751);
	assert_int_equal(mode_of(p, "d") & 07777, 02755);
	assert_int_equal(mode_of(p, "d/suid") & 07777, 04755);
	assert_int_equal(mode_of(p, "missing") & 07777, 0755);
	assert_true(S_ISFIFO(mode_of(p, "fifo")));
	assert_int_equal(mode_of(p, "device"), 0);
	assert_int_equal(fstatat(p->root, "d", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1000000000);
}

static void test_escapes(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;

	file(&t, "../up", "1");
	file(&t, "/abs", "2");
	file(&t, "a/../../b", "3");
	soft(&t, "link", "/");
	file(&t, "link/through", "4");		/* inside: "/" is the tree's own root */
	soft(&t, "out", "../../../../../../tmp");
	assert_int_equal(run(p, &t, &err), 0);
	expect(p, "up", "1");
	expect(p, "abs", "2");
	expect(p, "b", "3");
	expect(p, "through", "4");
	assert_true(is_outside_clean(p));
}

static void test_link_to_nowhere_as_parent(void **state)
{
	struct tar t = { .n = 0 };
	struct error err;

	soft(&t, "l", "/does/not/exist");
	file(&t, "l/x", "1");
	assert_int_equal(run(*state, &t, &err), -1);
	assert_true(is_outside_clean(*state));
}

static void test_last_component_is_not_followed(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;

	file(&t, "victim", "old");
	soft(&t, "l", "victim");
	file(&t, "l", "new");
	assert_int_equal(run(p, &t, &err), 0);
	expect(p, "victim", "old");
	expect(p, "l", "new");
	assert_true(S_ISREG(mode_of(p, "l")));
}

static void test_replacing(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;

	file(&t, "a", "1");
	file(&t, "a", "2");
	dir(&t, "d");
	file(&t, "d/x", "1");
	file(&t, "d", "now a file");
	file(&t, "f", "1");
	dir(&t, "f");
	file(&t, "g", "1");
	file(&t, "g/inside", "2");
	dir(&t, "twice");
	file(&t, "twice/kept", "k");
	add(&t, "twice", '5', 0700, NULL, NULL);
	assert_int_equal(run(p, &t, &err), 0);
	expect(p, "a", "2");
	expect(p, "d", "now a file");
	assert_true(S_ISDIR(mode_of(p, "f")));
	expect(p, "g/inside", "2");
	expect(p, "twice/kept", "k");
	assert_int_equal(mode_of(p, "twice") & 0777, 0700);
}

static void test_kinds_are_kept_for_cp(void **state)
{
	const struct tree_options options = { .squash_owner = true, .keep_kind = true };
	struct tar t = { .n = 0 }, again = { .n = 0 };
	struct error err;

	dir(&t, "d");
	file(&t, "d", "file");
	assert_int_equal(run_with(*state, &t, options, &err), -1);
	assert_non_null(strstr(err.text, "cannot overwrite the directory /d"));
	file(&again, ".wh.x", "an ordinary name");
	assert_int_equal(run_with(*state, &again, options, &err), 0);
	expect(*state, ".wh.x", "an ordinary name");
}

static void test_whiteouts(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;

	file(&t, "d/.wh.gone", NULL);
	file(&t, "d/.wh.own", NULL);
	file(&t, "d/own", "brought");
	file(&t, "own2", "brought");
	file(&t, ".wh.own2", NULL);
	file(&t, ".wh.dir", NULL);
	dir(&t, "dir");
	file(&t, "dir/x", "1");
	dir(&t, "dir2");
	file(&t, ".wh.dir2", NULL);
	file(&t, ".wh.dir3", NULL);
	file(&t, "dir3/x", "1");
	file(&t, "o/.wh..wh..opq", NULL);
	file(&t, "o/x", "1");
	file(&t, ".wh..wh.plnk/1.2", "meta");
	assert_int_equal(run(p, &t, &err), 0);
	assert_true(is_whiteout(p, "d/gone"));
	expect(p, "d/own", "brought");
	expect(p, "own2", "brought");
	assert_true(is_opaque(p, "dir"));
	assert_true(is_opaque(p, "dir2"));
	assert_true(is_opaque(p, "dir3"));
	assert_true(is_opaque(p, "o"));
	assert_false(is_opaque(p, "d"));
	assert_int_equal(mode_of(p, ".wh..wh.plnk"), 0);
}

static void test_refusals(void **state)
{
	static const struct { const char *name, *link; char type; const char *says; } rows[] = {
		{ ".wh..", NULL, '0', "a whiteout of nothing" },
		{ "h", "absent", '1', "not in the same archive" },
		{ "h", "../../../etc/passwd", '1', "not in the same archive" },
		{ "h", "d", '1', "points to the directory" },
		{ "h", "/", '1', "points to the root" },
		{ ".", NULL, '0', "root of the archive" },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct tar t = { .n = 0 };
		struct error err;

		dir(&t, "d");
		add(&t, rows[i].name, rows[i].type, 0644, rows[i].link, NULL);
		assert_int_equal(run(*state, &t, &err), -1);
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

static void test_hard_link_to_a_whiteout(void **state)
{
	struct tar t = { .n = 0 };
	struct error err;

	file(&t, ".wh.w", NULL);
	hard(&t, "h", "w");
	assert_int_equal(run(*state, &t, &err), -1);
	assert_non_null(strstr(err.text, "not in the same archive"));
}

static void test_xattrs(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;
	_cleanup_fd_ int fd = -1;
	char value[16];

	pax(&t, "SCHILY.xattr.user.overlay.opaque", "y");
	dir(&t, "d");
	pax(&t, "SCHILY.xattr.user.mine", "kept");
	file(&t, "f", "x");
	assert_int_equal(run(p, &t, &err), 0);
	assert_false(is_opaque(p, "d"));
	fd = openat(p->root, "f", O_RDONLY);
	assert_true(fgetxattr(fd, "user.mine", value, sizeof(value)) == 4 || errno == EOPNOTSUPP);
}

static void test_pax_owner_and_size(void **state)
{
	struct tar t = { .n = 0 }, u = { .n = 0 };
	struct error err;

	pax(&t, "uid", "4294967296");
	file(&t, "f", "x");
	assert_int_equal(run(*state, &t, &err), -1);
	assert_non_null(strstr(err.text, "/f has an owner that is no id"));
	pax(&u, "size", "9223372036854775807");
	file(&u, "f", "x");
	assert_int_equal(run(*state, &u, &err), -1);
}

static void test_long_names(void **state)
{
	struct place *p = *state;
	struct tar t = { .n = 0 };
	struct error err;
	char name[6000];
	size_t n = 0;

	/* Deeper than PATH_MAX, by GNU's long name. */
	while (n < 5000)
		n += (size_t)sprintf(name + n, "%s%0200d", n ? "/" : "", 7);
	add(&t, "././@LongLink", 'L', 0644, NULL, name);
	file(&t, "short", "deep");
	add(&t, "././@LongLink", 'L', 0644, NULL, name);
	file(&t, "short", "deeper");
	assert_int_equal(run(p, &t, &err), 0);
	memset(name, 'n', 256);
	name[256] = '\0';
	t.n = 0;
	add(&t, "././@LongLink", 'L', 0644, NULL, name);
	file(&t, "short", "too long");
	assert_int_equal(run(p, &t, &err), -1);
}

static void test_truncated(void **state)
{
	struct tar t = { .n = 0 };
	struct error err = { 0 };
	struct tree tree;
	struct untar u = { .target = &untar_to_tree, .to = &tree };
	struct place *p = *state;
	const struct tree_options options = { .squash_owner = true };

	file(&t, "f", "content that is cut");
	assert_int_equal(tree_init(&tree, p->root, "", &options, open(p->path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), &err), 0);
	u.in = inflate_open_memory(t.data, 520, &err);
	assert_int_equal(untar(&u, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	inflate_close(u.in);
	tree_done(&tree);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_ordinary), ROW(test_escapes), ROW(test_link_to_nowhere_as_parent),
		ROW(test_last_component_is_not_followed), ROW(test_replacing), ROW(test_kinds_are_kept_for_cp),
		ROW(test_whiteouts), ROW(test_refusals), ROW(test_hard_link_to_a_whiteout), ROW(test_xattrs),
		ROW(test_pax_owner_and_size), ROW(test_long_names), ROW(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
