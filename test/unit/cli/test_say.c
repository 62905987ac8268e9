/* the form of what goes to standard error */
#include "cli/say.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *arena;

static char *words[] = { (char *)"bryo", (char *)"run", (char *)"-e", (char *)"TOKEN=secret", (char *)"-p", (char *)"8080:99999",
			 (char *)"--publish=1:2", (char *)"-p3:4", (char *)"img" };

static void an_error_says_what_where_why_and_the_cure(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, ERROR_NOT_FOUND, "no such thing: \033[2J");
	assert_string_equal(say_error_text(arena, &err, false), "error[not-found]: no such thing: ?[2J\n");
	error_code(&err, "no-such-thing");
	error_where(&err, "8080:99999");
	error_hint(&err, "did you mean this?");
	error_fix(&err, "bryo run -p %d:80 …", 8081);
	error_fix_admin(&err, "sysctl x=1");
	assert_string_equal(say_error_text(arena, &err, false),
			    "error[no-such-thing]: no such thing: ?[2J\n"
			    "  at: -p 8080:99999\n"
			    "  hint: did you mean this?\n"
			    "  fix: bryo run -p 8081:80 …\n"
			    "  as root: sysctl x=1\n");
	assert_string_equal(say_error_text(arena, &err, true),
			    "\033[1;31merror[no-such-thing]:\033[0m no such thing: ?[2J\n"
			    "\033[1;36m  at:\033[0m -p 8080:99999\n"
			    "\033[1;36m  hint:\033[0m did you mean this?\n"
			    "\033[1;36m  fix:\033[0m bryo run -p 8081:80 …\n"
			    "\033[1;36m  as root:\033[0m sysctl x=1\n");
	assert_string_equal(say_error_json(arena, &err),
			    "{\"level\":\"error\",\"code\":\"no-such-thing\",\"message\":\"no such thing: ?[2J\","
			    "\"where\":\"-p 8080:99999\",\"hint\":\"did you mean this?\","
			    "\"fixes\":[{\"run\":\"bryo run -p 8081:80 …\"},{\"admin\":\"sysctl x=1\"}]}");
}

static void a_place_is_the_option_that_holds_it(void **state)
{
	static const struct { const char *where, *at; } cases[] = {
		{ "8080:99999", "-p 8080:99999" },
		{ "1:2", "--publish=1:2" },
		{ "3:4", "-p3:4" },
		{ "img", "img" },		/* no option's value: what stands in front has its own */
		{ "/etc/subuid", "/etc/subuid" },
		{ "secret", "secret" },		/* a part of a word is no place */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = { 0 };

		error_set(&err, ERROR_FAILED, "x");
		error_where(&err, "%s", cases[i].where);
		assert_string_equal(say_error_text(arena, &err, false), arena_printf(arena, "error[failed]: x\n  at: %s\n", cases[i].at));
	}
}

static void errors_of_the_system_name_their_number(void **state)
{
	struct error err = { 0 };

	(void)state;
	errno = EACCES;
	error_errno(&err, "open x");
	assert_string_equal(say_error_json(arena, &err), "{\"level\":\"error\",\"code\":\"denied\",\"message\":\"open x: "
			    "Permission denied\",\"errno\":\"EACCES\"}");
	error_set(&err, ERROR_FAILED, "two\nlines");
	assert_string_equal(say_error_text(arena, &err, false), "error[failed]: two\n  lines\n");
	assert_string_equal(say_error_json(arena, &err), "{\"level\":\"error\",\"code\":\"failed\",\"message\":\"two lines\"}");
	assert_int_equal(say_set_format("yaml", &err), -1);
	assert_string_equal(err.code, "bad-value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_says_what_where_why_and_the_cure),
		cmocka_unit_test(a_place_is_the_option_that_holds_it),
		cmocka_unit_test(errors_of_the_system_name_their_number),
	};

	arena = arena_new();
	say_command_line(sizeof(words) / sizeof(*words), words);
	return cmocka_run_group_tests_name("cli/say", tests, NULL, NULL);
}
