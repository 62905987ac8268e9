/* What a layer takes away, as this file system can have it */
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
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/whiteout.h"

struct place { char path[32]; int dir; };

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->path, sizeof(p->path), "/tmp/whiteout.XXXXXX");
	*state = p;
	return mkdtemp(p->path) && (p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;

	close(p->dir);
	fd_remove_tree(AT_FDCWD, p->path);
	free(p);
	return 0;
}

static void make_file(const struct place *p, const char *name)
{
	int fd = openat(p->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_whiteout(const struct place *p, const char *name)
{
	struct stat st;

	return fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && whiteout_is(p->dir, name, &st);
}

static void made_and_read(void **state)
{
	struct place *p = *state;
	int kind = whiteout_make(p->dir, "gone");

	assert_true(kind >= 0);
	assert_true(kind > 0 || is_whiteout(p, "gone"));
	make_file(p, "file");
	assert_int_equal(whiteout_make(p->dir, "file"), -1);
	assert_int_equal(errno, EEXIST);
	assert_false(is_whiteout(p, "file"));
}

static void by_attribute(void **state)
{
	struct place *p = *state;
	char path[64];

	make_file(p, "file");
	snprintf(path, sizeof(path), "%s/file", p->path);
	if (setxattr(path, "user.bryo.whiteout", "y", 1, 0) < 0)
		skip();		/* no such attributes here */
	assert_true(is_whiteout(p, "file"));
}

static void marks(void **state)
{
	static const struct stat file = { .st_mode = S_IFREG }, directory = { .st_mode = S_IFDIR };
	struct place *p = *state;

	assert_string_equal(whiteout_marked(".wh.name", &file), "name");
	assert_string_equal(whiteout_marked(".wh..wh..opq", &file), "");
	assert_null(whiteout_marked("name", &file));
	assert_null(whiteout_marked(".wh.name", &directory));
	assert_false(whiteout_unmark(p->dir, "name"));
	make_file(p, ".wh.name");
	assert_true(whiteout_unmark(p->dir, "name"));
	assert_false(whiteout_unmark(p->dir, "name"));
}

static void opaque(void **state)
{
	struct place *p = *state;

	assert_false(whiteout_is_opaque(p->dir));
	assert_int_equal(whiteout_set_opaque(p->dir), 0);
	assert_true(whiteout_is_opaque(p->dir));
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { ROW(made_and_read), ROW(by_attribute), ROW(marks), ROW(opaque) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
