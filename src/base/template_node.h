/* base/template_node - a parsed template, shared by the parts of base/template */
#ifndef BRYO_BASE_TEMPLATE_NODE_H
#define BRYO_BASE_TEMPLATE_NODE_H

#include "base/template.h"

struct template_pipe;

enum template_term_kind { TERM_DOT, TERM_VARIABLE, TERM_LITERAL, TERM_FUNCTION, TERM_PIPE };

/* One operand: what it starts with, and the members that are taken from it (".A.B", "$x.A", "(index .A 0).B"). */
struct template_term {
	enum template_term_kind kind;
	const char *name;		/* variable with its $, or function */
	const struct json *literal;
	struct template_pipe *pipe;
	struct strings fields;
	size_t at, len;			/* where it stands in the text */
};

struct template_command { ARRAY(struct template_term) terms; };

struct template_pipe {
	size_t at;
	struct strings variables;	/* $a, $b := */
	bool assigns;			/* "=" instead of ":=" */
	ARRAY(struct template_command) commands;
};

enum template_node_kind { NODE_TEXT, NODE_ACTION, NODE_IF, NODE_WITH, NODE_RANGE, NODE_BREAK, NODE_CONTINUE };

struct template_node;
struct template_list { struct template_node *v; size_t n; };

struct template_node {
	enum template_node_kind kind;
	size_t at;
	const char *text;		/* NODE_TEXT */
	struct template_pipe *pipe;
	struct template_list body, otherwise;
};

struct template {
	const char *text;
	struct template_list nodes;
};

/* Sets "template: LINE:COLUMN: ..." for an offset in the text; answers -1. */
int template_error(struct error *err, const char *text, size_t at, const char *fmt, ...) ERROR_PRINTF(4, 5);

/* --- values and functions */
struct template_call {
	struct arena *arena;
	const char *text;		/* of the template, for messages */
	size_t at;
	struct error *err;
};

/* What a member that a map does not have gives: prints as "<no value>". */
extern const struct json template_no_value;

bool template_is_true(const struct json *value);
#define TEMPLATE_RESULT_MAX ((size_t)1 << 20)	/* of one function */
/* A function's text as a value; an error when it did not fit. */
const struct json *template_text(const struct template_call *c, const struct buffer *b);
/* Go's %v. */
void template_format(struct buffer *out, const struct json *value);
/* The member: exact name, then without regard to case, then also without underscores; NULL when there is none. */
const struct json *template_member(const struct json *object, const char *name);
/* The members in the order of their names, as Go walks maps. */
struct json_member *template_sorted(struct arena *arena, const struct json *object);

struct template_function {
	const char *name;
	size_t min, max;		/* arguments */
	const struct json *(*call)(const struct template_call *c, const struct json *const *args, size_t n);
};
const struct template_function *template_function(const char *name);
const struct json *template_printf(const struct template_call *c, const struct json *const *args, size_t n);

#endif
