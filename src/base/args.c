#include "base/args.h"

#include <errno.h>
#include <stdio.h>

#include "base/glob.h"

/* --- finding commands */

/* Calls for each of "a|b c|d"; a name ends at '|' or at the end. */
static const char *next_name(const char *names, size_t *ret_n)
{
	*ret_n = strcspn(names, "|");
	return names[*ret_n] ? names + *ret_n + 1 : NULL;
}

bool command_has_name(const struct command *c, const char *path)
{
	size_t n, want = strlen(path);

	for (const char *name = c->names, *next; name; name = next) {
		next = next_name(name, &n);
		if (n == want && memcmp(name, path, n) == 0)
			return true;
	}
	return false;
}

const char *command_name(struct arena *arena, const struct command *c)
{
	return arena_strndup(arena, c->names, strcspn(c->names, "|"));
}

static const struct command *find_path(const struct args_program *program, const char *path)
{
	for (const struct command *const *c = program->commands; *c; c++)
		if (command_has_name(*c, path))
			return *c;
	return NULL;
}

const struct command *args_find_command(struct arena *arena, const struct args_program *program, int n,
					char *const *words, int *ret_used, const char **ret_path)
{
	const struct command *found = NULL, *c;
	const char *path = "";

	for (*ret_used = 0; *ret_used < n; (*ret_used)++) {
		const char *longer = *path ? arena_printf(arena, "%s %s", path, words[*ret_used]) : words[*ret_used];

		if (!words[*ret_used][0] || strpbrk(words[*ret_used], " |"))
			break;
		c = find_path(program, longer);
		if (!c)
			break;
		found = c;
		path = longer;
		if (!(c->flags & COMMAND_GROUP)) {
			(*ret_used)++;
			break;
		}
	}
	*ret_path = path;
	return found;
}

/* The commands one level below the group path, for did-you-mean. */
static const char *closest_command(struct arena *arena, const struct args_program *program, const char *path,
				   const char *word)
{
	struct strings names = { 0 };
	const char *group = *path ? arena_printf(arena, "%s ", path) : "";
	size_t n;

	for (const struct command *const *c = program->commands; *c; c++)
		for (const char *name = (*c)->flags & COMMAND_HIDDEN ? NULL : (*c)->names, *next; name; name = next) {
			const char *rest = str_after(name, group);

			next = next_name(name, &n);
			if (rest && !memchr(rest, ' ', n - strlen(group)))
				strings_add(arena, &names, arena_strndup(arena, rest, n - strlen(group)));
		}
	return names.n ? glob_closest(word, (const char *const *)names.v) : NULL;
}

static int unknown_command(struct arena *arena, const struct args_program *program, const char *path,
			   const char *word, struct error *err)
{
	const char *group = *path ? arena_printf(arena, "%s %s", program->name, path) : program->name;
	const char *close = closest_command(arena, program, path, word);

	error_set(err, ERROR_USAGE, "unrecognized command `%s %s`", group, word);
	error_code(err, "unknown-command");
	return close ? error_hint(err, "did you mean `%s %s`?", group, close) : error_hint(err, "see '%s --help'", group);
}

/* --- finding options */

static bool is_real(const struct option *o)
{
	return o->type != OPTION_GROUP;
}

static const struct option *find_in(const struct option *table, const char *name, size_t n)
{
	for (const struct option *o = table; o && o->type != OPTION_END; o++)
		if (is_real(o) && o->name && strlen(o->name) == n && memcmp(o->name, name, n) == 0)
			return o;
	return NULL;
}

const struct option *args_find_option(const struct args_program *program, const struct command *c, const char *name,
				      size_t n)
{
	const struct option *o = NULL;

	for (size_t i = 0; c && i < ELEMENTS(c->options) && !o; i++)
		o = find_in(c->options[i], name, n);
	return o ? o : find_in(program->options, name, n);
}

