/* Descriptors and errors that a child brings back */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/errand.h"
#include "sys/fd.h"

static int make(void *context, struct error *err)
{
	const char *what = context;

	if (strcmp(what, "die") == 0)
		_exit(3);
	if (strcmp(what, "silent") == 0)
		return -1;
	if (strcmp(what, "fail") == 0)
		return error_hint((error_set(err, ERROR_DENIED, "no"), err), "yes");
	return open(what, O_RDONLY | O_CLOEXEC);
}

static void brings_a_descriptor(void **state)
{
	char path[] = "/dev/null", byte;
	struct error err = { 0 };
	int fd = errand_fd(make, path, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

static void brings_the_error(void **state)
{
	char fail[] = "fail", die[] = "die", silent[] = "silent";
	struct error err = { 0 };

	(void)state;
	assert_int_equal(errand_fd(make, fail, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_string_equal(err.text, "no");
	assert_string_equal(err.hint, "yes");
	for (int i = 0; i < 2; i++) {
		error_clear(&err);
		assert_int_equal(errand_fd(make, i ? die : silent, &err), -1);
		assert_int_equal(err.kind, ERROR_INTERRUPTED);
	}
	assert_int_equal(errand_fd(make, fail, NULL), -1);
}

static int work(void *context, struct error *err)
{
	return make(context, err) < 0 ? -1 : 0;
}

static void brings_the_outcome(void **state)
{
	char fail[] = "fail", die[] = "die", path[] = "/dev/null";
	struct error err = { 0 };

	(void)state;
	assert_int_equal(errand_run(work, path, &err), 0);
	assert_int_equal(errand_run(work, fail, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	error_clear(&err);
	assert_int_equal(errand_run(work, die, &err), -1);
	assert_int_equal(err.kind, ERROR_INTERRUPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_a_descriptor),
		cmocka_unit_test(brings_the_error), cmocka_unit_test(brings_the_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
