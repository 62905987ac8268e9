/* base/args_man - manual pages as scdoc sources, from the command tables */
#include <string.h>

#include "base/args.h"

struct source {
	struct arena *arena;
	struct buffer *out;
	bool failed;
};

static void add(struct source *s, const char *text)
{
	if (buffer_adds(s->out, text) < 0)
		s->failed = true;
}

/* scdoc gives meaning to these, and to a list's marks where a line begins; anything else is plain text. */
static const char *escape(struct arena *arena, const char *text)
{
	char *copy = arena_alloc(arena, strlen(text) * 2 + 1), *to = copy;
	bool begins = true;

	for (; *text; text++) {
		if (strchr("\\*_<>[]#~`|", *text) || (begins && strchr("-.", *text)))
			*to++ = '\\';
		*to++ = *text;
		begins = *text == '\n';
	}
	return copy;
}

static void add_option(struct source *s, const struct option *o)
{
	const char *value = o->value ? o->value : o->type == OPTION_INT ? "N" : "VALUE";

	if (o->letter)
		add(s, arena_printf(s->arena, "*-%c*", o->letter));
	if (o->name)
		add(s, arena_printf(s->arena, "%s*--%s*", o->letter ? ", " : "", o->name));
	if (option_takes_value(o))
		add(s, arena_printf(s->arena, " %s", escape(s->arena, value)));
	else if (o->type == OPTION_STRING)
		add(s, arena_printf(s->arena, "\\[=%s\\]", escape(s->arena, value)));
	else if (o->type == OPTION_BOOL_OFF)
		add(s, "=false");
	add(s, arena_printf(s->arena, "\n\t%s%s\n\n", escape(s->arena, o->help), str_ends(o->help, ".") ? "" : "."));
	/* Beginnings ("ns:", "seccomp=") and templates are hints for completion, not the whole choice. */
	if (o->words && !strpbrk(o->words, ":={")) {
		struct strings words = strings_split(s->arena, o->words, "|");

		add(s, arena_printf(s->arena, "\tOne of: %s.\n\n", escape(s->arena, strings_join(s->arena, &words, ", "))));
	}
}

static void add_options(struct source *s, const struct option *table)
{
	for (const struct option *o = table; o && o->type != OPTION_END; o++) {
		if (o->type == OPTION_GROUP)
			add(s, arena_printf(s->arena, "## %s\n\n", o->name));
		else if (!(o->flags & OPTION_HIDDEN) && o->type != OPTION_ALIAS && o->type != OPTION_IGNORED &&
			 o->type != OPTION_UNSUPPORTED)
			add_option(s, o);
	}
}

static void add_unsupported(struct source *s, const struct command *c)
{
	bool first = true;

	for (size_t i = 0; i < ELEMENTS(c->options); i++)
		for (const struct option *o = c->options[i]; o && o->type != OPTION_END; o++) {
			if (o->type != OPTION_UNSUPPORTED)
				continue;
			if (first)
				add(s, "# KNOWN BUT NOT SUPPORTED\n\n");
			first = false;
			add(s, arena_printf(s->arena, "*--%s*\n\t%s.\n\n", o->name, escape(s->arena, o->help)));
		}
}

static void add_command_options(struct source *s, const struct command *c)
{
	for (size_t i = 0; i < ELEMENTS(c->options); i++)
		add_options(s, c->options[i]);
	add(s, "*--help*\n\tPrint what the command does and its options (with *--all*, the rare ones too).\n\n");
}

static void add_members(struct source *s, const struct args_program *program, const char *group)
{
	const char *start = *group ? arena_printf(s->arena, "%s ", group) : "";
	size_t n;

	add(s, "# COMMANDS\n\n");
	for (const struct command *const *c = program->commands; *c; c++)
		for (const char *name = (*c)->flags & COMMAND_HIDDEN ? NULL : (*c)->names; name;
		     name = name[n] ? name + n + 1 : NULL) {
			const char *one;

			n = strcspn(name, "|");
			one = str_after(arena_strndup(s->arena, name, n), start);
			if (!one || strchr(one, ' '))
				continue;
			add(s, arena_printf(s->arena, "*%s*(1)\n\t%s.\n\n",
					    args_page_name(s->arena, program, command_name(s->arena, *c)),
					    escape(s->arena, (*c)->summary)));
			break;
		}
}

