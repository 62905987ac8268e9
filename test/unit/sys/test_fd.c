#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/seccomp.h"

static char place[] = "/tmp/bryo-fd-XXXXXX";
static int dir = -1;

static int enter(void **state)
{
	(void)state;
	strcpy(place + sizeof(place) - 7, "XXXXXX");
	if (!mkdtemp(place))
		return -1;
	dir = fd_open_dir(AT_FDCWD, place);
	return dir < 0 ? -1 : 0;
}

static int leave(void **state)
{
	(void)state;
	close(dir);
	return fd_remove_tree(AT_FDCWD, place);
}

static void writes_whole_and_reads_back(void **state)
{
	struct arena *a = arena_new();
	size_t n = 0;
	struct stat st;

	(void)state;
	assert_int_equal(fd_write_file(dir, "x", "hello", 5, 0640, true), 0);
	assert_string_equal(fd_read_file(a, dir, "x", 5, &n), "hello");
	assert_int_equal(n, 5);
	assert_int_equal(fstatat(dir, "x", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fd_write_file(dir, "x", "", 0, 0600, false), 0);
	assert_string_equal(fd_read_file(a, dir, "x", 5, &n), "");
	arena_free(a);
}

static void refuses_what_is_no_small_file(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_int_equal(fd_write_file(dir, "big", "123456", 6, 0600, false), 0);
	assert_null(fd_read_file(a, dir, "big", 5, NULL));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_null(fd_read_file(a, dir, "fifo", 5, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(fd_read_file(a, dir, ".", 5, NULL));
	assert_int_equal(errno, EISDIR);
	assert_null(fd_read_file(a, dir, "absent", 5, NULL));
	assert_int_equal(errno, ENOENT);
	assert_non_null(fd_read_file(a, AT_FDCWD, "/proc/self/status", 65536, NULL));
	arena_free(a);
}

static void makes_parents(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(fd_mkdirs(dir, "a/b/c", 0700), 0);
	assert_int_equal(fd_mkdirs(dir, "a/b/c", 0700), 0);
	assert_int_equal(fd_mkdirs(dir, "a//b/./d/", 0700), 0);
	assert_int_equal(fstatat(dir, "a/b/d", &st, 0), 0);
	assert_int_equal(fd_write_file(dir, "f", "", 0, 0600, false), 0);
	assert_int_equal(fd_mkdirs(dir, "f", 0700), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(fd_mkdirs(dir, "f/g", 0700), -1);
}

static void removes_closed_and_deep_trees(void **state)
{
	int at = dup(dir);

	(void)state;
	assert_int_equal(mkdirat(dir, "keep", 0700), 0);
	assert_int_equal(fd_write_file(dir, "keep/file", "", 0, 0600, false), 0);
	assert_int_equal(mkdirat(at, "top", 0700), 0);
	for (int i = 0; i < 1500; i++) {	/* deeper than there are descriptors, longer than a path may be */
		int next = fd_open_dir(at, i ? "down" : "top");

		assert_true(next >= 0);
		close(at);
		at = next;
		assert_int_equal(mkdirat(at, "down", 0700), 0);
		assert_int_equal(symlinkat("/", at, "link"), 0);
	}
	assert_int_equal(symlinkat(place, at, "outside"), 0);
	close(at);
	assert_int_equal(fd_mkdirs(dir, "top/closed/in", 0700), 0);
	assert_int_equal(symlinkat("../../keep", dir, "top/closed/keep"), 0);
	assert_int_equal(fchmodat(dir, "top/closed", 0, 0), 0);
	assert_int_equal(fd_remove_tree(dir, "top"), 0);
	assert_int_equal(faccessat(dir, "top", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "keep/file", F_OK, 0), 0);
	assert_int_equal(fd_remove_tree(dir, "top"), 0);
	assert_int_equal(fd_remove_tree(dir, "keep/file"), 0);
}

/* Every rename is refused from here on. */
static int refuse_renames(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 2, 0),
#ifdef SYS_renameat
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 1, 0),
#else
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 1, 0),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : seccomp_load_filter(filter, sizeof(filter) / sizeof(filter[0]), 0);
}

/* A file system may refuse what a deep tree needs: that is an error, not a loop without end. */
static void a_deep_tree_that_cannot_be_moved(void **state)
{
	int status, at = dup(dir);
	pid_t pid;

	(void)state;
	for (int i = 0; i < 60; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		next = fd_open_dir(at, "d");
		close(at);
		at = next;
	}
	close(at);
	pid = fork();
	if (pid == 0) {
		alarm(10);
		if (refuse_renames() < 0)
			_exit(77);
		_exit(fd_remove_tree(dir, "d") == -1 && errno == EINVAL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
	/* Names that the tree already has are no hindrance. */
	assert_int_equal(fd_mkdirs(dir, "d/.deep-0/x", 0755), 0);
	assert_int_equal(mkdirat(dir, "d/.deep-1", 0755), 0);
	assert_int_equal(fd_write_file(dir, "d/.deep-2", "x", 1, 0600, false), 0);
	assert_int_equal(fd_remove_tree(dir, "d"), 0);
	assert_int_equal(faccessat(dir, "d", F_OK, 0), -1);
}

static void random_names_differ(void **state)
{
	char a[33], b[33];

	(void)state;
	assert_int_equal(fd_random_hex(a, 16), 0);
	assert_int_equal(fd_random_hex(b, 16), 0);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_int_equal(strlen(a), 32);
	assert_string_not_equal(a, b);
}

static void locks_exclude(void **state)
{
	int one, two;

	(void)state;
	assert_false(lock_is_held(dir, "lock"));
	one = lock_open(dir, "lock", LOCK_SHARED, true);
	two = lock_open(dir, "lock", LOCK_SHARED, false);
	assert_true(one >= 0 && two >= 0);
	assert_true(lock_is_held(dir, "lock"));
	close(two);
	assert_int_equal(lock_open(dir, "lock", LOCK_EXCLUSIVE, false), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(one);
	assert_false(lock_is_held(dir, "lock"));
	one = lock_open(dir, "lock", LOCK_EXCLUSIVE, false);
	assert_true(one >= 0);
	assert_true(fcntl(one, F_GETFD) & FD_CLOEXEC);
	close(one);
}

static void flags_can_be_set(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(fd_pipe(p), 0);
	assert_true(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(p[0], false), 0);
	assert_false(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_set_nonblock(p[0], true), 0);
	assert_true(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	close(p[0]);
	close(p[1]);
	assert_int_equal(fd_set_cloexec(p[0], true), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_whole_and_reads_back, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_small_file, enter, leave),
		cmocka_unit_test_setup_teardown(makes_parents, enter, leave),
		cmocka_unit_test_setup_teardown(removes_closed_and_deep_trees, enter, leave),
		cmocka_unit_test_setup_teardown(a_deep_tree_that_cannot_be_moved, enter, leave),
		cmocka_unit_test(random_names_differ),
		cmocka_unit_test_setup_teardown(locks_exclude, enter, leave),
		cmocka_unit_test(flags_can_be_set),
	};

	return cmocka_run_group_tests_name("sys/fd", tests, NULL, NULL);
}
