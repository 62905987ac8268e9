/* Needs a delegated cgroup v2 subtree, as test/lab gives: the parts with one skip elsewhere. */
#include "sys/cgroup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"
#include "sys/ns.h"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void test_managers(void **state)
{
	struct cgroup_host h;
	struct error err = { 0 };

	assert_int_equal(cgroup_probe(*state, "nonsense", &h, &err), -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_int_equal(cgroup_probe(*state, "disabled", &h, &err), 0);
	assert_int_equal(h.manager, CGROUP_NONE);
	assert_non_null(h.why);
}

static void test_paths_outside(void **state)
{
	assert_int_equal(cgroup_kill("/../x"), -1);
	assert_int_equal(cgroup_remove("/a/../../x"), -1);
	assert_int_equal(cgroup_remove("/"), -1);
}

static void test_life(void **state)
{
	struct cgroup_setting setting = { .controller = "nosuch", .file = "nosuch.max", .value = "1" };
	struct cgroup_settings settings = { &setting, 1 };
	struct strings missing;
	struct cgroup_host h;
	struct error err = { 0 };
	char *path;
	int fd, pidfd, status;
	pid_t pid;

	assert_int_equal(cgroup_probe(*state, "cgroupfs", &h, &err), 0);
	if (h.manager == CGROUP_NONE) {
		assert_non_null(h.why);
		print_message("skipped: %s\n", h.why);
		skip();
	}
	fd = cgroup_create(*state, &h, "bryo-test", &settings, &path, &missing, &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	assert_int_equal(missing.n, 1);
	assert_true(cgroup_is_empty(path));
	pid = ns_clone(0, fd, &pidfd);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_false(cgroup_is_empty(path));
	assert_int_equal(cgroup_freeze(path, true, &err), 0);
	assert_int_equal(cgroup_freeze(path, false, &err), 0);
	assert_false(cgroup_oom_killed(path));
	assert_int_equal(cgroup_kill(path), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(cgroup_remove(path), 0);
	assert_int_equal(cgroup_remove(path), 0);
	close(pidfd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_managers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
