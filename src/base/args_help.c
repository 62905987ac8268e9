/* base/args_help - what --help prints */
#include <stdio.h>
#include <string.h>

#include "base/args.h"

struct page {
	struct arena *arena;
	struct buffer *out;
	int width;
	bool failed;
};

static void add(struct page *p, const char *s)
{
	if (buffer_adds(p->out, s) < 0)
		p->failed = true;
}

/* Words broken at the width, every line but the first indented. `column` is where the text starts. */
static void add_wrapped(struct page *p, const char *text, int column)
{
	int at = column;

	while (*text) {
		int n = (int)strcspn(text, " \n");

		if (at > column && at + 1 + n > p->width) {
			add(p, arena_printf(p->arena, "\n%*s", column, ""));
			at = column;
		} else if (at > column) {
			add(p, " ");
			at++;
		}
		add(p, arena_strndup(p->arena, text, (size_t)n));
		at += n;
		text += n;
		if (text[0] == '\n') {
			add(p, text[1] == '\n' ? arena_printf(p->arena, "\n\n%*s", column, "")
					       : arena_printf(p->arena, "\n%*s", column, ""));
			at = column;
			text += text[1] == '\n' ? 2 : 1;
		} else if (*text) {
			text++;
		}
	}
}

static const char *default_value_name(const struct option *o)
{
	return o->type == OPTION_INT ? "N" : "VALUE";
}

/* "-v, --volume SRC:DST[:OPTS]" */
static const char *option_title(struct arena *arena, const struct option *o)
{
	const char *letter = o->letter ? arena_printf(arena, "-%c%s", o->letter, o->name ? ", " : "") : "    ";
	const char *name = o->name ? arena_printf(arena, "%s%s", o->type == OPTION_BOOL_OFF ? "--no-" : "--", o->name) : "";
	const char *value = o->value ? o->value : default_value_name(o);

	if (option_takes_value(o))
		return arena_printf(arena, "%s%s %s", letter, name, value);
	if (o->type == OPTION_STRING)
		return arena_printf(arena, "%s%s[=%s]", letter, name, value);
	return arena_printf(arena, "%s%s", letter, name);
}

static bool is_shown(const struct option *o, bool all)
{
	switch (o->type) {
	case OPTION_BOOL: case OPTION_BOOL_OFF: case OPTION_STRING: case OPTION_STRINGS: case OPTION_LIST: case OPTION_INT:
		return !(o->flags & OPTION_HIDDEN) && (all || !(o->flags & OPTION_RARE));
	default:
		return false;
	}
}

#define HELP_COLUMN 38

static void add_option(struct page *p, const struct option *o)
{
	const char *title = option_title(p->arena, o);

	add(p, "  ");
	add(p, title);
	if (strlen(title) + 4 > HELP_COLUMN)
		add(p, arena_printf(p->arena, "\n%*s", HELP_COLUMN, ""));
	else
		add(p, arena_printf(p->arena, "%*s", HELP_COLUMN - 2 - (int)strlen(title), ""));
	add_wrapped(p, o->help, HELP_COLUMN);
	add(p, "\n");
}

/* One table; a group's heading is printed with its first shown option. Answers how many were left out as rare. */
static int add_options(struct page *p, const struct option *table, bool all)
{
	const char *heading = "Options";
	int left_out = 0;

	for (const struct option *o = table; o && o->type != OPTION_END; o++) {
		if (o->type == OPTION_GROUP)
			heading = o->name;
		if (!is_shown(o, all)) {
			left_out += is_shown(o, true);
			continue;
		}
		if (heading)
			add(p, arena_printf(p->arena, "\n%s:\n", heading));
		heading = NULL;
		add_option(p, o);
	}
	return left_out;
}

static void add_aliases(struct page *p, const struct args *args)
{
	const char *separator = "\nAliases:\n  ";

	for (const char *name = args->command->names; name; name = strchr(name, '|') ? strchr(name, '|') + 1 : NULL) {
		const char *one = arena_strndup(p->arena, name, strcspn(name, "|"));

		if (strcmp(one, args->path) == 0)
			continue;
		add(p, arena_printf(p->arena, "%s%s %s", separator, args->program->name, one));
		separator = ", ";
	}
	if (separator[0] == ',')
		add(p, "\n");
}

