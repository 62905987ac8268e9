/* The rules of command lines, by a small program of our own: parsing, errors in Podman's words, help, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/args.h"

struct globals { bool version; char *log_level; };
struct run_request { bool detach, tty, no_proxy; char *name, *tls; struct strings env, caps; int64_t last; };

static const struct option global_options[] = {
	OPT_FLAG('v', "version", globals, version, "Print the version"),
	OPT_STRING(0, "log-level", globals, log_level, "LEVEL", "How much to say", .words = "debug|info|warn"),
	OPT_END
};

static const struct option run_options[] = {
	OPT_GROUP("Life"),
	OPT_FLAG('d', "detach", run_request, detach, "Run in the background"),
	OPT_FLAG('t', "tty", run_request, tty, "Allocate a terminal"),
	OPT_FLAG_OFF(0, "http-proxy", run_request, no_proxy, "Do not pass proxy variables"),
	OPT_STRING(0, "name", run_request, name, "NAME", "Its name"),
	OPT_STRING(0, "tls-verify", run_request, tls, "BOOL", "Check certificates", .implied = "true"),
	OPT_GROUP("Process"),
	OPT_STRINGS('e', "env", run_request, env, "NAME=VALUE", "Set a variable", .complete = COMPLETE_ENVIRONMENT),
	OPT_LIST(0, "cap-add", run_request, caps, "CAP", "Add capabilities", .flags = OPTION_RARE),
	OPT_INT('n', "last", run_request, last, "N", "How many"),
	OPT_ALIAS(0, "called", "name"),
	OPT_IGNORED(0, "disable-content-trust", NULL),
	OPT_UNSUPPORTED("link", "use a network"),
	OPT_END
};

static int nothing(struct cli *cli, const struct args *args, struct error *err) { return 0; }

static const struct command_example run_examples[] = { { "prog run alpine sh", "a shell" }, { NULL, NULL } };
static const struct command run_command = {
	.names = "run|container run", .synopsis = "[options] IMAGE [COMMAND [ARG...]]", .summary = "Run a container",
	.options = { run_options }, .request_size = sizeof(struct run_request), .operands_min = 1,
	.operands_max = COMMAND_ANY_NUMBER, .complete = COMPLETE_IMAGES, .flags = COMMAND_STOP_AT_OPERAND,
	.examples = run_examples, .run = nothing,
};
static const struct command list_command = {
	.names = "ps|container ls|container list", .synopsis = "[options]", .summary = "List containers",
	.options = { run_options }, .request_size = sizeof(struct run_request), .run = nothing,
};
static const struct command rename_command = {
	.names = "rename|container rename", .synopsis = "CONTAINER NAME", .summary = "Rename", .operands_min = 2,
	.operands_max = 2, .complete = COMPLETE_CONTAINERS, .run = nothing,
};
static const struct command rm_command = {
	.names = "rm|container rm", .synopsis = "CONTAINER...", .summary = "Remove", .operands_min = 1,
	.operands_max = COMMAND_ANY_NUMBER, .operands_missing = "you must provide at least one name or id",
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS, .run = nothing,
};
static const struct command raw_command = {
	.names = "__complete", .synopsis = "", .summary = "", .flags = COMMAND_RAW | COMMAND_HIDDEN,
	.operands_max = COMMAND_ANY_NUMBER, .run = nothing,
};
static const struct command group_command = {
	.names = "container", .synopsis = "", .summary = "Manage containers", .flags = COMMAND_GROUP,
	.operands_max = COMMAND_ANY_NUMBER,
};
static const struct command *const commands[] = { &run_command, &list_command, &rename_command, &rm_command, &raw_command,
						  &group_command, NULL };
static const struct args_program program = { "prog", "A program", commands, global_options, sizeof(struct globals), NULL };

static struct arena *arena;

#define MAX_WORDS 16
static int parse(const char *line, struct args *ret, struct error *err)
{
	struct strings words = strings_split(arena, line, " ");

	*err = (struct error){ 0 };
	return args_parse(arena, &program, (int)words.n, words.v, ret, err);
}

static struct run_request *parse_ok(const char *line, struct args *ret)
{
	struct error err;

	if (parse(line, ret, &err) < 0)
		fail_msg("%s: %s", line, err.text);
	return ret->request;
}

static void test_values(void **state)
{
	struct args a;
	struct run_request *r = parse_ok("prog run -dt -eA=1 -e B=2 --env=C=3 --env D --name=x -n5 --cap-add a,b img -x --y", &a);

	assert_true(r->detach && r->tty);
	assert_string_equal(strings_join(arena, &r->env, ";"), "A=1;B=2;C=3;D");
	assert_string_equal(r->name, "x");
	assert_int_equal(r->last, 5);
	assert_string_equal(strings_join(arena, &r->caps, ";"), "a;b");
	assert_string_equal(strings_join(arena, &a.operands, " "), "img -x --y");
	assert_string_equal(a.path, "run");
}

static void test_booleans(void **state)
{
	static const struct { const char *line; bool detach, no_proxy; } cases[] = {
		{ "prog run img", false, false },
		{ "prog run -d img", true, false },
		{ "prog run -d=false img", false, false },
		{ "prog run --detach=true img", true, false },
		{ "prog run --detach --no-detach img", false, false },
		{ "prog run --http-proxy=false img", false, true },
		{ "prog run --no-http-proxy img", false, true },
		{ "prog run --http-proxy img", false, false },
		{ "prog run --no-http-proxy=false img", false, false },
	};
	struct args a;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct run_request *r = parse_ok(cases[i].line, &a);

		if (r->detach != cases[i].detach || r->no_proxy != cases[i].no_proxy)
			fail_msg("%s", cases[i].line);
	}
}

static void test_rest(void **state)
{
	struct args a;
	struct run_request *r = parse_ok("prog --log-level debug container ls --called y --tls-verify --disable-content-trust", &a);

	assert_string_equal(((struct globals *)a.globals)->log_level, "debug");
	assert_string_equal(a.path, "container ls");
	assert_ptr_equal(a.command, &list_command);
	assert_string_equal(r->name, "y");
	assert_string_equal(r->tls, "true");
	r = parse_ok("prog ps --tls-verify=false --log-level=info", &a);
	assert_string_equal(r->tls, "false");
	assert_string_equal(((struct globals *)a.globals)->log_level, "info");
	parse_ok("prog rm a --", &a);
	assert_int_equal(a.operands.n, 1);
	parse_ok("prog rm -- -a", &a);
	assert_string_equal(a.operands.v[0], "-a");
	parse_ok("prog run -- img -d", &a);
	assert_string_equal(strings_join(arena, &a.operands, " "), "img -d");
	parse_ok("prog __complete run --na", &a);
	assert_string_equal(strings_join(arena, &a.operands, " "), "run --na");
	parse_ok("prog run --help", &a);
	assert_true(a.help);
	parse_ok("prog run --help --all", &a);
	assert_true(a.help_all);
	parse_ok("prog -v", &a);
	assert_true(((struct globals *)a.globals)->version && !a.command);
	parse_ok("prog container", &a);
	assert_true(a.help);
}

static void test_errors(void **state)
{
	static const struct { const char *line, *text, *hint; } cases[] = {
		{ "prog run --foo img", "unknown flag: --foo", "see 'prog run --help'" },
		{ "prog run --detahc img", "unknown flag: --detahc", "did you mean --detach?" },
		{ "prog run -Z", "unknown shorthand flag: 'Z' in -Z", "see 'prog run --help'" },
		{ "prog run --name", "flag needs an argument: --name", "see 'prog run --help'" },
		{ "prog run -e", "flag needs an argument: 'e' in -e", "see 'prog run --help'" },
		{ "prog ps -n abc", "invalid argument \"abc\" for \"-n, --last\" flag: strconv.ParseInt: parsing \"abc\": invalid "
				    "syntax", "see 'prog ps --help'" },
		{ "prog ps -n 99999999999999999999", "invalid argument \"99999999999999999999\" for \"-n, --last\" flag: "
				    "strconv.ParseInt: parsing \"99999999999999999999\": value out of range", "see 'prog ps --help'" },
		{ "prog ps --detach=maybe", "invalid argument \"maybe\" for \"-d, --detach\" flag: strconv.ParseBool: parsing "
					    "\"maybe\": invalid syntax", "see 'prog ps --help'" },
		{ "prog nosuch", "unrecognized command `prog nosuch`", "see 'prog --help'" },
		{ "prog rnu", "unrecognized command `prog rnu`",
		  "did you mean `prog run`?" },
		{ "prog container lss", "unrecognized command `prog container lss`",
		  "did you mean `prog container ls`?" },
		{ "prog --nope", "unknown flag: --nope", "see 'prog --help'" },
		{ "prog run --link a img", "known but not supported here: --link: use a network", NULL },
		{ "prog run", "requires at least 1 arg(s), only received 0", "usage: prog run [options] IMAGE [COMMAND [ARG...]]" },
		{ "prog rename a", "accepts 2 arg(s), received 1", NULL },
		{ "prog ps x", "`prog ps` takes no arguments", NULL },
		{ "prog rm", "you must provide at least one name or id", NULL },
	};
	struct error err;
	struct args a;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_int_equal(parse(cases[i].line, &a, &err), -1);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_true(err.code[0]);
		if (cases[i].hint)
			assert_string_equal(err.hint, cases[i].hint);
	}
}

static void test_help(void **state)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	struct args a;

	parse_ok("prog run --help", &a);
	assert_int_equal(args_help(arena, &a, 80, &out), 0);
	assert_string_equal(out.data,
		"Run a container\n"
		"\nUsage:\n  prog run [options] IMAGE [COMMAND [ARG...]]\n"
		"\nAliases:\n  prog container run\n"
		"\nExamples:\n  prog run alpine sh  # a shell\n"
		"\nLife:\n"
		"  -d, --detach                        Run in the background\n"
		"  -t, --tty                           Allocate a terminal\n"
		"      --no-http-proxy                 Do not pass proxy variables\n"
		"      --name NAME                     Its name\n"
		"      --tls-verify[=BOOL]             Check certificates\n"
		"\nProcess:\n"
		"  -e, --env NAME=VALUE                Set a variable\n"
		"  -n, --last N                        How many\n"
		"\n1 more options: prog run --help --all\n");
}

static void test_completion(void **state)
{
	static const struct { const char *line; int kind; bool options; const char *candidates; } cases[] = {
		{ "r", COMPLETE_COMMANDS, false, "run rename rm" },
		{ "container l", COMPLETE_COMMANDS, false, "ls list" },
		{ "run --de", COMPLETE_NOTHING, true, "--detach" },
		{ "run --env ", COMPLETE_ENVIRONMENT, false, "" },
		{ "run --env=", COMPLETE_ENVIRONMENT, false, "" },
		{ "run -e ", COMPLETE_ENVIRONMENT, false, "" },
		{ "run ", COMPLETE_IMAGES, false, "" },
		{ "run -d -e A ", COMPLETE_IMAGES, false, "" },
		{ "run img ", COMPLETE_NOTHING, false, "" },
		{ "run img --de", COMPLETE_NOTHING, false, "" },
		{ "rename a ", COMPLETE_NOTHING, false, "" },
		{ "rm a ", COMPLETE_CONTAINERS, false, "" },
		{ "--log-level ", COMPLETE_WORDS, false, "debug info warn" },
		{ "--log-level=w", COMPLETE_WORDS, false, "--log-level=warn" },
		{ "--log-level info ru", COMPLETE_COMMANDS, false, "run" },
		{ "nosuch ", COMPLETE_NOTHING, false, "" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct strings words = strings_split(arena, cases[i].line, " "), found = { 0 }, names = { 0 };
		struct args_completion c;

		args_complete(arena, &program, (int)words.n, words.v, &c);
		args_complete_static(arena, &program, &c, &found);
		for (size_t k = 0; k < found.n; k++)
			strings_add(arena, &names, arena_strndup(arena, found.v[k], strcspn(found.v[k], "\t")));
		if (c.kind != (enum completion)cases[i].kind || c.options != cases[i].options ||
		    strcmp(strings_join(arena, &names, " "), cases[i].candidates) != 0)
			fail_msg("'%s': kind %d, candidates %s", cases[i].line, c.kind, strings_join(arena, &names, " "));
	}
}

static void test_man(void **state)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);

	assert_int_equal(args_man(arena, &program, &run_command, NULL, &out), 0);
	assert_non_null(strstr(out.data, "prog-run(1)\n\n# NAME\n\nprog-run - Run a container\n"));
	assert_non_null(strstr(out.data, "*-e*, *--env* NAME=VALUE\n\tSet a variable.\n"));
	assert_non_null(strstr(out.data, "*--tls-verify*\\[=BOOL\\]\n"));
	assert_non_null(strstr(out.data, "# KNOWN BUT NOT SUPPORTED\n\n*--link*\n\tuse a network.\n"));
	buffer_consume(&out, out.size);
	assert_int_equal(args_man(arena, &program, &run_command, "# A\n@UNSUPPORTED@\nend", &out), 0);
	assert_string_equal(out.data, "# A\n# KNOWN BUT NOT SUPPORTED\n\n*--link*\n\tuse a network.\n\nend\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_booleans), cmocka_unit_test(test_rest),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_help), cmocka_unit_test(test_completion),
		cmocka_unit_test(test_man),
	};
	int r;

	arena = arena_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return r;
}
