#include <ctype.h>
#include <stdio.h>

#include "base/template_node.h"

#define DEPTH_MAX 64
#define TEXT_MAX ((size_t)256 << 10)

struct parser {
	struct arena *arena;
	const char *text, *at;
	int depth;
	bool in_range;
	struct error *err;
};

int template_error(struct error *err, const char *text, size_t at, const char *fmt, ...)
{
	size_t line = 1, column = 1;
	char what[600];
	va_list ap;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	for (char *p = what; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return error_set(err, ERROR_USAGE, "template: %zu:%zu: %s", line, column, what);
}

static int refuse_at(struct parser *p, const char *at, const char *what)
{
	return template_error(p->err, p->text, (size_t)(at - p->text), "%s", what);
}

static int refuse(struct parser *p, const char *what)
{
	return refuse_at(p, p->at, what);
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

/* "}}", or " -}}" which also eats the blanks of the text that follows. */
static bool at_end(const struct parser *p)
{
	return str_starts(p->at, "}}") || (str_starts(p->at, "-}}") && p->at > p->text && strchr(" \t\r\n", p->at[-1]));
}

static int close_action(struct parser *p)
{
	skip_blanks(p);
	if (!at_end(p))
		return refuse(p, *p->at ? "unexpected text in an action" : "unclosed action");
	if (*p->at == '-') {
		p->at += 3;
		skip_blanks(p);
	} else {
		p->at += 2;
	}
	return 0;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static const char *take_name(struct parser *p)
{
	const char *start = p->at;

	while (is_name(*p->at))
		p->at++;
	return arena_strndup(p->arena, start, (size_t)(p->at - start));
}

static int escape(struct parser *p, struct buffer *out)
{
	static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
	const char *known = *p->at ? strchr(from, *p->at) : NULL;
	int value = 0;
	char c;

	if (known) {
		c = to[known - from];
		p->at++;
	} else if (*p->at == 'x' && isxdigit((unsigned char)p->at[1]) && isxdigit((unsigned char)p->at[2])) {
		sscanf(p->at + 1, "%2x", (unsigned *)&value);
		c = (char)value;
		p->at += 3;
	} else {
		return refuse(p, "unknown escape in a string");
	}
	buffer_add(out, &c, 1);
	return 0;
}

static int quoted(struct parser *p, char quote, const char **ret)
{
	_cleanup_buffer_ struct buffer out = BUFFER(TEXT_MAX);
	const char *start = p->at++;

	while (*p->at != quote) {
		if (!*p->at || (*p->at == '\n' && quote != '`'))
			return refuse_at(p, start, "unterminated quoted string");
		if (*p->at == '\\' && quote != '`') {
			p->at++;
			if (escape(p, &out) < 0)
				return -1;
			continue;
		}
		buffer_add(&out, p->at++, 1);
	}
	p->at++;
	*ret = arena_memdup(p->arena, out.data, out.size);
	return 0;
}

static int number(struct parser *p, struct template_term *term)
{
	const char *start = p->at;
	struct json *value;

	p->at += *p->at == '+';
	start = p->at;
	p->at += *p->at == '-';
	while (is_name(*p->at) || *p->at == '.' || ((*p->at == '-' || *p->at == '+') && tolower(p->at[-1]) == 'e'))
		p->at++;
	value = json_parse(p->arena, start, (size_t)(p->at - start), "number", NULL);
	if (!value || (value->kind != JSON_INT && value->kind != JSON_UINT && value->kind != JSON_DOUBLE))
		return refuse_at(p, start, "bad number");
	term->kind = TERM_LITERAL;
	term->literal = value;
	return 0;
}

static void word(struct parser *p, struct template_term *term)
{
	const char *name = take_name(p);

	term->kind = TERM_LITERAL;
	if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0) {
		term->literal = json_new_bool(p->arena, *name == 't');
	} else if (strcmp(name, "nil") == 0) {
		term->literal = json_new_null(p->arena);
	} else {
		term->kind = TERM_FUNCTION;
		term->name = name;
	}
}

static struct template_pipe *pipe_of(struct parser *p, bool in_parentheses);

static int parenthesized(struct parser *p, struct template_term *term)
{
	p->at++;
	if (p->depth == DEPTH_MAX)
		return refuse(p, "nested too deeply");
	p->depth++;
	term->kind = TERM_PIPE;
	term->pipe = pipe_of(p, true);
	p->depth--;
	if (!term->pipe)
		return -1;
	p->at++;		/* pipe_of stops at ')' only */
	return 0;
}

static int fields(struct parser *p, struct template_term *term)
{
	while (*p->at == '.') {
		p->at++;
		if (!is_name(*p->at) || isdigit((unsigned char)*p->at))
			return refuse(p, "expected a field name");
		strings_add(p->arena, &term->fields, take_name(p));
	}
	return 0;
}

static int first_part(struct parser *p, struct template_term *term)
{
	const char *s = "";
	char c = *p->at;

	if (c == '"' || c == '`' || c == '\'') {
		term->kind = TERM_LITERAL;
		if (quoted(p, c, &s) < 0)
			return -1;
		term->literal = json_new_string(p->arena, s);
		return 0;
	}
	if (c == '.') {
		term->kind = TERM_DOT;
		if (!is_name(p->at[1]))
			p->at++;		/* the dot itself */
		return 0;
	}
	if (c == '$') {
		term->kind = TERM_VARIABLE;
		p->at++;
		term->name = arena_printf(p->arena, "$%s", take_name(p));
		return 0;
	}
	if (c == '(')
		return parenthesized(p, term);
	if (isdigit((unsigned char)c) || ((c == '-' || c == '+') && isdigit((unsigned char)p->at[1])))
		return number(p, term);
	if (!is_name(c))
		return refuse(p, c ? "unexpected character in an action" : "unclosed action");
	word(p, term);
	return 0;
}

static int term_of(struct parser *p, struct template_term *term)
{
	const char *start = p->at;

	term->at = (size_t)(start - p->text);
	if (first_part(p, term) < 0)
		return -1;
	if (term->kind == TERM_FUNCTION && !template_function(term->name) && strcmp(term->name, "and") != 0 &&
	    strcmp(term->name, "or") != 0)
		return refuse_at(p, start, arena_printf(p->arena, "function \"%.60s\" not defined", term->name));
	if (*p->at == '.' && term->kind == TERM_DOT && p->at > start)
		return refuse(p, "expected a field name");
	if (*p->at == '.' && (term->kind == TERM_FUNCTION || term->kind == TERM_LITERAL))
		return refuse(p, "unexpected \".\" after a word");
	if (fields(p, term) < 0)
		return -1;
	term->len = (size_t)(p->at - start);
	if (*p->at && !strchr(" \t\r\n()|,=}:", *p->at))
		return refuse(p, "unexpected character in an action");
	return 0;
}

static int command_of(struct parser *p, struct template_command *command, bool in_parentheses)
{
	for (;;) {
		skip_blanks(p);
		if (at_end(p) || *p->at == '|' || *p->at == ')')
			break;
		if (term_of(p, ARRAY_ADD(p->arena, &command->terms)) < 0)
			return -1;
	}
	if (command->terms.n == 0)
		return refuse(p, "missing value for a command");
	if (*p->at == ')' && !in_parentheses)
		return refuse(p, "unexpected right parenthesis");
	if (*p->at != ')' && *p->at != '|' && in_parentheses)
		return refuse(p, "unclosed left parenthesis");
	return 0;
}

/* "$a :=", "$a, $b :=", "$a =". Leaves the place alone when the pipe starts with another thing. */
static int declaration(struct parser *p, struct template_pipe *pipe)
{
	const char *start = p->at;
	struct strings names = { 0 };

	while (*p->at == '$' && names.n < 2) {
		p->at++;
		strings_add(p->arena, &names, arena_printf(p->arena, "$%s", take_name(p)));
		skip_blanks(p);
		if (*p->at != ',')
			break;
		p->at++;
		skip_blanks(p);
	}
	if (names.n && (str_starts(p->at, ":=") || (*p->at == '=' && names.n == 1))) {
		pipe->assigns = *p->at == '=';
		pipe->variables = names;
		p->at += pipe->assigns ? 1 : 2;
		return 0;
	}
	if (names.n == 2)
		return refuse(p, "expected :=");
	p->at = start;
	return 0;
}

static struct template_pipe *pipe_of(struct parser *p, bool in_parentheses)
{
	struct template_pipe *pipe = arena_new_one(p->arena, struct template_pipe);

	skip_blanks(p);
	pipe->at = (size_t)(p->at - p->text);
	if (declaration(p, pipe) < 0)
		return NULL;
	for (;;) {
		if (command_of(p, ARRAY_ADD(p->arena, &pipe->commands), in_parentheses) < 0)
			return NULL;
		if (*p->at != '|')
			return pipe;
		p->at++;
	}
}

/* --- text and control structures */

enum stop { STOP_TEXT_END, STOP_END, STOP_ELSE };

static int list_of(struct parser *p, struct template_list *list, enum stop *ret_stop);

/* Text up to the next action; answers whether there is one. The two escapes that people write in shells' quotes are understood. */
static bool text_of(struct parser *p, struct template_list *list)
{
	const char *open = strstr(p->at, "{{");
	size_t n = open ? (size_t)(open - p->at) : strlen(p->at);
	bool trim = open && open[2] == '-' && open[3] && strchr(" \t\r\n", open[3]);
	struct template_node *node;
	char *out;

	if (trim)
		while (n && strchr(" \t\r\n", p->at[n - 1]))
			n--;
	if (n) {
		node = ARRAY_ADD(p->arena, list);
		node->kind = NODE_TEXT;
		node->text = out = arena_alloc(p->arena, n + 1);
		for (const char *s = p->at; s < p->at + n; s++)
			if (*s == '\\' && s + 1 < p->at + n && (s[1] == 'n' || s[1] == 't'))
				*out++ = *++s == 'n' ? '\n' : '\t';
			else
				*out++ = *s;
	}
	p->at = open ? open + 2 + (trim ? 2 : 0) : p->at + strlen(p->at);
	return open != NULL;
}

static int comment(struct parser *p)
{
	const char *end = strstr(p->at, "*/");

	if (!end)
		return refuse(p, "unclosed comment");
	p->at = end + 2;
	return close_action(p);
}

static bool keyword(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	if (!str_starts(p->at, word) || is_name(p->at[n]))
		return false;
	p->at += n;
	return true;
}

static int control(struct parser *p, struct template_node *node);

/* "else", "else if X", "else with X" up to the structure's end. */
static int otherwise(struct parser *p, struct template_node *node)
{
	struct template_node *next;
	enum stop stop;

	skip_blanks(p);
	if (str_starts(p->at, "if ") || str_starts(p->at, "with ")) {
		next = ARRAY_ADD(p->arena, &node->otherwise);
		next->at = (size_t)(p->at - p->text);
		next->kind = keyword(p, "if") ? NODE_IF : NODE_WITH;
		if (next->kind == NODE_WITH)
			keyword(p, "with");
		return control(p, next);
	}
	if (close_action(p) < 0 || list_of(p, &node->otherwise, &stop) < 0)
		return -1;
	return stop == STOP_END ? 0 : refuse(p, stop == STOP_ELSE ? "unexpected {{else}}" : "missing {{end}}");
}

/* After the word if, with or range. */
static int control(struct parser *p, struct template_node *node)
{
	bool outer = p->in_range;
	enum stop stop;
	int r;

	if (p->depth == DEPTH_MAX)
		return refuse(p, "nested too deeply");
	node->pipe = pipe_of(p, false);
	if (!node->pipe || close_action(p) < 0)
		return -1;
	p->depth++;
	p->in_range = p->in_range || node->kind == NODE_RANGE;
	r = list_of(p, &node->body, &stop);
	p->in_range = outer;
	if (r == 0 && stop == STOP_ELSE)
		r = otherwise(p, node);
	else if (r == 0 && stop != STOP_END)
		r = refuse(p, "missing {{end}}");
	p->depth--;
	return r;
}

static int jump(struct parser *p, struct template_list *list, enum template_node_kind kind)
{
	struct template_node *node = ARRAY_ADD(p->arena, list);

	node->kind = kind;
	if (!p->in_range)
		return refuse(p, "{{break}} and {{continue}} belong in {{range}}");
	return close_action(p);
}

static int action(struct parser *p, struct template_list *list)
{
	struct template_node *node;
	const char *start = p->at;

	if (keyword(p, "break"))
		return jump(p, list, NODE_BREAK);
	if (keyword(p, "continue"))
		return jump(p, list, NODE_CONTINUE);
	if (keyword(p, "define") || keyword(p, "template") || keyword(p, "block"))
		return refuse_at(p, start, "define, template and block are not supported");
	node = ARRAY_ADD(p->arena, list);
	node->at = (size_t)(start - p->text);
	node->kind = keyword(p, "if") ? NODE_IF : keyword(p, "with") ? NODE_WITH : keyword(p, "range") ? NODE_RANGE : NODE_ACTION;
	if (node->kind != NODE_ACTION)
		return control(p, node);
	node->pipe = pipe_of(p, false);
	return node->pipe ? close_action(p) : -1;
}

static int list_of(struct parser *p, struct template_list *list, enum stop *ret_stop)
{
	for (;;) {
		if (!text_of(p, list)) {
			*ret_stop = STOP_TEXT_END;
			return 0;
		}
		if (str_starts(p->at, "/*")) {
			if (comment(p) < 0)
				return -1;
			continue;
		}
		skip_blanks(p);
		if (keyword(p, "end")) {
			*ret_stop = STOP_END;
			return close_action(p);
		}
		if (keyword(p, "else")) {
			*ret_stop = STOP_ELSE;
			return 0;		/* the caller reads on: "else if" */
		}
		if (action(p, list) < 0)
			return -1;
	}
}

struct template *template_parse(struct arena *arena, const char *text, struct error *err)
{
	struct parser p = { .arena = arena, .text = text, .at = text, .err = err };
	struct template *t = arena_new_one(arena, struct template);
	enum stop stop;

	if (strlen(text) > TEXT_MAX) {
		error_set(err, ERROR_USAGE, "template: longer than %zu bytes", TEXT_MAX);
		return NULL;
	}
	t->text = p.text = p.at = arena_strdup(arena, text);
	if (list_of(&p, &t->nodes, &stop) < 0)
		return NULL;
	if (stop != STOP_TEXT_END) {
		refuse(&p, stop == STOP_END ? "unexpected {{end}}" : "unexpected {{else}}");
		return NULL;
	}
	return t;
}
