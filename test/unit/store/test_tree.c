/* Copies of trees: kinds, links, holes, attributes, whiteouts, hostile targets */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"
#include "store/tree.h"
#include "sys/fd.h"

static int from = -1, to = -1;

static int setup(void **state)
{
	if (fixture_setup(state) < 0 || mkdirat(store.root_fd, "from", 0755) < 0 || mkdirat(store.root_fd, "to", 0755) < 0)
		return -1;
	from = fd_open_dir(store.root_fd, "from");
	to = fd_open_dir(store.root_fd, "to");
	return from < 0 || to < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	fd_close(&from);
	fd_close(&to);
	return fixture_teardown(state);
}

static void put(int dir, const char *name, const char *text)
{
	assert_int_equal(fd_write_file(dir, name, text, strlen(text), 0644, false), 0);
}

static struct stat look(const char *name)
{
	struct stat st = { 0 };

	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is missing", name);
	return st;
}

static void keeps_kinds_modes_and_times(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000, .tv_nsec = 5 } };
	struct tree_copy how = { 0 };
	char text[32];

	(void)state;
	assert_int_equal(fd_mkdirs(from, "dir/sub", 0700), 0);
	put(from, "dir/sub/file", "hello");
	assert_int_equal(fchmodat(from, "dir/sub/file", 04751, 0), 0);
	assert_int_equal(fchmodat(from, "dir", 01777, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", from, "link"), 0);
	assert_int_equal(mkfifoat(from, "fifo", 0640), 0);
	assert_int_equal(utimensat(from, "dir/sub/file", times, 0), 0);
	assert_int_equal(utimensat(from, "dir", times, 0), 0);
	assert_ok(tree_copy(from, to, &how, &err));
	assert_string_equal(fd_read_file(arena, to, "dir/sub/file", 100, NULL), "hello");
	assert_int_equal(look("dir/sub/file").st_mode, S_IFREG | 04751);
	assert_int_equal(look("dir/sub/file").st_mtim.tv_sec, 2000);
	assert_int_equal(look("dir/sub/file").st_mtim.tv_nsec, 5);
	assert_int_equal(look("dir").st_mode, S_IFDIR | 01777);
	assert_int_equal(look("dir").st_mtim.tv_sec, 2000);
	assert_true(S_ISFIFO(look("fifo").st_mode));
	assert_int_equal(readlinkat(to, "link", text, sizeof(text)), 11);
}

static void keeps_hard_links_and_holes(void **state)
{
	struct tree_copy how = { 0 };
	int fd;

	(void)state;
	assert_int_equal(mkdirat(from, "d", 0755), 0);
	put(from, "a", "same");
	assert_int_equal(linkat(from, "a", from, "d/b", 0), 0);
	fd = openat(from, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "x", 1, 8 << 20), 1);
	assert_int_equal(ftruncate(fd, 16 << 20), 0);
	close(fd);
	assert_ok(tree_copy(from, to, &how, &err));
	assert_int_equal(look("a").st_ino, look("d/b").st_ino);
	assert_int_equal(look("sparse").st_size, 16 << 20);
	assert_true(look("sparse").st_blocks * 512 < 1 << 20);
	fd = openat(to, "sparse", O_RDONLY | O_CLOEXEC);
	{
		char byte = 0;

		assert_int_equal(pread(fd, &byte, 1, 8 << 20), 1);
		assert_int_equal(byte, 'x');
	}
	close(fd);
}

static void keeps_user_attributes_but_not_overlays(void **state)
{
	struct tree_copy how = { 0 };
	char value[8];
	int fd;

	(void)state;
	put(from, "a", "x");
	fd = openat(from, "a", O_RDWR | O_CLOEXEC);
	if (fsetxattr(fd, "user.note", "hi", 2, 0) < 0) {
		close(fd);
		print_message("SKIP: /tmp has no user attributes\n");
		skip();
	}
	fsetxattr(fd, "user.overlay.origin", "y", 1, 0);
	close(fd);
	assert_ok(tree_copy(from, to, &how, &err));
	fd = openat(to, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "user.note", value, sizeof(value)), 2);
	assert_int_equal(fgetxattr(fd, "user.overlay.origin", value, sizeof(value)), -1);
	close(fd);
}

