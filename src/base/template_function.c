/* The values and functions of base/template. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/template_node.h"

const struct json template_no_value = { .kind = JSON_NULL };

static const struct json *refuse(const struct template_call *c, const char *what)
{
	template_error(c->err, c->text, c->at, "%s", what);
	return NULL;
}

const struct json *template_text(const struct template_call *c, const struct buffer *b)
{
	struct json *value = json_new_string(c->arena, "");

	if (b->failed)
		return refuse(c, "result too large");
	value->string = arena_memdup(c->arena, b->data, b->size);
	return value;
}

bool template_is_true(const struct json *value)
{
	switch (value->kind) {
	case JSON_NULL:		return false;
	case JSON_BOOL:		return value->boolean;
	case JSON_INT:		return value->integer != 0;
	case JSON_UINT:		return true;
	case JSON_DOUBLE:	return value->number != 0;
	case JSON_STRING:	return *value->string != '\0';
	case JSON_LIST:		return value->list.n > 0;
	case JSON_OBJECT:	return value->object.n > 0;
	}
	return false;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct json_member *)a)->name, ((const struct json_member *)b)->name);
}

struct json_member *template_sorted(struct arena *arena, const struct json *object)
{
	struct json_member *members = arena_memdup(arena, object->object.v, object->object.n * sizeof(*members));

	qsort(members, object->object.n, sizeof(*members), compare_members);
	return members;
}

static void format_object(struct buffer *out, const struct json *value)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct json_member *members = template_sorted(arena, value);

	buffer_adds(out, "map[");
	for (size_t i = 0; i < value->object.n; i++) {
		buffer_printf(out, "%s%s:", i ? " " : "", members[i].name);
		template_format(out, members[i].value);
	}
	buffer_adds(out, "]");
}

void template_format(struct buffer *out, const struct json *value)
{
	switch (value->kind) {
	case JSON_NULL:
		buffer_adds(out, value == &template_no_value ? "<no value>" : "<nil>");
		break;
	case JSON_BOOL:
		buffer_adds(out, value->boolean ? "true" : "false");
		break;
	case JSON_INT:
		buffer_printf(out, "%" PRId64, value->integer);
		break;
	case JSON_UINT:
		buffer_printf(out, "%" PRIu64, value->uinteger);
		break;
	case JSON_DOUBLE: {
		_cleanup_arena_ struct arena *arena = arena_new();

		buffer_adds(out, json_print(arena, value, 0));
		break;
	}
	case JSON_STRING:
		buffer_adds(out, value->string);
		break;
	case JSON_LIST:
		buffer_adds(out, "[");
		for (size_t i = 0; i < value->list.n; i++) {
			buffer_adds(out, i ? " " : "");
			template_format(out, value->list.v[i]);
		}
		buffer_adds(out, "]");
		break;
	case JSON_OBJECT:
		format_object(out, value);
		break;
	}
}

/* "ContainerID" is "container_id" in some of the JSON that Podman writes. */
static bool is_same_name(const char *a, const char *b, bool skip_underscores)
{
	for (;; a++, b++) {
		while (skip_underscores && *a == '_')
			a++;
		while (skip_underscores && *b == '_')
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

const struct json *template_member(const struct json *object, const char *name)
{
	const struct json *exact = json_get(object, name);

	if (exact || object->kind != JSON_OBJECT)
		return exact;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < object->object.n; i++)
			if (is_same_name(object->object.v[i].name, name, pass == 1))
				return object->object.v[i].value;
	return NULL;
}

/* --- functions; the last argument is what a pipe carries */

static const struct json *call_json(const struct template_call *c, const struct json *const *args, size_t n)
{
	return json_new_string(c->arena, json_print(c->arena, args[0], 0));
}

static const struct json *call_join(const struct template_call *c, const struct json *const *args, size_t n)
{
	_cleanup_buffer_ struct buffer out = BUFFER(TEMPLATE_RESULT_MAX);
	const struct json *list = args[0], *separator = args[1];

	if (list->kind == JSON_STRING && separator->kind != JSON_STRING) {	/* .X | join "," */
		list = args[1];
		separator = args[0];
	}
	if (separator->kind != JSON_STRING || (list->kind != JSON_LIST && list->kind != JSON_NULL))
		return refuse(c, "join: expected a list and a string");
	for (size_t i = 0; list->kind == JSON_LIST && i < list->list.n; i++) {
		buffer_adds(&out, i ? separator->string : "");
		template_format(&out, list->list.v[i]);
	}
	return template_text(c, &out);
}

static const struct json *call_split(const struct template_call *c, const struct json *const *args, size_t n)
{
	struct json *list = json_new_list(c->arena);
	const char *s, *separator, *next;

	if (args[0]->kind != JSON_STRING || args[1]->kind != JSON_STRING || !*args[1]->string)
		return refuse(c, "split: expected two strings");
	separator = args[1]->string;
	for (s = args[0]->string; (next = strstr(s, separator)); s = next + strlen(separator))
		json_append(c->arena, list, json_new_string(c->arena, arena_strndup(c->arena, s, (size_t)(next - s))));
	json_append(c->arena, list, json_new_string(c->arena, s));
	return list;
}

static const struct json *change_case(const struct template_call *c, const struct json *value, char how)
{
	struct json *result;
	bool first = true;
	char *text;

	if (value->kind != JSON_STRING)
		return refuse(c, "expected a string");
	text = arena_strdup(c->arena, value->string);
	for (char *p = text; *p; p++) {
		if (how == 'u' || (how == 't' && first))
			*p = (char)toupper((unsigned char)*p);
		else if (how == 'l')
			*p = (char)tolower((unsigned char)*p);
		first = !isalnum((unsigned char)*p) && *p != '\'' && *p != '_';
	}
	result = json_new_string(c->arena, "");
	result->string = text;
	return result;
}

static const struct json *call_upper(const struct template_call *c, const struct json *const *args, size_t n)
{
	return change_case(c, args[0], 'u');
}

static const struct json *call_lower(const struct template_call *c, const struct json *const *args, size_t n)
{
	return change_case(c, args[0], 'l');
}

static const struct json *call_title(const struct template_call *c, const struct json *const *args, size_t n)
{
	return change_case(c, args[0], 't');
}

static const struct json *call_pad(const struct template_call *c, const struct json *const *args, size_t n)
{
	if (args[0]->kind != JSON_STRING || args[1]->kind != JSON_INT || args[2]->kind != JSON_INT || args[1]->integer < 0 ||
	    args[2]->integer < 0 || args[1]->integer > 1000 || args[2]->integer > 1000)
		return refuse(c, "pad: expected a string and two numbers up to 1000");
	if (!*args[0]->string)
		return args[0];
	return json_new_string(c->arena, arena_printf(c->arena, "%*s%s%*s", (int)args[1]->integer, "", args[0]->string,
						      (int)args[2]->integer, ""));
}

static const struct json *call_truncate(const struct template_call *c, const struct json *const *args, size_t n)
{
	if (args[0]->kind != JSON_STRING || args[1]->kind != JSON_INT || args[1]->integer < 0)
		return refuse(c, "truncate: expected a string and a number");
	return json_new_string(c->arena, arena_strndup(c->arena, args[0]->string, (size_t)args[1]->integer));
}

/* Go puts a blank between two operands of print when neither is a string, and always with println. */
static const struct json *print(const struct template_call *c, const struct json *const *args, size_t n, bool line)
{
	_cleanup_buffer_ struct buffer out = BUFFER(TEMPLATE_RESULT_MAX);

	for (size_t i = 0; i < n; i++) {
		if (i && (line || (args[i]->kind != JSON_STRING && args[i - 1]->kind != JSON_STRING)))
			buffer_adds(&out, " ");
		template_format(&out, args[i]);
	}
	if (line)
		buffer_adds(&out, "\n");
	return template_text(c, &out);
}

static const struct json *call_print(const struct template_call *c, const struct json *const *args, size_t n)
{
	return print(c, args, n, false);
}

static const struct json *call_println(const struct template_call *c, const struct json *const *args, size_t n)
{
	return print(c, args, n, true);
}

static const struct json *call_len(const struct template_call *c, const struct json *const *args, size_t n)
{
	switch (args[0]->kind) {
	case JSON_NULL:		return json_new_int(c->arena, 0);
	case JSON_STRING:	return json_new_int(c->arena, (int64_t)strlen(args[0]->string));
	case JSON_LIST:		return json_new_int(c->arena, (int64_t)args[0]->list.n);
	case JSON_OBJECT:	return json_new_int(c->arena, (int64_t)args[0]->object.n);
	default:		return refuse(c, "len of a value without a length");
	}
}

/* A key that a map of strings lacks gives "", as in Go; of other maps the zero value is nil. */
static const struct json *missing_key(const struct template_call *c, const struct json *object)
{
	if (object->kind == JSON_OBJECT && object->object.n && object->object.v[0].value->kind != JSON_STRING)
		return json_new_null(c->arena);
	return json_new_string(c->arena, "");
}

static const struct json *call_index(const struct template_call *c, const struct json *const *args, size_t n)
{
	const struct json *value = args[0];

	for (size_t i = 1; i < n; i++) {
		const struct json *key = args[i], *next;

		if (key->kind == JSON_STRING && (value->kind == JSON_OBJECT || value->kind == JSON_NULL)) {
			next = json_get(value, key->string);
			value = next ? next : missing_key(c, value);
		} else if (key->kind == JSON_INT && value->kind == JSON_LIST) {
			if (key->integer < 0 || (uint64_t)key->integer >= value->list.n)
				return refuse(c, "error calling index: index out of range");
			value = value->list.v[key->integer];
		} else {
			return refuse(c, value->kind == JSON_NULL ? "error calling index: index of nil" :
								    "error calling index: this value has no such index");
		}
	}
	return value;
}

static const struct json *call_slice(const struct template_call *c, const struct json *const *args, size_t n)
{
	size_t length, bounds[2];
	struct json *list;

	if (args[0]->kind != JSON_STRING && args[0]->kind != JSON_LIST)
		return refuse(c, "error calling slice: expected a string or a list");
	length = args[0]->kind == JSON_STRING ? strlen(args[0]->string) : args[0]->list.n;
	bounds[0] = 0;
	bounds[1] = length;
	for (size_t i = 1; i < n; i++) {
		if (args[i]->kind != JSON_INT || args[i]->integer < 0 || (uint64_t)args[i]->integer > length)
			return refuse(c, "error calling slice: index out of range");
		bounds[i - 1] = (size_t)args[i]->integer;
	}
	if (bounds[0] > bounds[1])
		return refuse(c, "error calling slice: invalid slice index");
	if (args[0]->kind == JSON_STRING)
		return json_new_string(c->arena, arena_strndup(c->arena, args[0]->string + bounds[0], bounds[1] - bounds[0]));
	list = json_new_list(c->arena);
	for (size_t i = bounds[0]; i < bounds[1]; i++)
		json_append(c->arena, list, args[0]->list.v[i]);
	return list;
}

static bool is_number(const struct json *v)
{
	return v->kind == JSON_INT || v->kind == JSON_UINT || v->kind == JSON_DOUBLE;
}

static double as_double(const struct json *v)
{
	return v->kind == JSON_DOUBLE ? v->number : v->kind == JSON_UINT ? (double)v->uinteger : (double)v->integer;
}

static int compare_numbers(const struct json *a, const struct json *b)
{
	double x, y;

	if (a->kind == JSON_INT && b->kind == JSON_INT)
		return (a->integer > b->integer) - (a->integer < b->integer);
	if (a->kind == JSON_UINT && b->kind == JSON_UINT)
		return (a->uinteger > b->uinteger) - (a->uinteger < b->uinteger);
	x = as_double(a);
	y = as_double(b);
	return (x > y) - (x < y);
}

/* Answers false when the two cannot be compared. */
static bool compare(const struct json *a, const struct json *b, bool order, int *ret)
{
	if (is_number(a) && is_number(b))
		*ret = compare_numbers(a, b);
	else if (a->kind == JSON_STRING && b->kind == JSON_STRING)
		*ret = strcmp(a->string, b->string);
	else if (order || a->kind >= JSON_LIST || b->kind >= JSON_LIST)
		return false;
	else if (a->kind == JSON_NULL || b->kind == JSON_NULL)
		*ret = a->kind != b->kind;
	else if (a->kind == JSON_BOOL && b->kind == JSON_BOOL)
		*ret = a->boolean != b->boolean;
	else
		return false;
	return true;
}

static const struct json *incomparable(const struct template_call *c)
{
	return refuse(c, "incompatible types for comparison");
}

static const struct json *call_eq(const struct template_call *c, const struct json *const *args, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int r;

		if (!compare(args[0], args[i], false, &r))
			return incomparable(c);
		if (r == 0)
			return json_new_bool(c->arena, true);
	}
	return json_new_bool(c->arena, false);
}