const struct option *args_find_letter(const struct args_program *program, const struct command *c, char letter)
{
	/* Global letters (-v) mean something before the command only. */
	for (size_t i = 0; i < ELEMENTS(c->options); i++) {
		const struct option *o = c ? c->options[i] : i == 0 ? program->options : NULL;

		for (; o && o->type != OPTION_END; o++)
			if (is_real(o) && o->letter == letter)
				return o;
	}
	return NULL;
}

const struct option *args_resolve(const struct args_program *program, const struct command *c, const struct option *o)
{
	if (o && o->type == OPTION_ALIAS)
		o = args_find_option(program, c, o->value, strlen(o->value));
	return o;
}

bool option_takes_value(const struct option *o)
{
	switch (o->type) {
	case OPTION_STRING:
		return !o->implied;
	case OPTION_STRINGS: case OPTION_LIST: case OPTION_INT:
		return true;
	case OPTION_IGNORED:
		return o->value;
	default:
		return false;
	}
}

static bool belongs_to(const struct option *table, const struct option *o)
{
	for (const struct option *t = table; t && t->type != OPTION_END; t++)
		if (t == o)
			return true;
	return false;
}

/* --- parsing */

struct parser {
	struct arena *arena;
	const struct args_program *program;
	struct args *args;
	struct error *err;
};

static int usage_error(struct parser *p, const char *code)
{
	error_code(p->err, code);
	return error_hint(p->err, "see '%s%s%s --help'", p->program->name, *p->args->path ? " " : "", p->args->path);
}

/* "-n, --last" as pflag names a flag in its errors. */
static const char *full_name(struct parser *p, const struct option *o)
{
	if (o->letter && o->name)
		return arena_printf(p->arena, "-%c, --%s", o->letter, o->name);
	return o->name ? arena_printf(p->arena, "--%s", o->name) : arena_printf(p->arena, "-%c", o->letter);
}

static int bad_value(struct parser *p, const struct option *o, const char *value, const char *why)
{
	error_set(p->err, ERROR_USAGE, "invalid argument \"%s\" for \"%s\" flag: %s", value, full_name(p, o), why);
	return usage_error(p, "bad-value");
}

/* Go's strconv.ParseBool. */
static int parse_bool(const char *s, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ELEMENTS(yes); i++)
		if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
			*ret = strcmp(s, yes[i]) == 0;
			return 0;
		}
	return -1;
}

static int store_bool(struct parser *p, const struct option *o, const char *value, bool inverted, bool *field)
{
	bool b = true;

	if (value && parse_bool(value, &b) < 0)
		return bad_value(p, o, value,
				 arena_printf(p->arena, "strconv.ParseBool: parsing \"%s\": invalid syntax", value));
	*field = inverted ? !b : b;
	return 0;
}

static int store_int(struct parser *p, const struct option *o, const char *value, int64_t *field)
{
	long long n;

	if (str_to_i64(value, &n) < 0)
		return bad_value(p, o, value, arena_printf(p->arena, "strconv.ParseInt: parsing \"%s\": %s", value,
				 errno == ERANGE ? "value out of range" : "invalid syntax"));
	*field = n;
	return 0;
}

static void store_list(struct parser *p, const char *value, struct strings *field)
{
	struct strings parts = strings_split(p->arena, value, ",");

	strings_add_all(p->arena, field, &parts);
}

static int store_value(struct parser *p, const struct option *o, const char *value, bool negated)
{
	bool global = belongs_to(p->program->options, o);
	void *field = (char *)(global ? p->args->globals : p->args->request) + o->offset;

	if (o->name)
		strings_add(p->arena, &p->args->given, o->name);
	switch (o->type) {
	case OPTION_BOOL:
		return store_bool(p, o, value, negated, field);
	case OPTION_BOOL_OFF:
		return store_bool(p, o, value, !negated, field);
	case OPTION_STRING:
		*(char **)field = arena_strdup(p->arena, value ? value : o->implied);
		return 0;
	case OPTION_STRINGS:
		strings_add(p->arena, field, value);
		return 0;
	case OPTION_LIST:
		store_list(p, value, field);
		return 0;
	case OPTION_INT:
		return store_int(p, o, value, field);
	default:
		return 0;
	}
}

