/* What differs between two trees, and what an overlay's upper directory says of itself */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"
#include "store/changes.h"
#include "sys/fd.h"

static int lower = -1, upper = -1;

static int setup(void **state)
{
	if (fixture_setup(state) < 0 || mkdirat(store.root_fd, "lower", 0755) < 0 || mkdirat(store.root_fd, "upper", 0755) < 0)
		return -1;
	lower = fd_open_dir(store.root_fd, "lower");
	upper = fd_open_dir(store.root_fd, "upper");
	return lower < 0 || upper < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	fd_close(&lower);
	fd_close(&upper);
	return fixture_teardown(state);
}

static void put(int dir, const char *name, const char *text, time_t mtime)
{
	const struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };

	assert_int_equal(fd_write_file(dir, name, text, strlen(text), 0644, false), 0);
	assert_int_equal(utimensat(dir, name, times, 0), 0);
}

static void set_time(int dir, const char *name, time_t mtime)
{
	const struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };

	assert_int_equal(utimensat(dir, name, times, 0), 0);
}

static void expect(const struct changes *changes, const char *text)
{
	char *all = arena_strdup(arena, "");

	for (size_t i = 0; i < changes->n; i++)
		all = arena_printf(arena, "%s%c%s ", all, changes->v[i].kind, changes->v[i].path);
	assert_string_equal(all, text);
}

static void two_trees(void **state)
{
	const struct changes_how how = { 0 };
	struct changes changes;

	(void)state;
	assert_int_equal(fd_mkdirs(lower, "same/deep", 0755) | fd_mkdirs(upper, "same/deep", 0755), 0);
	assert_int_equal(fd_mkdirs(lower, "a", 0755) | fd_mkdirs(lower, "gone", 0755) | fd_mkdirs(upper, "new", 0755), 0);
	assert_int_equal(fd_mkdirs(lower, "mode", 0755) | fd_mkdirs(upper, "mode", 0700), 0);
	put(lower, "gone/file", "", 1);
	put(upper, "new/file", "", 1);
	put(lower, "same/file", "one", 1);
	put(upper, "same/file", "two", 1);	/* same size, same time: taken for the same */
	put(lower, "same/deep/x", "1", 1);
	put(upper, "same/deep/x", "22", 1);
	put(lower, "same/time", "1", 1);
	put(upper, "same/time", "1", 2);
	put(upper, "a", "a file now", 1);
	put(lower, "same-", "", 1);
	assert_int_equal(symlinkat("x", lower, "link") | symlinkat("y", upper, "link"), 0);
	set_time(lower, "same/deep", 5);
	set_time(upper, "same/deep", 5);
	assert_ok(changes_between(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "C/a D/gone C/link C/mode A/new A/new/file C/same C/same/deep C/same/deep/x C/same/time D/same- ");
}

static void contents_decide_when_asked(void **state)
{
	struct changes_how how = { 0 };
	struct changes changes;

	(void)state;
	put(lower, "file", "one", 1);
	put(upper, "file", "two", 1);
	put(lower, "twin", "one", 1);
	put(upper, "twin", "one", 1);
	assert_ok(changes_between(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "");
	how.contents = true;
	assert_ok(changes_between(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "C/file ");
}

static void shifted_owners_are_the_same(void **state)
{
	struct id_maps maps = { 0 };
	const struct changes_how how = { .maps = &maps };
	struct changes changes;
	struct stat st;

	(void)state;
	put(lower, "file", "x", 1);
	put(upper, "file", "x", 1);
	assert_int_equal(fstat(upper, &st), 0);
	idmap_add(arena, &maps.uid, st.st_uid + 7, st.st_uid, 1);
	idmap_add(arena, &maps.gid, st.st_gid, st.st_gid, 1);
	assert_ok(changes_between(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "C/file ");
	maps.uid.v[0].inside = st.st_uid;
	assert_ok(changes_between(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "");
}

/* With the marks of fuse-overlayfs, which anybody can make. */
static void an_upper_directory(void **state)
{
	const struct changes_how how = { .marks = true };
	struct changes changes;

	(void)state;
	assert_int_equal(fd_mkdirs(lower, "dir/sub", 0755) | fd_mkdirs(upper, "dir", 0755), 0);
	assert_int_equal(fd_mkdirs(lower, "hidden/sub", 0755) | fd_mkdirs(upper, "hidden/sub", 0755), 0);
	assert_int_equal(fd_mkdirs(lower, "untouched", 0755) | fd_mkdirs(upper, "untouched", 0755), 0);
	set_time(lower, "untouched", 3);
	set_time(upper, "untouched", 3);
	put(lower, "dir/sub/x", "", 1);
	put(lower, "dir/y", "", 1);
	put(upper, "dir/.wh.sub", "", 1);
	put(upper, "dir/.wh.never", "", 1);
	put(upper, "dir/y", "", 1);
	put(upper, "dir/.wh..wh.plnk", "", 1);
	put(lower, "hidden/a", "", 1);
	put(lower, "hidden/sub/b", "", 1);
	put(upper, "hidden/.wh..wh..opq", "", 1);
	put(upper, "hidden/c", "", 1);
	assert_ok(changes_of_upper(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "C/dir D/dir/sub C/dir/y C/hidden D/hidden/a A/hidden/c C/hidden/sub D/hidden/sub/b ");
}

static void opaque_by_attribute(void **state)
{
	const struct changes_how how = { 0 };
	struct changes changes;

	(void)state;
	assert_int_equal(fd_mkdirs(lower, "dir", 0755) | fd_mkdirs(upper, "dir", 0755), 0);
	put(lower, "dir/old", "", 1);
	put(upper, "dir/.wh.plain", "", 1);
	if (setxattr(arena_printf(arena, "%s/upper/dir", store.path), "user.overlay.opaque", "y", 1, 0) < 0)
		skip();		/* a file system without user attributes */
	assert_ok(changes_of_upper(arena, lower, upper, &how, &changes, &err));
	expect(&changes, "C/dir A/dir/.wh.plain D/dir/old ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(contents_decide_when_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(shifted_owners_are_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(an_upper_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(opaque_by_attribute, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
