#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

static struct spawn shell(char **argv, const char *script)
{
	argv[0] = (char *)"sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)script;
	argv[3] = NULL;
	return (struct spawn){ .program = "sh", .argv = argv };
}

static void collects_output_and_code(void **state)
{
	struct arena *a = arena_new();
	struct error err = { 0 };
	char *argv[4], *out = NULL, *talk = NULL;
	struct spawn s = shell(argv, "cat; echo talk >&2; exit 7");

	(void)state;
	s.input = "words\n";
	assert_int_equal(spawn_run(a, &s, &out, &talk, &err), 7);
	assert_string_equal(out, "words\n");
	assert_string_equal(talk, "talk\n");
	s = shell(argv, "kill -9 $$");
	assert_int_equal(spawn_run(a, &s, NULL, NULL, &err), 128 + 9);
	s = shell(argv, "head -c 300000 /dev/zero | tr '\\0' x");
	assert_int_equal(spawn_run(a, &s, &out, NULL, &err), 0);
	assert_int_equal(strlen(out), 65536);
	arena_free(a);
}

static void ends_what_takes_too_long(void **state)
{
	struct arena *a = arena_new();
	struct error err = { 0 };
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"while :; do :; done", NULL };
	struct spawn s = { .program = "sh", .argv = argv, .cpu_seconds = 1 };

	(void)state;
	assert_int_equal(spawn_run(a, &s, NULL, NULL, &err), 128 + SIGKILL);
	arena_free(a);
}

static void says_when_it_cannot_execute(void **state)
{
	struct arena *a = arena_new();
	struct error err = { 0 };
	char *argv[] = { (char *)"x", NULL };
	struct spawn s = { .program = "bryo-no-such-program", .argv = argv };

	(void)state;
	assert_int_equal(spawn_run(a, &s, NULL, NULL, &err), -1);
	assert_int_equal(err.sys, ENOENT);
	s.program = "/proc/self/status";
	assert_int_equal(spawn_start(&s, NULL, &err), -1);
	assert_null(spawn_find(a, "bryo-no-such-program"));
	assert_string_equal(spawn_find(a, "/bin/sh"), "/bin/sh");
	assert_null(spawn_own_program(a, "bryo-no-such-part", &err));
	assert_true(err.hint[0]);
	arena_free(a);
}

static void passes_only_named_descriptors(void **state)
{
	struct arena *a = arena_new();
	struct error err = { 0 };
	int leak = fcntl(1, F_DUPFD, 50), kept = fcntl(1, F_DUPFD_CLOEXEC, 60);
	char *argv[4], *out = NULL;
	struct spawn s = shell(argv, "ls /proc/$$/fd | tr '\\n' ' '");

	(void)state;
	assert_true(leak >= 50 && kept >= 60);
	s.pass = &kept;
	s.pass_n = 1;
	assert_int_equal(spawn_run(a, &s, &out, NULL, &err), 0);
	assert_non_null(strstr(out, " 60 "));
	assert_null(strstr(out, " 50 "));
	assert_true(fcntl(kept, F_GETFD) & FD_CLOEXEC);
	close(leak);
	close(kept);
	arena_free(a);
}

static void swaps_standard_streams(void **state)
{
	struct error err = { 0 };
	char *argv[4], text[16] = "";
	struct spawn s = shell(argv, "echo to-err >&2; echo to-out");
	int out[2], talk[2], pidfd, stdio[3];

	(void)state;
	assert_int_equal(fd_pipe(out), 0);
	assert_int_equal(fd_pipe(talk), 0);
	stdio[0] = -1;
	stdio[1] = talk[1];
	stdio[2] = out[1];
	s.stdio = stdio;
	pidfd = spawn_start(&s, NULL, &err);
	assert_true(pidfd >= 0);
	assert_int_equal(pidfd_reap(pidfd), 0);
	assert_int_equal(read(out[0], text, sizeof(text)), 7);
	assert_memory_equal(text, "to-err\n", 7);
	close(pidfd);
	close(out[0]);
	close(out[1]);
	close(talk[0]);
	close(talk[1]);
}

static void names_a_process_for_good(void **state)
{
	struct error err = { 0 };
	char *argv[4], boot[37];
	struct spawn s = shell(argv, "read x");
	int in[2], stdio[3], pidfd, same;
	uint64_t start;
	pid_t pid = 0;

	(void)state;
	assert_int_equal(fd_pipe(in), 0);
	stdio[0] = in[0];
	stdio[1] = stdio[2] = -1;
	s.stdio = stdio;
	pidfd = spawn_start(&s, &pid, &err);
	assert_true(pidfd >= 0 && pid > 1);
	start = pidfd_start_time(pid);
	assert_true(start > 0);
	same = pidfd_open_same(pid, start);
	assert_true(same >= 0);
	assert_int_equal(pidfd_open_same(pid, start + 1), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(pidfd_wait_exit(same, 10), 0);
	assert_int_equal(pidfd_signal(same, SIGTERM), 0);
	assert_int_equal(pidfd_wait_exit(same, -1), 1);
	assert_int_equal(pidfd_open_same(pid, start), -1);
	assert_int_equal(pidfd_reap(pidfd), 128 + SIGTERM);
	assert_int_equal(pidfd_start_time(pid), 0);
	assert_int_equal(pidfd_boot_id(boot), 0);
	assert_int_equal(strlen(boot), 36);
	close(same);
	close(pidfd);
	close(in[0]);
	close(in[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collects_output_and_code),
		cmocka_unit_test(ends_what_takes_too_long),
		cmocka_unit_test(says_when_it_cannot_execute),
		cmocka_unit_test(passes_only_named_descriptors),
		cmocka_unit_test(swaps_standard_streams),
		cmocka_unit_test(names_a_process_for_good),
	};

	return cmocka_run_group_tests_name("sys/spawn", tests, NULL, NULL);
}