static void applies_whiteouts(void **state)
{
	struct tree_copy how = { .whiteouts = true };
	int fd;

	(void)state;
	put(to, "gone", "x");
	assert_int_equal(fd_mkdirs(to, "opaque/old", 0755), 0);
	assert_int_equal(fd_mkdirs(to, "merged", 0755), 0);
	put(to, "merged/old", "x");
	put(to, "becomes-dir", "x");
	assert_int_equal(fd_mkdirs(to, "becomes-file/x", 0755), 0);
	assert_int_equal(fd_mkdirs(from, "opaque", 0755), 0);
	put(from, "opaque/new", "x");
	assert_int_equal(fd_mkdirs(from, "merged", 0755), 0);
	put(from, "merged/new", "x");
	assert_int_equal(fd_mkdirs(from, "becomes-dir", 0755), 0);
	put(from, "becomes-file", "x");
	fd = fd_open_dir(from, "opaque");
	if (mknodat(from, "gone", S_IFCHR, makedev(0, 0)) < 0 || fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0) {
		close(fd);
		print_message("SKIP: whiteouts cannot be made in /tmp\n");
		skip();
	}
	close(fd);
	assert_ok(tree_copy(from, to, &how, &err));
	assert_int_equal(faccessat(to, "gone", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(to, "opaque/old", F_OK, 0), -1);
	assert_int_equal(faccessat(to, "opaque/new", F_OK, 0), 0);
	assert_int_equal(faccessat(to, "merged/old", F_OK, 0), 0);
	assert_int_equal(faccessat(to, "merged/new", F_OK, 0), 0);
	assert_true(S_ISDIR(look("becomes-dir").st_mode));
	assert_true(S_ISREG(look("becomes-file").st_mode));
}

static void a_link_in_the_target_is_not_followed(void **state)
{
	struct tree_copy how = { 0 };

	(void)state;
	assert_int_equal(mkdirat(store.root_fd, "outside", 0755), 0);
	put(store.root_fd, "outside/victim", "safe");
	assert_int_equal(symlinkat("../outside", to, "dir"), 0);
	assert_int_equal(symlinkat("../outside/victim", to, "file"), 0);
	put(from, "file", "evil");
	assert_ok(tree_copy_entry(from, "file", to, "file", &how, &err));
	assert_true(S_ISREG(look("file").st_mode));
	assert_int_equal(mkdirat(from, "dir", 0755), 0);
	put(from, "dir/victim", "evil");
	assert_fails(ERROR_FAILED, tree_copy_entry(from, "dir", to, "dir", &how, &err));
	assert_string_equal(fd_read_file(arena, store.root_fd, "outside/victim", 10, NULL), "safe");
}

static void a_file_and_a_directory_do_not_replace_each_other(void **state)
{
	struct tree_copy how = { 0 };

	(void)state;
	put(from, "a", "x");
	assert_int_equal(fd_mkdirs(to, "a/full", 0755), 0);
	assert_fails(ERROR_FAILED, tree_copy_entry(from, "a", to, "a", &how, &err));
	how.replace = true;
	assert_ok(tree_copy_entry(from, "a", to, "a", &how, &err));
	assert_true(S_ISREG(look("a").st_mode));
}

static void a_copy_into_itself_ends(void **state)
{
	struct tree_copy how = { 0 };
	int inner;

	(void)state;
	assert_int_equal(mkdirat(from, "inner", 0755), 0);
	put(from, "file", "x");
	inner = fd_open_dir(from, "inner");
	assert_ok(tree_copy_entry(store.root_fd, "from", inner, "again", &how, &err));
	assert_int_equal(faccessat(from, "inner/again/file", F_OK, 0), 0);
	close(inner);
}

static void a_tree_too_deep_is_an_error(void **state)
{
	struct tree_copy how = { 0 };
	int dir = dup(from);

	(void)state;
	for (int i = 0; i < 500; i++) {
		int next;

		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		next = fd_open_dir(dir, "d");
		close(dir);
		dir = next;
	}
	close(dir);
	assert_fails(ERROR_FAILED, tree_copy(from, to, &how, &err));
	assert_non_null(strstr(err.text, "deep"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(keeps_kinds_modes_and_times),
		TEST(keeps_hard_links_and_holes),
		TEST(keeps_user_attributes_but_not_overlays),
		TEST(applies_whiteouts),
		TEST(a_link_in_the_target_is_not_followed),
		TEST(a_file_and_a_directory_do_not_replace_each_other),
		TEST(a_copy_into_itself_ends),
		TEST(a_tree_too_deep_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
