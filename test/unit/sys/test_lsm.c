/* What needs a module that is on is tested in test/vm. */
#include "sys/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/procfs.h"

static void only_a_procfs(void **state)
{
	_cleanup_fd_ int root = open("/", O_PATH | O_CLOEXEC), below = open("/proc/self", O_PATH | O_CLOEXEC);
	_cleanup_fd_ int sys = open("/proc/sys", O_PATH | O_CLOEXEC), proc = procfs_open();

	assert_true(proc >= 0);
	assert_int_equal(procfs_check(root), -1);
	assert_int_equal(errno, ENODEV);
	assert_int_equal(procfs_check(below), -1);
	assert_int_equal(procfs_check(sys), -1);
	assert_int_equal(procfs_check(-1), -1);
	assert_int_equal(errno, EBADF);
}

static void own_files(void **state)
{
	_cleanup_fd_ int proc = procfs_open(), fd = procfs_open_own(proc, "status", O_RDONLY);
	char text[512] = "", expected[32], name[200];

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	snprintf(expected, sizeof(expected), "\nPid:\t%d\n", (int)getpid());
	assert_non_null(strstr(text, expected));
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(procfs_open_own(proc, name, O_RDONLY), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void no_way_out(void **state)
{
	static const struct { const char *path; int number; } cases[] = {
		{ "self/status", ELOOP }, { "self/root/etc/passwd", ELOOP }, { "../etc/passwd", EXDEV }, { "/etc/passwd", EXDEV },
		{ "no/such", ENOENT },
	};
	_cleanup_fd_ int proc = procfs_open(), fd = procfs_open_at(proc, "sys/kernel/ostype", O_RDONLY);

	assert_true(fd >= 0);
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_int_equal(procfs_open_at(proc, cases[i].path, O_RDONLY), -1);
		assert_int_equal(errno, cases[i].number);
	}
}

/* In a mount namespace of its own: 0 good, 1 bad, 77 not allowed here. */
static int try_covered(void)
{
	int proc;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("/dev/null", "/proc/version", NULL, MS_BIND, NULL) < 0)
		return 77;
	proc = procfs_open();
	if (procfs_open_at(proc, "version", O_RDONLY) >= 0 || errno != EXDEV)
		return 1;
	if (mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		return 77;
	return procfs_open() < 0 && errno == ENODEV ? 0 : 1;
}

static void what_is_covered_is_noticed(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_covered());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void what_is_written(void **state)
{
	char text[64] = "", many[5000];
	int ends[2];

	assert_int_equal(fd_pipe(ends), 0);
	assert_int_equal(lsm_write(ends[1], LSM_SELINUX, LSM_EXEC, "u:r:t:s0:c1,c2"), 0);
	assert_int_equal(read(ends[0], text, sizeof(text)), 14);
	assert_string_equal(text, "u:r:t:s0:c1,c2");
	memset(text, 0, sizeof(text));
	assert_int_equal(lsm_write(ends[1], LSM_APPARMOR, LSM_EXEC, "some//profile"), 0);
	assert_int_equal(read(ends[0], text, sizeof(text)), 18);
	assert_string_equal(text, "exec some//profile");
	memset(many, 'x', sizeof(many));
	many[sizeof(many) - 1] = '\0';
	assert_int_equal(lsm_write(ends[1], LSM_SELINUX, LSM_EXEC, many), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(lsm_write(ends[1], LSM_APPARMOR, LSM_EXEC, many + sizeof(many) - 4092), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(lsm_write(ends[1], LSM_SELINUX, LSM_EXEC, ""), -1);
	assert_int_equal(errno, EINVAL);
	close(ends[0]);
	close(ends[1]);
}

static void mounts(void **state)
{
	struct arena *arena = arena_new();

	assert_int_equal(lsm_mount_way("tmpfs", false), LSM_MOUNT_OPTION);
	assert_int_equal(lsm_mount_way("overlay", false), LSM_MOUNT_OPTION);
	assert_int_equal(lsm_mount_way("devpts", true), LSM_MOUNT_OPTION);
	assert_int_equal(lsm_mount_way("mqueue", false), LSM_MOUNT_ROOT);
	assert_int_equal(lsm_mount_way("ext4", false), LSM_MOUNT_NONE);
	assert_int_equal(lsm_mount_way("ext4", true), LSM_MOUNT_OPTION);
	assert_int_equal(lsm_mount_way("proc", true), LSM_MOUNT_NONE);
	assert_int_equal(lsm_mount_way("sysfs", true), LSM_MOUNT_NONE);
	assert_int_equal(lsm_mount_way("cgroup2", true), LSM_MOUNT_NONE);
	assert_string_equal(lsm_mount_option(arena, "u:r:t:s0:c1,c2", NULL), "context=u:r:t:s0:c1,c2");
	assert_string_equal(lsm_mount_option(arena, "x", "rootcontext"), "rootcontext=x");
	assert_string_equal(lsm_mount_option(arena, "x", "fscontext"), "fscontext=x");
	assert_null(lsm_mount_option(arena, "x", "context2"));
	assert_null(lsm_mount_option(arena, "x", ""));
	arena_free(arena);
}

static void without_a_module(void **state)
{
	struct error err = { 0 };

	assert_int_equal(lsm_check_profile("unconfined", &err), 0);
	if (lsm_is_on(LSM_SELINUX) || lsm_is_on(LSM_APPARMOR))
		skip();
	assert_int_equal(lsm_check_profile("some", &err), -1);
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
	error_clear(&err);
	assert_int_equal(lsm_check_label("u:r:t:s0", &err), -1);
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_procfs), cmocka_unit_test(own_files), cmocka_unit_test(no_way_out),
		cmocka_unit_test(what_is_covered_is_noticed), cmocka_unit_test(what_is_written), cmocka_unit_test(mounts),
		cmocka_unit_test(without_a_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
