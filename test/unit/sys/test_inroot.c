#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/inroot.h"

/* A directory with "outside" (what must never be reached) beside "root" (the container's tree). */
static char place[] = "/tmp/bryo-inroot-XXXXXX";
static int top = -1, root = -1;
static struct arena *arena;

static const struct { const char *target, *name; } links[] = {
	{ "/run", "var/run" },
	{ "../outside", "up" },
	{ "../../../../../../../../etc/passwd", "etc/passwd-link" },
	{ "/nowhere/deep/target", "dangling" },
	{ "../run/resolve/stub.conf", "etc/resolv.conf" },
	{ "loop-b", "loop-a" },
	{ "loop-a", "loop-b" },
	{ "/proc/self/root", "magic" },
};

static int enter(void **state)
{
	(void)state;
	arena = arena_new();
	strcpy(place + sizeof(place) - 7, "XXXXXX");
	if (!mkdtemp(place))
		return -1;
	top = fd_open_dir(AT_FDCWD, place);
	if (fd_mkdirs(top, "root/run", 0755) < 0 || fd_mkdirs(top, "root/etc", 0755) < 0 ||
	    fd_mkdirs(top, "root/var", 0755) < 0 || fd_mkdirs(top, "outside", 0755) < 0)
		return -1;
	root = fd_open_dir(top, "root");
	for (size_t i = 0; i < ELEMENTS(links); i++)
		if (symlinkat(links[i].target, root, links[i].name) < 0)
			return -1;
	fd_write_file(root, "run/file", "content", 7, 0644, false);
	fd_write_file(top, "outside/secret", "secret", 6, 0644, false);
	return root < 0 ? -1 : 0;
}

static int leave(void **state)
{
	(void)state;
	close(root);
	close(top);
	arena_free(arena);
	return fd_remove_tree(AT_FDCWD, place);
}

static void follows_links_inside(void **state)
{
	static const struct { const char *path, *real; } cases[] = {
		{ "/var/run/file", "/run/file" },
		{ "var/run", "/run" },
		{ "/var/run/../etc", "/etc" },
		{ "/", "/" },
		{ "///run//./file", "/run/file" },
		{ "/../../run/file", "/run/file" },
		{ "..", "/" },
		{ "/etc/../../../run", "/run" },
	};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(inroot_real_path(arena, root, cases[i].path), cases[i].real);
	assert_string_equal(inroot_read_file(arena, root, "/var/run/file", 100, &n), "content");
	assert_int_equal(n, 7);
}

static void never_leaves(void **state)
{
	static const char *const cases[] = { "/up/secret", "up/../../outside/secret", "../outside/secret", "/magic/etc/hosts" };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_null(inroot_read_file(arena, root, cases[i], 100, NULL));
		assert_int_equal(inroot_open(root, cases[i], O_RDONLY, 0), -1);
		assert_null(inroot_real_path(arena, root, cases[i]));
	}
	assert_int_equal(inroot_stat(root, "/etc/passwd-link", &st, true), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(inroot_stat(root, "/etc/passwd-link", &st, false), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_null(inroot_real_path(arena, root, "/loop-a/x"));
	assert_int_equal(errno, ELOOP);
	assert_int_equal(inroot_mkdirs(root, "loop-a/x", 0755), -1);
	assert_int_equal(errno, ELOOP);
}

static void creates_behind_links_and_dots(void **state)
{
	static const struct { const char *path, *made; } cases[] = {
		{ "/a/b/c", "a/b/c" },
		{ "var/run/new/dir/", "run/new/dir" },
		{ "dangling/more", "nowhere/deep/target/more" },
		{ "up/x", "outside/x" },		/* root/outside, not the one beside root */
		{ "q/../../../r/./s", "r/s" },
		{ "/etc", "etc" },
	};
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		int fd = inroot_mkdirs(root, cases[i].path, 0755);

		assert_true(fd >= 0);
		assert_int_equal(fstatat(root, cases[i].made, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISDIR(st.st_mode));
		close(fd);
	}
	assert_int_equal(fstatat(top, "outside/x", &st, 0), -1);
	assert_int_equal(inroot_mkdirs(root, "/run/file/x", 0755), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(inroot_mkdirs(root, "", 0755), -1);
}

static void makes_targets_for_mounts(void **state)
{
	struct stat st;
	int fd = inroot_mountpoint(root, "/etc/resolv.conf", false);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(root, "run/resolve/stub.conf", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 0);
	fd = inroot_mountpoint(root, "/data/one/two", true);
	assert_true(fd >= 0);
	close(fd);
	fd = inroot_mountpoint(root, "/var/run/file", false);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(inroot_mountpoint(root, "/run", false), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(inroot_mountpoint(root, "/run/file", true), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(inroot_mountpoint(root, "/loop-a", false), -1);
	assert_int_equal(inroot_mountpoint(root, "/run/file/below", false), -1);
}

static void finds_parents(void **state)
{
	static const struct { const char *path, *name, *below; } cases[] = {
		{ "/var/run/new", "new", "run" },
		{ "/var/run", "run", "var" },		/* the last component is not followed */
		{ "top/", "top", "." },
		{ "/", ".", "." },
		{ "/etc/..", ".", "." },
		{ "etc/.", ".", "etc" },
	};
	const char *name = NULL;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		int fd = inroot_parent(arena, root, cases[i].path, false, &name);
		struct stat a, b;

		assert_true(fd >= 0);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(fstat(fd, &a), 0);
		assert_int_equal(fstatat(root, cases[i].below, &b, 0), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		close(fd);
	}
	assert_int_equal(inroot_parent(arena, root, "/no/such/file", false, &name), -1);
	close(inroot_parent(arena, root, "/no/such/file", true, &name));
	assert_int_equal(faccessat(root, "no/such", F_OK, 0), 0);
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(root, "run/fifo", 0600), 0);
	assert_null(inroot_read_file(arena, root, "/run/fifo", 100, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(inroot_read_file(arena, root, "/run", 100, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(inroot_read_file(arena, root, "/run/file", 6, NULL));
	assert_int_equal(errno, EFBIG);
}

static void refuses_absurd_names(void **state)
{
	char *name = arena_alloc(arena, 8192);

	(void)state;
	memset(name, 'x', 300);
	assert_int_equal(inroot_mkdirs(root, name, 0755), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	for (size_t i = 0; i < 8000; i += 2)
		memcpy(name + i, "a/", 2);
	assert_int_equal(inroot_mkdirs(root, name, 0755), -1);
	assert_null(inroot_real_path(arena, root, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(follows_links_inside, enter, leave),
		cmocka_unit_test_setup_teardown(never_leaves, enter, leave),
		cmocka_unit_test_setup_teardown(creates_behind_links_and_dots, enter, leave),
		cmocka_unit_test_setup_teardown(makes_targets_for_mounts, enter, leave),
		cmocka_unit_test_setup_teardown(finds_parents, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_file, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_absurd_names, enter, leave),
	};

	return cmocka_run_group_tests_name("sys/inroot", tests, NULL, NULL);
}
