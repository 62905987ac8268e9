/* Filters that are written by hand, loaded in children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/seccomp_writer.h"

#if SECCOMP_BY_HAND

static int in_child(int (*f)(void))
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int refuse_two_calls(void)
{
	static const int calls[] = { SYS_getppid, SYS_getpgid };
	struct seccomp_writer w = { .n = 0 };

	seccomp_writer_begin(&w);
	seccomp_writer_add_calls(&w, calls, ELEMENTS(calls), SECCOMP_RET_ERRNO | EXDEV);
	seccomp_writer_add(&w, SECCOMP_IF_EQUAL(SYS_getsid, 0, 3));
	seccomp_writer_add(&w, SECCOMP_LOAD(args[0]));
	seccomp_writer_add(&w, SECCOMP_IF_ANY_BIT(4, 0, 1));
	seccomp_writer_add(&w, SECCOMP_REFUSE(ENODEV));
	seccomp_writer_add(&w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_writer_load(&w) < 0)
		return 1;
	if (syscall(SYS_getppid) != -1 || errno != EXDEV || syscall(SYS_getpgid, 0) != -1 || errno != EXDEV)
		return 2;
	if (syscall(SYS_getsid, 4) != -1 || errno != ENODEV || syscall(SYS_getsid, 0) < 0 || syscall(SYS_getuid) < 0)
		return 3;
	return syscall(-1) == -1 && errno == ENOSYS ? 0 : 4;
}

static void test_the_calls_that_are_named_are_answered(void **state)
{
	(void)state;
	assert_int_equal(in_child(refuse_two_calls), 0);
}

/* One filter short would be weaker than what was written. */
static void test_what_does_not_fit_is_not_loaded(void **state)
{
	struct seccomp_writer w = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < 3 * ELEMENTS(w.v); i++)
		seccomp_writer_add(&w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
	assert_int_equal(seccomp_writer_load(&w), -1);
	assert_int_equal(errno, E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_calls_that_are_named_are_answered),
		cmocka_unit_test(test_what_does_not_fit_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	return 77;
}

#endif