static int unsupported(struct parser *p, const char *name, const char *why)
{
	error_set(p->err, ERROR_USAGE, "known but not supported here: --%s: %s", name, why);
	return error_code(p->err, "unsupported-option");
}

static int unknown_option(struct parser *p, const char *name, size_t n)
{
	struct strings names = { 0 };
	const struct option *const *tables = p->args->command ? p->args->command->options : &p->program->options;
	const char *close;

	for (size_t i = 0; i < (p->args->command ? ELEMENTS(p->args->command->options) : 1); i++)
		for (const struct option *o = tables[i]; o && o->type != OPTION_END; o++)
			if (is_real(o) && o->name && o->type != OPTION_UNSUPPORTED && !(o->flags & OPTION_HIDDEN))
				strings_add(p->arena, &names, o->name);
	error_set(p->err, ERROR_USAGE, "unknown flag: --%.*s", (int)n, name);
	close = names.n ? glob_closest(arena_strndup(p->arena, name, n), (const char *const *)names.v) : NULL;
	if (close)
		error_hint(p->err, "did you mean --%s?", close);
	return usage_error(p, "unknown-option");
}

static bool is_bool(const struct option *o)
{
	return o && (o->type == OPTION_BOOL || o->type == OPTION_BOOL_OFF);
}

/* "--name" or "--name=value"; *i moves when the value is the next word. */
static int parse_long(struct parser *p, int argc, char *const *argv, int *i)
{
	const struct command *c = p->args->command;
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t n = value ? (size_t)(value - name) : strlen(name);
	const struct option *o = args_find_option(p->program, c, name, n);
	bool negated = false;

	if (value)
		value++;
	if (n == 4 && memcmp(name, "help", 4) == 0 && !o) {
		p->args->help = true;
		return 0;
	}
	if (!o && n > 3 && str_starts(name, "no-")) {
		o = args_resolve(p->program, c, args_find_option(p->program, c, name + 3, n - 3));
		negated = is_bool(o);
		o = negated ? o : NULL;
	}
	if (!o && p->args->help && n == 3 && memcmp(name, "all", 3) == 0)
		return 0;
	if (!o)
		return unknown_option(p, name, n);
	if (o->type == OPTION_UNSUPPORTED)
		return unsupported(p, o->name, o->help);
	o = args_resolve(p->program, c, o);
	if (!value && option_takes_value(o)) {
		if (*i + 1 >= argc) {
			error_set(p->err, ERROR_USAGE, "flag needs an argument: --%.*s", (int)n, name);
			return usage_error(p, "missing-argument");
		}
		value = argv[++*i];
	}
	return store_value(p, o, value, negated);
}

/* "-abc", "-ovalue", "-o=value", "-o value". */
static int parse_letters(struct parser *p, int argc, char *const *argv, int *i)
{
	for (const char *s = argv[*i] + 1; *s; s++) {
		const struct option *o = args_find_letter(p->program, p->args->command, *s);
		const char *value = NULL;

		if (!o && *s == 'h') {
			p->args->help = true;
			continue;
		}
		if (!o) {
			error_set(p->err, ERROR_USAGE, "unknown shorthand flag: '%c' in %s", *s, argv[*i]);
			return usage_error(p, "unknown-option");
		}
		o = args_resolve(p->program, p->args->command, o);
		if (s[1] == '=') {
			value = s + 2;
		} else if (option_takes_value(o) && s[1]) {
			value = s + 1;
		} else if (option_takes_value(o)) {
			if (*i + 1 >= argc) {
				error_set(p->err, ERROR_USAGE, "flag needs an argument: '%c' in %s", *s, argv[*i]);
				return usage_error(p, "missing-argument");
			}
			value = argv[++*i];
		}
		if (store_value(p, o, value, false) < 0)
			return -1;
		if (value)
			break;
	}
	return 0;
}