static void add_synopsis(struct source *s, const struct args_program *program, const struct command *c)
{
	struct strings names = strings_split(s->arena, c->names, "|");

	add(s, "# SYNOPSIS\n\n");
	for (size_t i = 0; i < names.n; i++)
		add(s, arena_printf(s->arena, "*%s %s* %s\n\n", program->name, names.v[i],
				    escape(s->arena, c->flags & COMMAND_GROUP ? "COMMAND" : c->synopsis)));
}

static void add_examples(struct source *s, const struct command_example *e)
{
	if (!e || !e->line)
		return;
	add(s, "# EXAMPLES\n\n");
	for (; e->line; e++)
		add(s, arena_printf(s->arena, "%s%s```\n$ %s\n```\n\n", e->what ? escape(s->arena, e->what) : "",
				    e->what ? ":\n\n" : "", e->line));
}

static void add_exit_status(struct source *s, const struct args_program *program, const struct command *c)
{
	add(s, "# EXIT STATUS\n\n");
	if (program->exit_status)
		add(s, arena_printf(s->arena, "%s\n\n", escape(s->arena, program->exit_status)));
	else if (c->flags & COMMAND_OBJECT_CODES)
		add(s, "0 on success; 1 when an object does not exist; 2 when one is in use or running; 125 for any other error.\n\n");
	else if (c->flags & COMMAND_STOP_AT_OPERAND)
		add(s, "The command's own; 125 when bryo itself fails; 126 when the command cannot be executed; 127 when it does not "
		       "exist; 128 + N when signal N ended it.\n\n");
	else
		add(s, "0 on success, 125 for an error.\n\n");
}

static void add_header(struct source *s, const struct args_program *program, const char *path, const char *summary)
{
	const char *name = args_page_name(s->arena, program, path);

	add(s, arena_printf(s->arena, "%s(1)\n\n# NAME\n\n%s - %s\n\n", name, name, escape(s->arena, summary)));
}

static void add_page(struct source *s, const struct args_program *program, const struct command *c)
{
	const char *name = command_name(s->arena, c);

	add_header(s, program, name, c->summary);
	add_synopsis(s, program, c);
	add(s, arena_printf(s->arena, "# DESCRIPTION\n\n%s%s\n\n", escape(s->arena, c->description ? c->description : c->summary),
			    c->description ? "" : "."));
	if (c->flags & COMMAND_GROUP)
		add_members(s, program, name);
	add(s, "# OPTIONS\n\n");
	add_command_options(s, c);
	add_unsupported(s, c);
	add_examples(s, c->examples);
	add_exit_status(s, program, c);
	add(s, arena_printf(s->arena, "# SEE ALSO\n\n*%s*(1)\n", args_page_name(s->arena, program, "")));
}

/* The hand-written page: lines "@OPTIONS@", "@COMMANDS@", "@UNSUPPORTED@", "@EXAMPLES@" are replaced. */
static void add_prose(struct source *s, const struct args_program *program, const struct command *c, const char *prose)
{
	while (*prose) {
		size_t n = strcspn(prose, "\n");
		const char *line = arena_strndup(s->arena, prose, n);

		if (strcmp(line, "@OPTIONS@") == 0 && c)
			add_command_options(s, c);
		else if (strcmp(line, "@OPTIONS@") == 0)
			add_options(s, program->options);
		else if (strcmp(line, "@UNSUPPORTED@") == 0 && c)
			add_unsupported(s, c);
		else if (strcmp(line, "@EXAMPLES@") == 0)
			add_examples(s, c ? c->examples : program->examples);
		else if (strcmp(line, "@COMMANDS@") == 0)
			add_members(s, program, c ? command_name(s->arena, c) : "");
		else
			add(s, arena_printf(s->arena, "%s\n", line));
		prose += n + (prose[n] == '\n');
	}
}

const char *args_page_name(struct arena *arena, const struct args_program *program, const char *path)
{
	char *name = arena_printf(arena, "%s%s%s", program->name, *path ? "-" : "", path);

	for (char *c = name; *c; c++)
		if (*c == ' ')
			*c = '-';
	return name;
}

int args_man(struct arena *arena, const struct args_program *program, const struct command *c, const char *prose,
	     struct buffer *out)
{
	struct source s = { arena, out, false };

	if (prose) {
		add_prose(&s, program, c, prose);
	} else if (c) {
		add_page(&s, program, c);
	} else {
		add_header(&s, program, "", program->summary);
		add_members(&s, program, "");
		add(&s, "# OPTIONS\n\n");
		add_options(&s, program->options);
		add_examples(&s, program->examples);
	}
	return s.failed ? -1 : 0;
}
