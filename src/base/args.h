/* base/args - commands and options as data
 *
 * A command is a table entry, an option is a table entry that names the field of the request it fills. Everything
 * users meet on a command line comes from these tables: parsing, --help, did-you-mean, completion (args_complete.c)
 * and the option part of the man pages (args_man.c). The rules of parsing are those of Podman's and Docker's: --opt=value,
 * --opt value, -abc, -ovalue, --, --x=false and --no-x for booleans. Nothing here prints. */
#ifndef BRYO_BASE_ARGS_H
#define BRYO_BASE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/string.h"

enum option_type {
	OPTION_END = 0,
	OPTION_GROUP,		/* a heading of --help; `name` is its text */
	OPTION_BOOL,		/* bool; "--x", "--x=false", "--no-x" */
	OPTION_BOOL_OFF,	/* bool whose field says the opposite: "--x=false" sets it */
	OPTION_STRING,		/* char *: the last one wins */
	OPTION_STRINGS,		/* struct strings: each occurrence is one element */
	OPTION_LIST,		/* struct strings: each occurrence is a comma-separated list */
	OPTION_INT,		/* int64_t */
	OPTION_ALIAS,		/* another spelling of the option named by `value` */
	OPTION_IGNORED,		/* accepted without effect; takes a value when `value` is not NULL */
	OPTION_UNSUPPORTED,	/* known from Podman or Docker; `help` says why it is not offered */
};

enum option_flag {
	OPTION_HIDDEN = 1,	/* works, but is not shown */
	OPTION_RARE = 2,	/* shown by --help --all and in the man page */
};

/* What completes an operand or an option's value. */
enum completion {
	COMPLETE_NOTHING = 0,
	COMPLETE_FILES,
	COMPLETE_DIRECTORIES,
	COMPLETE_WORDS,			/* one of the option's `words` */
	COMPLETE_CONTAINERS,
	COMPLETE_CONTAINERS_RUNNING,
	COMPLETE_CONTAINERS_PAUSED,
	COMPLETE_CONTAINERS_STOPPED,	/* created or exited */
	COMPLETE_CONTAINER_PATHS,	/* CONTAINER:PATH or a file */
	COMPLETE_IMAGES,
	COMPLETE_VOLUMES,
	COMPLETE_VOLUMES_OR_DIRECTORIES,
	COMPLETE_NETWORKS,
	COMPLETE_NETWORK_MODES,		/* networks, and what --network takes else */
	COMPLETE_OBJECTS,		/* containers, images, volumes, networks */
	COMPLETE_SIGNALS,
	COMPLETE_ENVIRONMENT,		/* names of the caller's variables */
	COMPLETE_COMMANDS,		/* of bryo */
	COMPLETE_PROGRAMS,		/* of the host: left to the shell */
};

struct option {
	const char *name;		/* long, without dashes; NULL: only the letter */
	char letter;
	enum option_type type;
	size_t offset;			/* in the request */
	const char *value;		/* what --help calls the value, "SRC:DST[:OPTS]" */
	const char *help;
	const char *implied;		/* OPTION_STRING: the value when none is given (then only --x=value gives one) */
	const char *words;		/* "always|missing|never": the values completion offers */
	enum completion complete;
	unsigned flags;
};

