#include "base/template_node.h"

#define STEPS_MAX 500000	/* nested ranges over large lists end here instead of never */
#define ARGUMENTS_MAX 64

struct variable { const char *name; const struct json *value; };

struct run {
	struct arena *arena;
	const struct template *t;
	const struct json *root;
	ARRAY(struct variable) variables;
	size_t steps;
	struct buffer *out;
	struct error *err;
};

enum flow { FLOW_ERROR = -1, FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

static int refuse(struct run *r, size_t at, const char *what)
{
	return template_error(r->err, r->t->text, at, "%s", what);
}

static const struct json *evaluate(struct run *r, const struct template_pipe *pipe, const struct json *dot);

/* A map of strings (labels, annotations, options) may lack any key; all else is a structure, whose names are fixed. */
static bool is_map(const struct json *object)
{
	for (size_t i = 0; i < object->object.n; i++)
		if (object->object.v[i].value->kind != JSON_STRING)
			return false;
	return true;
}

static const struct json *field(struct run *r, const struct template_term *term, const struct json *value, const char *name)
{
	const struct json *member;

	if (value->kind == JSON_NULL)
		return &template_no_value;
	member = template_member(value, name);
	if (member)
		return member;
	if (value->kind == JSON_OBJECT && value != r->root && is_map(value))
		return &template_no_value;
	template_error(r->err, r->t->text, term->at, "at <%.*s>: can't evaluate field %s%s%s", (int)term->len,
		       r->t->text + term->at, name, value->kind == JSON_OBJECT ? "" : " in type ",
		       value->kind == JSON_OBJECT ? "" : json_kind_name(value));
	return NULL;
}

static const struct json *variable(struct run *r, const struct template_term *term)
{
	if (strcmp(term->name, "$") == 0)
		return r->root;
	for (size_t i = r->variables.n; i-- > 0;)
		if (strcmp(r->variables.v[i].name, term->name) == 0)
			return r->variables.v[i].value;
	template_error(r->err, r->t->text, term->at, "undefined variable \"%s\"", term->name);
	return NULL;
}

static const struct json *call(struct run *r, const struct template_command *command, const struct json *dot,
			       const struct json *piped);

static const struct json *term_value(struct run *r, const struct template_term *term, const struct json *dot)
{
	const struct json *value = NULL;

	switch (term->kind) {
	case TERM_DOT:
		value = dot;
		break;
	case TERM_VARIABLE:
		value = variable(r, term);
		break;
	case TERM_LITERAL:
		value = term->literal;
		break;
	case TERM_PIPE:
		value = evaluate(r, term->pipe, dot);
		break;
	case TERM_FUNCTION: {		/* as an argument: called without any of its own */
		struct template_command alone = { { (struct template_term *)term, 1 } };

		value = call(r, &alone, dot, NULL);
		break;
	}
	}
	for (size_t i = 0; value && i < term->fields.n; i++)
		value = field(r, term, value, term->fields.v[i]);
	return value;
}

/* The first argument that decides, without evaluating the others. */
static const struct json *and_or(struct run *r, const struct template_command *command, const struct json *dot,
				 const struct json *piped)
{
	bool stop_at = strcmp(command->terms.v[0].name, "or") == 0;
	const struct json *value = NULL;

	for (size_t i = 1; i < command->terms.n; i++) {
		value = term_value(r, &command->terms.v[i], dot);
		if (!value || template_is_true(value) == stop_at)
			return value;
	}
	if (!piped && !value)
		refuse(r, command->terms.v[0].at, "wrong number of arguments for and, or: want at least 1, got 0");
	return piped ? piped : value;
}

static const struct json *call(struct run *r, const struct template_command *command, const struct json *dot,
			       const struct json *piped)
{
	const struct template_term *name = &command->terms.v[0];
	const struct template_function *function = template_function(name->name);
	const struct template_call c = { r->arena, r->t->text, name->at, r->err };
	const struct json *args[ARGUMENTS_MAX];
	size_t n = 0;

	if (!function)
		return and_or(r, command, dot, piped);
	if (command->terms.n - 1 + (piped != NULL) > function->max || command->terms.n - 1 + (piped != NULL) < function->min) {
		template_error(r->err, r->t->text, name->at, "wrong number of arguments for %s: want %s%zu, got %zu", name->name,
			       function->max > function->min ? "at least " : "", function->min,
			       command->terms.n - 1 + (piped != NULL));
		return NULL;
	}
	for (size_t i = 1; i < command->terms.n; i++) {
		args[n] = term_value(r, &command->terms.v[i], dot);
		if (!args[n++])
			return NULL;
	}
	if (piped)
		args[n++] = piped;
	return function->call(&c, args, n);
}

static const struct json *evaluate(struct run *r, const struct template_pipe *pipe, const struct json *dot)
{
	const struct json *value = NULL;

	if (++r->steps > STEPS_MAX) {
		refuse(r, pipe->at, "takes too many steps");
		return NULL;
	}
	for (size_t i = 0; i < pipe->commands.n; i++) {
		const struct template_command *command = &pipe->commands.v[i];
		const struct template_term *first = &command->terms.v[0];

		if (first->kind == TERM_FUNCTION) {
			value = call(r, command, dot, value);
		} else if (value || command->terms.n > 1) {
			refuse(r, first->at, "can't give argument to non-function");
			return NULL;
		} else {
			value = term_value(r, first, dot);
		}
		if (!value)
			return NULL;
	}
	return value;
}

static void declare(struct run *r, const char *name, const struct json *value)
{
	struct variable *v = ARRAY_ADD(r->arena, &r->variables);

	v->name = name;
	v->value = value;
}

static int assign(struct run *r, const struct template_pipe *pipe, const struct json *value)
{
	for (size_t i = r->variables.n; i-- > 0;)
		if (strcmp(r->variables.v[i].name, pipe->variables.v[0]) == 0) {
			r->variables.v[i].value = value;
			return 0;
		}
	return template_error(r->err, r->t->text, pipe->at, "undefined variable \"%s\"", pipe->variables.v[0]);
}

/* Evaluates a pipe that is no range's, and sets its variable. */
static const struct json *evaluate_and_set(struct run *r, const struct template_pipe *pipe, const struct json *dot)
{
	const struct json *value = evaluate(r, pipe, dot);

	if (!value || pipe->variables.n == 0)
		return value;
	if (pipe->variables.n > 1) {
		refuse(r, pipe->at, "two variables belong in {{range}}");
		return NULL;
	}
	if (pipe->assigns)
		return assign(r, pipe, value) < 0 ? NULL : value;
	declare(r, pipe->variables.v[0], value);
	return value;
}

static enum flow run_list(struct run *r, const struct template_list *list, const struct json *dot);

static enum flow run_element(struct run *r, const struct template_node *node, const struct json *key, const struct json *element)
{
	const struct strings *names = &node->pipe->variables;
	size_t mark = r->variables.n;
	enum flow flow;

