/* The command tables: nothing twice, nothing without a text, every example valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/create_request.h"

static struct arena *arena;

static void test_names_are_unique(void **state)
{
	struct strings names = { 0 };

	for (const struct command *const *c = cli_program.commands; *c; c++) {
		struct strings own = strings_split(arena, (*c)->names, "|");

		for (size_t i = 0; i < own.n; i++) {
			if (strings_has(&names, own.v[i]))
				fail_msg("two commands are called %s", own.v[i]);
			strings_add(arena, &names, own.v[i]);
		}
	}
}

static void test_commands_are_complete(void **state)
{
	for (const struct command *const *c = cli_program.commands; *c; c++) {
		const char *name = command_name(arena, *c);

		if (!(*c)->summary || !(*c)->synopsis || str_ends((*c)->summary, "."))
			fail_msg("%s: summary or synopsis", name);
		if (!(*c)->run && !((*c)->flags & COMMAND_GROUP))
			fail_msg("%s does nothing", name);
		if ((*c)->operands_max >= 0 && (*c)->operands_min > (*c)->operands_max)
			fail_msg("%s: operands", name);
	}
}

static void check_option(const struct command *c, const struct option *o)
{
	const char *name = c ? command_name(arena, c) : "global";
	size_t size = c ? c->request_size : cli_program.request_size;

	if (o->type == OPTION_GROUP)
		return;
	if (!o->name)
		fail_msg("%s: an option without a long name", name);
	if (o->type == OPTION_ALIAS && !args_resolve(&cli_program, c, o))
		fail_msg("%s: --%s is an alias of nothing", name, o->name);
	if (o->type == OPTION_ALIAS || o->type == OPTION_IGNORED)
		return;
	if (str_is_empty(o->help) || (str_ends(o->help, ".") && !str_ends(o->help, "...")))
		fail_msg("%s: help of --%s", name, o->name);
	if (o->type != OPTION_UNSUPPORTED && o->offset >= size)
		fail_msg("%s: --%s lies outside its request", name, o->name);
}

static void check_options(const struct command *c, const struct option *const *tables, size_t n)
{
	struct strings names = { 0 };
	char letters[256] = { 0 };

	for (size_t i = 0; i < n; i++)
		for (const struct option *o = tables[i]; o && o->type != OPTION_END; o++) {
			check_option(c, o);
			if (o->type == OPTION_GROUP)
				continue;
			if (strings_has(&names, o->name) || (o->letter && letters[(unsigned char)o->letter]++))
				fail_msg("%s: --%s or -%c twice", c ? c->names : "global", o->name, o->letter ? o->letter : '?');
			strings_add(arena, &names, o->name);
		}
}

static void test_options(void **state)
{
	check_options(NULL, &cli_program.options, 1);
	for (const struct command *const *c = cli_program.commands; *c; c++)
		check_options(*c, (*c)->options, ELEMENTS((*c)->options));
}

/* Enough of a shell for the examples: words, single quotes, an end at | and <. */
static struct strings split_line(const char *line)
{
	struct strings words = { 0 };

	while (*line && !strchr("|<>", *line)) {
		const char *start = line + (*line == '\'');
		size_t n = *line == '\'' ? strcspn(start, "'") : strcspn(start, " ");

		if (n)
			strings_add(arena, &words, arena_strndup(arena, start, n));
		line = start + n + (start > line && start[n] == '\'');
		line += strspn(line, " ");
	}
	return words;
}

static void check_examples(const struct command_example *e)
{
	for (; e && e->line; e++) {
		struct strings words = split_line(e->line);
		struct error err = { 0 };
		struct args args;

		if (!str_starts(e->line, "bryo "))
			continue;
		if (args_parse(arena, &cli_program, (int)words.n, words.v, &args, &err) < 0)
			fail_msg("%s: %s", e->line, err.text);
	}
}

static void test_examples(void **state)
{
	check_examples(cli_program.examples);
	for (const struct command *const *c = cli_program.commands; *c; c++)
		check_examples((*c)->examples);
}

static struct create_request *parse_run(const char *line)
{
	struct strings words = split_line(line);
	struct error err = { 0 };
	struct args args;

	if (args_parse(arena, &cli_program, (int)words.n, words.v, &args, &err) < 0)
		fail_msg("%s: %s", line, err.text);
	return args.request;
}

/* What users and scripts write for years already. */
static void test_run(void **state)
{
	struct create_request *r = parse_run("bryo run -dit --rm --name=web -p 8080:80,8443:443 -p 53:53/udp -e A=1 -e B -v /a:/b:ro -w /b -u 1000 "
					     "-h box -l x=y -m 512m -c 512 -P --net host --cap-add net_raw,sys_time --http-proxy=false "
					     "--read-only-tmpfs=false --sig-proxy=false img sh -c x");

	assert_true(r->detach && r->interactive && r->tty && r->rm && r->publish_all);
	assert_true(r->no_http_proxy && r->no_read_only_tmpfs && r->no_sig_proxy);
	assert_string_equal(strings_join(arena, &r->publish, " "), "8080:80 8443:443 53:53/udp");
	assert_string_equal(strings_join(arena, &r->env, " "), "A=1 B");
	assert_string_equal(strings_join(arena, &r->cap_add, " "), "net_raw sys_time");
	assert_string_equal(strings_join(arena, &r->network, " "), "host");
	assert_string_equal(r->hostname, "box");
	assert_string_equal(r->memory, "512m");
	r = parse_run("bryo create --tls-verify=false --entrypoint= --pull never img");
	assert_string_equal(r->tls_verify, "false");
	assert_string_equal(r->entrypoint, "");
	assert_string_equal(r->pull, "never");
	assert_false(r->no_http_proxy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_unique), cmocka_unit_test(test_commands_are_complete),
		cmocka_unit_test(test_options), cmocka_unit_test(test_examples), cmocka_unit_test(test_run),
	};
	int r;

	arena = arena_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return r;
}