static void add_examples(struct page *p, const struct command_example *e)
{
	int width = 0;

	if (!e)
		return;
	add(p, "\nExamples:\n");
	for (const struct command_example *one = e; one->line; one++)
		if (one->what && (int)strlen(one->line) > width)
			width = (int)strlen(one->line);
	for (; e->line; e++)
		add(p, e->what ? arena_printf(p->arena, "  %-*s  # %s\n", width, e->line, e->what)
			       : arena_printf(p->arena, "  %s\n", e->line));
}

/* The name of a command below the group ("" for the top level), or NULL: only commands whose canonical place it is are
 * listed at the top, every spelling in its group. */
static const char *name_in_group(struct arena *arena, const struct command *c, const char *group)
{
	for (const char *name = c->names; name; name = strchr(name, '|') ? strchr(name, '|') + 1 : NULL) {
		const char *one = arena_strndup(arena, name, strcspn(name, "|"));
		const char *rest = *group ? str_after(one, group) : one;

		if (rest && *group)
			rest = *rest == ' ' ? rest + 1 : NULL;
		if (rest && *rest && !strchr(rest, ' '))
			return rest;
	}
	return NULL;
}

static void add_command_line(struct page *p, const char *name, const struct command *c)
{
	add(p, arena_printf(p->arena, "  %-14s", name));
	add_wrapped(p, c->summary, 16);
	add(p, "\n");
}

static void add_commands(struct page *p, const struct args_program *program, const char *group)
{
	struct strings topics = { 0 };

	for (const struct command *const *c = program->commands; *c; c++) {
		const char *topic = *group || !(*c)->topic ? "Commands" : (*c)->topic;

		if ((*c)->flags & COMMAND_HIDDEN || !name_in_group(p->arena, *c, group) || strings_has(&topics, topic))
			continue;
		strings_add(p->arena, &topics, topic);
	}
	for (size_t i = 0; i < topics.n; i++) {
		add(p, arena_printf(p->arena, "\n%s:\n", topics.v[i]));
		for (const struct command *const *c = program->commands; *c; c++) {
			const char *name = name_in_group(p->arena, *c, group);

			if (name && !((*c)->flags & COMMAND_HIDDEN) &&
			    strcmp(*group || !(*c)->topic ? "Commands" : (*c)->topic, topics.v[i]) == 0)
				add_command_line(p, name, *c);
		}
	}
}

static void add_program(struct page *p, const struct args *args)
{
	const struct args_program *program = args->program;

	add(p, arena_printf(p->arena, "%s\n\nUsage:\n  %s [options] COMMAND\n", program->summary, program->name));
	add_examples(p, program->examples);
	add_commands(p, program, "");
	add_options(p, program->options, true);
	add(p, arena_printf(p->arena, "\nSee '%s COMMAND --help' for one command and 'man %s' for all.\n", program->name,
			    args_page_name(p->arena, program, "")));
}

static void add_command(struct page *p, const struct args *args)
{
	const struct command *c = args->command;
	bool group = c->flags & COMMAND_GROUP;
	int left_out = 0;

	add(p, arena_printf(p->arena, "%s\n", c->summary));
	if (c->description) {
		add(p, "\nDescription:\n  ");
		add_wrapped(p, c->description, 2);
		add(p, "\n");
	}
	add(p, arena_printf(p->arena, "\nUsage:\n  %s %s%s%s\n", args->program->name, args->path,
			    group ? " COMMAND" : *c->synopsis ? " " : "", group ? "" : c->synopsis));
	add_aliases(p, args);
	add_examples(p, c->examples);
	if (group)
		add_commands(p, args->program, args->path);
	for (size_t i = 0; i < ELEMENTS(c->options); i++)
		left_out += add_options(p, c->options[i], args->help_all);
	if (left_out)
		add(p, arena_printf(p->arena, "\n%d more options: %s %s --help --all\n", left_out, args->program->name,
				    args->path));
}

int args_help(struct arena *arena, const struct args *args, int width, struct buffer *out)
{
	struct page p = { arena, out, width < 60 ? 60 : width > 120 ? 120 : width, false };

	if (args->command)
		add_command(&p, args);
	else
		add_program(&p, args);
	return p.failed ? -1 : 0;
}