static const struct json *call_ne(const struct template_call *c, const struct json *const *args, size_t n)
{
	int r;

	return compare(args[0], args[1], false, &r) ? json_new_bool(c->arena, r != 0) : incomparable(c);
}

static const struct json *call_lt(const struct template_call *c, const struct json *const *args, size_t n)
{
	int r;

	return compare(args[0], args[1], true, &r) ? json_new_bool(c->arena, r < 0) : incomparable(c);
}

static const struct json *call_le(const struct template_call *c, const struct json *const *args, size_t n)
{
	int r;

	return compare(args[0], args[1], true, &r) ? json_new_bool(c->arena, r <= 0) : incomparable(c);
}

static const struct json *call_gt(const struct template_call *c, const struct json *const *args, size_t n)
{
	int r;

	return compare(args[0], args[1], true, &r) ? json_new_bool(c->arena, r > 0) : incomparable(c);
}

static const struct json *call_ge(const struct template_call *c, const struct json *const *args, size_t n)
{
	int r;

	return compare(args[0], args[1], true, &r) ? json_new_bool(c->arena, r >= 0) : incomparable(c);
}

static const struct json *call_not(const struct template_call *c, const struct json *const *args, size_t n)
{
	return json_new_bool(c->arena, !template_is_true(args[0]));
}

/* `and` and `or` are not here: they do not evaluate all their arguments. */
static const struct template_function functions[] = {
	{ "eq", 2, 64, call_eq },	  { "ge", 2, 2, call_ge },	   { "gt", 2, 2, call_gt },
	{ "index", 1, 16, call_index },	  { "join", 2, 2, call_join },	   { "json", 1, 1, call_json },
	{ "le", 2, 2, call_le },	  { "len", 1, 1, call_len },	   { "lower", 1, 1, call_lower },
	{ "lt", 2, 2, call_lt },	  { "ne", 2, 2, call_ne },	   { "not", 1, 1, call_not },
	{ "pad", 3, 3, call_pad },	  { "print", 0, 64, call_print },  { "printf", 1, 64, template_printf },
	{ "println", 0, 64, call_println }, { "slice", 1, 3, call_slice }, { "split", 2, 2, call_split },
	{ "title", 1, 1, call_title },	  { "truncate", 2, 2, call_truncate }, { "upper", 1, 1, call_upper },
};

const struct template_function *template_function(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}
