/* bryo-init as an ordinary process (a subreaper instead of pid 1). Its program is in $BRYO_INIT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t start(char *const *argv, int out)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (out >= 0)
			dup2(out, 1);
		dup2(open("/dev/null", O_RDWR), 0);
		execv(getenv("BRYO_INIT"), argv);
		_exit(99);
	}
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(const char *script)
{
	char *argv[] = { "bryo-init", "--", "sh", "-c", (char *)script, NULL };

	return end_of(start(argv, -1));
}

static void test_exit_codes(void **state)
{
	char *missing[] = { "bryo-init", "--", "/nonexistent", NULL };
	char *directory[] = { "bryo-init", "/etc", NULL };
	char *none[] = { "bryo-init", "--", NULL };

	assert_int_equal(run("exit 0"), 0);
	assert_int_equal(run("exit 42"), 42);
	assert_int_equal(run("kill -KILL $$"), 137);
	assert_int_equal(end_of(start(missing, -1)), 127);
	assert_int_equal(end_of(start(directory, -1)), 126);
	assert_int_equal(end_of(start(none, -1)), 125);
}

static void test_passes_signals_on(void **state)
{
	char *argv[] = { "bryo-init", "--", "sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done",
			 NULL };
	char text[4];
	int out[2];
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = start(argv, out[1]);
	assert_true(read(out[0], text, sizeof(text)) > 0);
	kill(pid, SIGTERM);
	assert_int_equal(end_of(pid), 7);
	close(out[0]);
	close(out[1]);
}

static void test_reaps_orphans(void **state)
{
	/* The orphan is a child of bryo-init, ends, and is gone before the command looks. */
	assert_int_equal(run("pid=$(sh -c 'sleep 0.1 >/dev/null & echo $!'); sleep 0.5; "
			     "test ! -e /proc/$pid"), 0);
}

static void test_hold(void **state)
{
	char *argv[] = { "bryo-init", "--hold", NULL };
	pid_t pid = start(argv, -1);
	char path[64], name[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	for (int i = 0; i < 100 && strcmp(name, "bryo-hold\n") != 0; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		fd = open(path, O_RDONLY);
		name[read(fd, name, sizeof(name) - 1)] = 0;
		close(fd);
	}
	assert_string_equal(name, "bryo-hold\n");
	snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)pid);
	for (int i = 0; i < 100 && access(path, F_OK) == 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(getsid(pid), pid);
	kill(pid, SIGTERM);
	assert_int_equal(end_of(pid), -SIGTERM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_passes_signals_on),
		cmocka_unit_test(test_reaps_orphans),
		cmocka_unit_test(test_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
