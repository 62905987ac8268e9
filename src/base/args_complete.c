/* base/args_complete - what is expected at the end of a command line that is being typed
 *
 * Reads the words as the parser does, but forgives everything: an unfinished line is wrong more often than not. */
#include <string.h>

#include "base/args.h"

struct reader {
	const struct args_program *program;
	const struct command *command;
	int operands;
	bool only_operands;	/* after "--" or the first operand of run, exec */
};

/* The option whose value the next word is; NULL when the word is complete in itself. */
static const struct option *pending_option(const struct reader *r, const char *word)
{
	const struct option *o = NULL;

	if (str_starts(word, "--")) {
		if (!strchr(word, '='))
			o = args_find_option(r->program, r->command, word + 2, strlen(word + 2));
	} else {
		for (const char *s = word + 1; *s; s++) {
			o = args_resolve(r->program, r->command, args_find_letter(r->program, r->command, *s));
			if (o && option_takes_value(o) && s[1])
				return NULL;
		}
	}
	o = args_resolve(r->program, r->command, o);
	return o && option_takes_value(o) ? o : NULL;
}

/* Reads options and operands before the last word; answers the option that waits for the last word. */
static const struct option *read_words(struct reader *r, int n, char *const *words)
{
	for (int i = 0; i < n; i++) {
		const char *word = words[i];
		const struct option *o;

		if (r->only_operands || word[0] != '-' || !word[1]) {
			r->operands++;
			r->only_operands = r->only_operands || (r->command && r->command->flags & COMMAND_STOP_AT_OPERAND);
			continue;
		}
		if (strcmp(word, "--") == 0) {
			r->only_operands = true;
			continue;
		}
		o = pending_option(r, word);
		if (o && ++i == n)
			return o;
	}
	return NULL;
}

static void expect_value(struct args_completion *ret, const struct option *o)
{
	ret->option = o;
	ret->kind = o->words ? COMPLETE_WORDS : o->complete;
}

/* "--opt=VAL" is being typed: the shell replaces the whole word, so candidates carry the option in front. */
static bool expect_value_in_word(struct arena *arena, const struct reader *r, struct args_completion *ret)
{
	const char *equals = strchr(ret->word, '=');
	const struct option *o;

	if (!str_starts(ret->word, "--") || !equals)
		return false;
	o = args_find_option(r->program, r->command, ret->word + 2, (size_t)(equals - ret->word - 2));
	o = args_resolve(r->program, r->command, o);
	if (o) {
		ret->prefix = arena_strndup(arena, ret->word, (size_t)(equals + 1 - ret->word));
		ret->word = equals + 1;
		expect_value(ret, o);
	}
	return true;
}

void args_complete(struct arena *arena, const struct args_program *program, int n, char *const *words,
		   struct args_completion *ret)
{
	static char empty[] = "";
	static char *const nothing[] = { empty };
	struct reader r = { .program = program };
	const struct option *waiting;
	int used, start = 0;

	if (n < 1) {		/* as after the first blank */
		words = nothing;
		n = 1;
	}
	*ret = (struct args_completion){ .path = "", .prefix = "", .word = words[n - 1] };
	for (; start < n - 1 && words[start][0] == '-'; start++)
		if (pending_option(&r, words[start]))
			start++;
	if (start < n - 1)
		r.command = args_find_command(arena, program, n - 1 - start, words + start, &used, &ret->path);
	if (r.command)
		start += used;
	else if (start < n - 1)
		return;
	ret->command = r.command;
	waiting = start > n - 1 ? pending_option(&r, words[n - 2]) : read_words(&r, n - 1 - start, words + start);
	if (waiting) {
		expect_value(ret, waiting);
		return;
	}
	if (!r.only_operands && expect_value_in_word(arena, &r, ret))
		return;
	if (!r.only_operands && ret->word[0] == '-') {
		ret->options = true;
		return;
	}
	if (!r.command || r.command->flags & COMMAND_GROUP)
		ret->kind = COMPLETE_COMMANDS;
	else if (r.command->operands_max < 0 || r.operands < r.command->operands_max)
		ret->kind = r.operands == 0 ? r.command->complete : r.command->complete_rest;
}

static void offer(struct arena *arena, struct strings *ret, const struct args_completion *c, const char *candidate,
		  const char *description)
{
	if (str_starts(candidate, c->word))
		strings_addf(arena, ret, "%s%s\t%s", c->prefix, candidate, description);
}

static void offer_options(struct arena *arena, const struct option *table, const struct args_completion *c,
			  struct strings *ret)
{
	for (const struct option *o = table; o && o->type != OPTION_END; o++) {
		if (!o->name || o->flags & OPTION_HIDDEN || o->type == OPTION_GROUP || o->type == OPTION_ALIAS ||
		    o->type == OPTION_UNSUPPORTED || o->type == OPTION_IGNORED)
			continue;
		offer(arena, ret, c, arena_printf(arena, "--%s%s", o->name, o->type == OPTION_BOOL_OFF ? "=false" : ""),
		      o->help);
	}
}

static void offer_commands(struct arena *arena, const struct args_program *program, const struct args_completion *c,
			   struct strings *ret)
{
	const char *group = *c->path ? arena_printf(arena, "%s ", c->path) : "";
	size_t n;

	for (const struct command *const *command = program->commands; *command; command++) {
		if ((*command)->flags & COMMAND_HIDDEN)
			continue;
		for (const char *name = (*command)->names; name; name = name[n] ? name + n + 1 : NULL) {
			const char *one;

			n = strcspn(name, "|");
			one = str_after(arena_strndup(arena, name, n), group);
			if (one && !strchr(one, ' '))
				offer(arena, ret, c, one, (*command)->summary);
		}
	}
}

static void offer_words(struct arena *arena, const struct args_completion *c, struct strings *ret)
{
	struct strings words = strings_split(arena, c->option->words, "|");

	for (size_t i = 0; i < words.n; i++)
		offer(arena, ret, c, words.v[i], "");
}

void args_complete_static(struct arena *arena, const struct args_program *program, const struct args_completion *c,
			  struct strings *ret)
{
	if (c->options) {
		for (size_t i = 0; c->command && i < ELEMENTS(c->command->options); i++)
			offer_options(arena, c->command->options[i], c, ret);
		if (!c->command)
			offer_options(arena, program->options, c, ret);
		offer(arena, ret, c, "--help", "Print what the command does and its options");
	} else if (c->kind == COMPLETE_COMMANDS) {
		offer_commands(arena, program, c, ret);
	} else if (c->kind == COMPLETE_WORDS && c->option) {
		offer_words(arena, c, ret);
	}
}