	if (names->n == 2)
		declare(r, names->v[0], key);
	if (names->n >= 1)
		declare(r, names->v[names->n - 1], element);
	flow = run_list(r, &node->body, element);
	r->variables.n = mark;
	return flow;
}

static enum flow range_object(struct run *r, const struct template_node *node, const struct json *object)
{
	const struct json_member *members = template_sorted(r->arena, object);
	enum flow flow = FLOW_ON;

	for (size_t i = 0; i < object->object.n && (flow == FLOW_ON || flow == FLOW_CONTINUE); i++)
		flow = run_element(r, node, json_new_string(r->arena, members[i].name), members[i].value);
	return flow;
}

static enum flow range(struct run *r, const struct template_node *node, const struct json *dot)
{
	const struct json *value = evaluate(r, node->pipe, dot);
	enum flow flow = FLOW_ON;
	size_t n;

	if (!value)
		return FLOW_ERROR;
	if (value->kind != JSON_LIST && value->kind != JSON_OBJECT && value->kind != JSON_NULL && value->kind != JSON_INT)
		return refuse(r, node->pipe->at, arena_printf(r->arena, "range can't iterate over %s", json_kind_name(value)));
	if (!template_is_true(value))
		return run_list(r, &node->otherwise, dot);
	if (value->kind == JSON_OBJECT) {
		flow = range_object(r, node, value);
		return flow == FLOW_ERROR ? flow : FLOW_ON;
	}
	n = value->kind == JSON_LIST ? value->list.n : value->integer > 0 ? (size_t)value->integer : 0;
	for (size_t i = 0; i < n && (flow == FLOW_ON || flow == FLOW_CONTINUE); i++) {
		const struct json *key = json_new_int(r->arena, (int64_t)i);

		if (++r->steps > STEPS_MAX)
			return refuse(r, node->at, "takes too many steps");
		flow = run_element(r, node, key, value->kind == JSON_LIST ? value->list.v[i] : key);
	}
	return flow == FLOW_ERROR ? flow : FLOW_ON;
}

static enum flow branch(struct run *r, const struct template_node *node, const struct json *dot)
{
	size_t mark = r->variables.n;
	const struct json *value = evaluate_and_set(r, node->pipe, dot);
	enum flow flow;

	if (!value)
		return FLOW_ERROR;
	if (template_is_true(value))
		flow = run_list(r, &node->body, node->kind == NODE_WITH ? value : dot);
	else
		flow = run_list(r, &node->otherwise, dot);
	r->variables.n = mark;
	return flow;
}

/* What was added to the output must have fitted. */
static enum flow added(struct run *r, const struct template_node *node)
{
	return r->out->failed ? (enum flow)refuse(r, node->at, "the result is too long") : FLOW_ON;
}

static enum flow run_node(struct run *r, const struct template_node *node, const struct json *dot)
{
	const struct json *value;

	switch (node->kind) {
	case NODE_TEXT:
		buffer_adds(r->out, node->text);
		return added(r, node);
	case NODE_ACTION:
		value = evaluate_and_set(r, node->pipe, dot);
		if (!value)
			return FLOW_ERROR;
		if (node->pipe->variables.n == 0)
			template_format(r->out, value);
		return added(r, node);
	case NODE_IF:
	case NODE_WITH:
		return branch(r, node, dot);
	case NODE_RANGE:
		return range(r, node, dot);
	case NODE_BREAK:
		return FLOW_BREAK;
	case NODE_CONTINUE:
		return FLOW_CONTINUE;
	}
	return FLOW_ON;
}

static enum flow run_list(struct run *r, const struct template_list *list, const struct json *dot)
{
	size_t mark = r->variables.n;
	enum flow flow = FLOW_ON;

	for (size_t i = 0; i < list->n && flow == FLOW_ON; i++)
		flow = run_node(r, &list->v[i], dot);
	r->variables.n = mark;
	return flow;
}

int template_run(struct arena *arena, const struct template *t, const struct json *value, struct buffer *out,
		 struct error *err)
{
	struct run r = { .arena = arena, .t = t, .root = value, .out = out, .err = err };

	return run_list(&r, &t->nodes, value) == FLOW_ERROR ? -1 : 0;
}