#define OPT_FIELD_(kind, c, long_name, structure, member, value_name, help_text, ...)                        \
	{ .name = (long_name), .letter = (c), .type = (kind), .offset = offsetof(struct structure, member), \
	  .value = (value_name), .help = (help_text), ##__VA_ARGS__ }
#define OPT_GROUP(title) { .type = OPTION_GROUP, .name = (title) }
#define OPT_FLAG(c, name, structure, member, help, ...) \
	OPT_FIELD_(OPTION_BOOL, c, name, structure, member, NULL, help, ##__VA_ARGS__)
#define OPT_FLAG_OFF(c, name, structure, member, help, ...) \
	OPT_FIELD_(OPTION_BOOL_OFF, c, name, structure, member, NULL, help, ##__VA_ARGS__)
#define OPT_STRING(c, name, structure, member, value, help, ...) \
	OPT_FIELD_(OPTION_STRING, c, name, structure, member, value, help, ##__VA_ARGS__)
#define OPT_STRINGS(c, name, structure, member, value, help, ...) \
	OPT_FIELD_(OPTION_STRINGS, c, name, structure, member, value, help, ##__VA_ARGS__)
#define OPT_LIST(c, name, structure, member, value, help, ...) \
	OPT_FIELD_(OPTION_LIST, c, name, structure, member, value, help, ##__VA_ARGS__)
#define OPT_INT(c, name, structure, member, value, help, ...) \
	OPT_FIELD_(OPTION_INT, c, name, structure, member, value, help, ##__VA_ARGS__)
#define OPT_ALIAS(c, long_name, real_name) { .type = OPTION_ALIAS, .letter = (c), .name = (long_name), .value = (real_name) }
#define OPT_IGNORED(c, long_name, value_name) \
	{ .type = OPTION_IGNORED, .letter = (c), .name = (long_name), .value = (value_name), .flags = OPTION_HIDDEN }
#define OPT_UNSUPPORTED(long_name, reason) { .type = OPTION_UNSUPPORTED, .name = (long_name), .help = (reason) }
#define OPT_END { .type = OPTION_END }

enum command_flag {
	COMMAND_GROUP = 1,		/* only holds others: "container" */
	COMMAND_HIDDEN = 2,		/* internal */
	COMMAND_STOP_AT_OPERAND = 4,	/* what follows the first operand belongs to the container's command */
	COMMAND_RAW = 8,		/* all arguments are operands, even --help */
	COMMAND_OBJECT_CODES = 16,	/* exits 1 for a missing object and 2 for one in use, not 125 */
	COMMAND_ENTERS = 32,		/* makes processes in containers */
};

#define COMMAND_ANY_NUMBER (-1)

struct args;
struct cli;			/* what a command runs with; known to cli/ alone */

struct command_example { const char *line, *what; };

struct command {
	const char *names;		/* "ps|container ls|container ps": the canonical one first */
	const char *synopsis;		/* "[options] IMAGE [COMMAND [ARG...]]" */
	const char *summary;		/* one line */
	const char *description;	/* paragraphs; NULL: the summary */
	const struct command_example *examples;	/* ends with a NULL line */
	const struct option *options[3];
	size_t request_size;
	int operands_min, operands_max;	/* COMMAND_ANY_NUMBER */
	const char *operands_missing;	/* the error for too few; NULL: counted */
	enum completion complete, complete_rest;	/* the first operand, the others */
	unsigned flags;
	const char *topic;		/* heading in the list of commands */
	/* The exit code, or -1 with err. */
	int (*run)(struct cli *cli, const struct args *args, struct error *err);
};

struct args_program {
	const char *name;				/* "bryo" */
	const char *summary;
	const struct command *const *commands;		/* ends with NULL */
	const struct option *options;			/* global; accepted before and after the command */
	size_t request_size;
	const struct command_example *examples;
	const char *exit_status;			/* a paragraph for manual pages; NULL: by the commands' flags */
};

struct args {				/* one parsed command line */
	const struct args_program *program;
	const struct command *command;	/* NULL: global options only */
	const char *path;		/* as typed: "container ls" */
	void *globals, *request;
	struct strings operands;
	struct strings words;		/* all behind the command, as they were typed */
	struct strings given;		/* long names of the options that were used */
	bool help, help_all;
};

/* Answers -1 with ERROR_USAGE in Podman's words. argv[0] is not looked at. */
int args_parse(struct arena *arena, const struct args_program *program, int argc, char *const *argv, struct args *ret,
	       struct error *err);

/* For options whose zero means something: was it on the command line? */
bool args_was_given(const struct args *args, const char *long_name);

/* The command that the words name; *ret_used words were taken, *ret_path is "container ls". NULL when there is none;
 * then *ret_used counts the group words that were understood. */
const struct command *args_find_command(struct arena *arena, const struct args_program *program, int n,
					char *const *words, int *ret_used, const char **ret_path);
bool command_has_name(const struct command *c, const char *path);
const char *command_name(struct arena *arena, const struct command *c);	/* the canonical one */
/* The option by its long name in the command's tables and then the global ones; aliases are resolved by the parser. */
const struct option *args_find_option(const struct args_program *program, const struct command *c, const char *name,
				      size_t n);
const struct option *args_find_letter(const struct args_program *program, const struct command *c, char letter);
/* The option that an OPTION_ALIAS stands for, or the option itself. */
const struct option *args_resolve(const struct args_program *program, const struct command *c, const struct option *o);
bool option_takes_value(const struct option *o);	/* in the next word when it has no "=" */

/* What --help prints for a command (or with NULL for the program), cut to width columns. */
int args_help(struct arena *arena, const struct args *args, int width, struct buffer *out);

/* "bryo-container-ls": of a program's (path "") or command's manual page. */
const char *args_page_name(struct arena *arena, const struct args_program *program, const char *path);
/* An scdoc source: the whole page of a command, or with `prose` that text with its line "@OPTIONS@" replaced. */
int args_man(struct arena *arena, const struct args_program *program, const struct command *c, const char *prose,
	     struct buffer *out);

/* What stands at the last word of a command line that is being typed (argv[0] left out). */
struct args_completion {
	const struct command *command;	/* NULL: a command or global option is expected */
	const char *path;		/* group words so far, "" or "container" */
	const char *word;		/* being typed; for --opt=VALUE the VALUE */
	const char *prefix;		/* "--opt=" to be put before candidates, or "" */
	enum completion kind;
	const struct option *option;	/* whose value is expected */
	bool options;			/* option names are candidates */
};
void args_complete(struct arena *arena, const struct args_program *program, int n, char *const *words,
		   struct args_completion *ret);
/* Candidates known from the tables (commands, options, words), as "candidate\tdescription". */
void args_complete_static(struct arena *arena, const struct args_program *program, const struct args_completion *c,
			  struct strings *ret);

#endif
