/* What the sandbox takes away, tried in children. Works as any user; the landlock part only where the kernel has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/objects.h"
#include "transfer/sandbox.h"

/* 0: as expected; otherwise the number of the attempt that was not refused (or refused wrongly). */
static int try_all(int inside)
{
	struct error err = { 0 };
	const struct sandbox s = { .writable = &inside, .writable_n = 1 };
	bool landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2;
	char *const argv[] = { (char *)(uintptr_t)"/bin/true", NULL };
	pid_t pid;
	int fd;

	if (sandbox_enter(&s, &err) < 0)
		return 1;
	if (execv(argv[0], argv) != -1 || errno != EPERM)
		return 2;
	if (mount("none", "/", "tmpfs", 0, NULL) != -1 || errno != EPERM)
		return 3;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != -1 || errno != EPERM)
		return 4;
	if (unshare(CLONE_NEWUSER) != -1 || errno != EPERM)
		return 5;
	if (syscall(SYS_clone, (long)(CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0) != -1 || errno != EPERM)
		return 6;
	if (socket(AF_PACKET, SOCK_RAW, 0) != -1 || errno != EAFNOSUPPORT)
		return 7;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 8;
	close(fd);
	fd = openat(inside, "made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 9;
	close(fd);
	if (landlock && open("/tmp/outside-of-the-sandbox", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) != -1)
		return 10;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		return 11;
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return 12;
	if (sandbox_no_network(&err) < 0)
		return 13;
	if (socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != EPERM)
		return 14;
	return socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? 0 : 15;
}

/* Objects are made, read and removed, and nothing else is. */
static int try_objects(int inside)
{
	struct error err = { 0 };
	const struct sandbox s = { .objects = &inside };
	bool landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 2;
	unsigned char digest[OBJECT_DIGEST_SIZE];
	struct objects o;

	if (sandbox_enter(&s, &err) < 0 || objects_init(&o, inside, &err) < 0)
		return 1;
	if (objects_put(&o, "abc", 3, digest, &err) < 0 || objects_put(&o, "abc", 3, digest, &err) < 0)
		return 2;
	if (objects_verify(&o, "u/ngWv48Bz-pBQUDeXa4iI7", &err) != 1)
		return 3;
	if (unlinkat(inside, "u/ngWv48Bz-pBQUDeXa4iI7", 0) < 0)
		return 4;
	if (!landlock)
		return 0;
	if (symlinkat("/", inside, "link") != -1 || errno != EACCES)
		return 5;
	if (mknodat(inside, "fifo", S_IFIFO | 0600, 0) != -1 || errno != EACCES)
		return 6;
	if (mknodat(inside, "device", S_IFCHR | 0600, 0) != -1 || errno != EACCES)
		return 7;
	return unlinkat(inside, "u", AT_REMOVEDIR) == -1 && errno == EACCES ? 0 : 8;
}

static void run(int (*try)(int inside))
{
	char path[] = "/tmp/sandbox.XXXXXX";
	int inside, status = -1;
	pid_t pid;

	assert_non_null(mkdtemp(path));
	inside = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid = fork();
	if (pid == 0)
		_exit(try(inside));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(inside);
	fd_remove_tree(AT_FDCWD, path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_refusals(void **state)
{
	run(try_all);
}

static void test_objects(void **state)
{
	run(try_objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_refusals), cmocka_unit_test(test_objects) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