/* Options from argv[*i] on, operands to the list; stops at the first operand when asked. */
static int parse_words(struct parser *p, int argc, char *const *argv, int *i, bool stop_at_operand)
{
	for (; *i < argc; (*i)++) {
		const char *word = argv[*i];

		if (strcmp(word, "--") == 0) {
			(*i)++;
			return 0;
		}
		if (word[0] != '-' || !word[1]) {
			if (stop_at_operand)
				return 0;
			strings_add(p->arena, &p->args->operands, word);
		} else if (word[1] == '-' ? parse_long(p, argc, argv, i) < 0 : parse_letters(p, argc, argv, i) < 0) {
			return -1;
		}
	}
	return 0;
}

static void take_operands(struct parser *p, int argc, char *const *argv, int i)
{
	for (; i < argc; i++)
		strings_add(p->arena, &p->args->operands, argv[i]);
}

static int wrong_operands(struct parser *p, int n, int min, int max)
{
	if (n < min && p->args->command->operands_missing)
		return error_set(p->err, ERROR_USAGE, "%s", p->args->command->operands_missing);
	if (max == 0)
		return error_set(p->err, ERROR_USAGE, "`%s %s` takes no arguments", p->program->name, p->args->path);
	if (max == min)
		return error_set(p->err, ERROR_USAGE, "accepts %d arg(s), received %d", min, n);
	if (max < 0)
		return error_set(p->err, ERROR_USAGE, "requires at least %d arg(s), only received %d", min, n);
	if (min == 0)
		return error_set(p->err, ERROR_USAGE, "accepts at most %d arg(s), received %d", max, n);
	return error_set(p->err, ERROR_USAGE, "accepts between %d and %d arg(s), received %d", min, max, n);
}

static int check_operands(struct parser *p)
{
	const struct command *c = p->args->command;
	int n = (int)p->args->operands.n, min = c->operands_min, max = c->operands_max;

	if (n >= min && (max < 0 || n <= max))
		return 0;
	wrong_operands(p, n, min, max);
	error_code(p->err, n < min ? "missing-argument" : "extra-argument");
	return error_hint(p->err, "usage: %s %s%s%s", p->program->name, p->args->path, *c->synopsis ? " " : "", c->synopsis);
}

static int parse_command(struct parser *p, int argc, char *const *argv, int i)
{
	const struct command *c = p->args->command;

	p->args->request = arena_alloc(p->arena, c->request_size ? c->request_size : 1);
	p->args->words = (struct strings){ (char **)argv + i, (size_t)(argc - i) };
	if (c->flags & COMMAND_RAW) {
		take_operands(p, argc, argv, i);
		return 0;
	}
	if (parse_words(p, argc, argv, &i, c->flags & COMMAND_STOP_AT_OPERAND) < 0)
		return -1;
	take_operands(p, argc, argv, i);
	if (p->args->help) {
		for (i = 0; i < argc; i++)
			p->args->help_all = p->args->help_all || strcmp(argv[i], "--all") == 0;
		return 0;
	}
	if (c->flags & COMMAND_GROUP) {
		if (p->args->operands.n)
			return unknown_command(p->arena, p->program, p->args->path, p->args->operands.v[0], p->err);
		p->args->help = true;
		return 0;
	}
	return check_operands(p);
}

bool args_was_given(const struct args *args, const char *long_name)
{
	return strings_has(&args->given, long_name);
}

int args_parse(struct arena *arena, const struct args_program *program, int argc, char *const *argv, struct args *ret,
	       struct error *err)
{
	struct parser p = { arena, program, ret, err };
	int i = 1, used;

	*ret = (struct args){ .program = program, .path = "" };
	ret->globals = arena_alloc(arena, program->request_size ? program->request_size : 1);
	if (parse_words(&p, argc, argv, &i, true) < 0)
		return -1;
	if (i >= argc)
		return 0;
	ret->command = args_find_command(arena, program, argc - i, argv + i, &used, &ret->path);
	if (!ret->command)
		return unknown_command(arena, program, "", argv[i], err);
	return parse_command(&p, argc, argv, i + used);
}
