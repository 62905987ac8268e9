#include "hostlib/hostlib.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"
#include "sys/spawn.h"

struct fixture {
	struct arena *arena;
	char dir[64], program[96];
	char *real;			/* where bryo-hostlib is */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	f->real = arena_strdup(f->arena, getenv("BRYO_LIBEXEC"));
	snprintf(f->dir, sizeof(f->dir), "/tmp/bryo-hostlib-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->program, sizeof(f->program), "%s/%s", f->dir, HOSTLIB_PROGRAM);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	setenv("BRYO_LIBEXEC", f->real, 1);
	fd_remove_tree(AT_FDCWD, f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* In the program's place: a shell script that finds nothing but the call's name and the request. */
static void pretend(struct fixture *f, const char *script)
{
	FILE *file = fopen(f->program, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\nempty() { head -c %zu /dev/zero; }\n%s\n", sizeof(struct error), script);
	fclose(file);
	chmod(f->program, 0755);
	setenv("BRYO_LIBEXEC", f->dir, 1);
}

static int ask(struct fixture *f, struct hostlib_seccomp *ret, int *ret_signal, struct error *err)
{
	error_clear(err);
	return hostlib_ask(f->arena, HOSTLIB_DESCRIBE_SECCOMP, NULL, ret, ret_signal, err);
}

static void test_answer(void **state)
{
	struct fixture *f = *state;
	struct hostlib_seccomp answer;
	struct error err = { 0 };
	int number = 7;

	pretend(f, "read -r request; empty; printf '{\"version\":\"%s\",\"architectures\":[\"%s\"]}' \"$1\" \"$request\"");
	assert_int_equal(ask(f, &answer, &number, &err), 0);
	assert_int_equal(number, 0);
	assert_string_equal(answer.version, "describe-seccomp");
	assert_string_equal(answer.architectures.v[0], "{}");
}

static void test_real(void **state)
{
	struct fixture *f = *state;
	struct hostlib_seccomp answer;
	struct error err = { 0 };

	if (ask(f, &answer, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(answer.architectures.n > 0);
}

/* Whatever is in its place: an error, soon, and no word of it is believed. */
static const struct { const char *script, *text; int number; } bad[] = {
	{ "exit 3", "bryo-hostlib ended without an answer to describe-seccomp: exit code 3", 0 },
	{ "kill -SEGV $$", "bryo-hostlib ended without an answer to describe-seccomp: Segmentation fault", SIGSEGV },
	{ "empty", "bryo-hostlib ended without an answer to describe-seccomp: exit code 0", 0 },
	{ "echo oops", "a child process ended while it reported an error", 0 },
	{ "yes | head -c 100000", "a child process ended while it reported an error", 0 },
	{ "empty; echo oops", NULL, 0 },
	{ "empty; echo '{\"version\":7}'", "bryo-hostlib: .version: expected string, got number", 0 },
	{ "empty; echo '{}'", "bryo-hostlib: .version: missing, and required", 0 },
	{ "empty; echo '\"'; yes", "read the answer of bryo-hostlib: File too large", 0 },
};

static void test_bad_answers(void **state)
{
	struct fixture *f = *state;
	struct hostlib_seccomp answer;

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		struct error err = { 0 };
		int number = -1;

		pretend(f, bad[i].script);
		assert_int_equal(ask(f, &answer, &number, &err), -1);
		assert_int_equal(number, bad[i].number);
		if (bad[i].text)
			assert_string_equal(err.text, bad[i].text);
		assert_int_not_equal(err.kind, ERROR_NONE);
	}
}

static void test_missing(void **state)
{
	struct fixture *f = *state;
	struct hostlib_seccomp answer;
	struct error err = { 0 };

	setenv("BRYO_LIBEXEC", f->dir, 1);
	if (ask(f, &answer, NULL, &err) == 0)
		skip();		/* one is installed */
	assert_non_null(strstr(err.text, "bryo-hostlib, a part of bryo, is not beside it"));
	assert_non_null(strstr(err.hint, "BRYO_LIBEXEC"));
}

/* An error arrives whole, with kind and hint. */
static void test_error(void **state)
{
	struct fixture *f = *state;
	struct hostlib_rules rules = { .rules = arena_new_one(f->arena, struct oci_seccomp), .name = (char *)"n",
				       .where = (char *)"there", .seconds = 5 };
	struct hostlib_filter filter;
	struct error err = { 0 };

	rules.rules->default_action = (char *)"X\"\n";
	assert_int_equal(hostlib_ask(f->arena, HOSTLIB_COMPILE_FILTER, &rules, &filter, NULL, &err), -1);
	assert_string_equal(err.text, "there.defaultAction: unknown action \"X\"?\"");
	assert_int_equal(err.kind, ERROR_INVALID);
}

static int account(struct fixture *f, uint64_t uid, struct hostlib_account *ret)
{
	return hostlib_ask(f->arena, HOSTLIB_ACCOUNT, &(struct hostlib_who){ .uid = uid }, ret, NULL, NULL);
}

static void test_account(void **state)
{
	struct fixture *f = *state;
	struct hostlib_account found;

	assert_int_equal(account(f, 0, &found), 0);
	assert_string_equal(found.name, "root");
	assert_string_equal(found.home, "/root");
	assert_int_equal(account(f, 4123456789, &found), 0);
	assert_null(found.name);
}

/* Without a source in nsswitch.conf libsubid reads files. */
static void test_subordinate_ids(void **state)
{
	struct fixture *f = *state;
	struct hostlib_who who = { .name = (char *)"nobody-has-this-name" };
	struct hostlib_ranges ranges;
	struct error err = { 0 };

	if (hostlib_ask(f->arena, HOSTLIB_SUBORDINATE_IDS, &who, &ranges, NULL, &err) < 0) {
		assert_int_equal(err.kind, ERROR_UNSUPPORTED);
		assert_non_null(strstr(err.hint, "libsubid"));
		skip();
	}
	assert_int_equal(ranges.uids.n + ranges.gids.n, 0);
}

/* By hand it says that it is no command. */
static void test_by_hand(void **state)
{
	struct fixture *f = *state;
	char *program = spawn_own_program(f->arena, HOSTLIB_PROGRAM, NULL), *text;
	struct spawn alone = { .program = program, .argv = (char *[]){ program, NULL } };
	struct spawn unknown = { .program = program, .argv = (char *[]){ program, (char *)"nothing", NULL } };

	assert_int_equal(spawn_run(f->arena, &alone, NULL, &text, NULL), 125);
	assert_non_null(strstr(text, "is started by bryo"));
	assert_int_equal(spawn_run(f->arena, &unknown, NULL, NULL, NULL), 125);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_real, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subordinate_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_hand, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
