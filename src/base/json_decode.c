#include "base/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* Where decoding is: a chain on the stack, made text only when something is wrong. */
struct place {
	const struct place *up;
	const char *member;		/* NULL: an element of a list */
	size_t index;
};

struct decoder {
	struct arena *arena;
	const char *where;
	struct error *err;
};

struct any_array { char *v; size_t n; };

static bool is_plain_name(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-')
			return false;
	return n > 0 && n <= 64;
}

static void print_place(struct buffer *out, const struct place *place)
{
	if (!place)
		return;
	print_place(out, place->up);
	if (!place->member) {
		buffer_printf(out, "[%zu]", place->index);
	} else if (is_plain_name(place->member)) {
		buffer_printf(out, ".%s", place->member);
	} else {
		buffer_adds(out, "[");
		json_print_string(out, place->member);
		buffer_adds(out, "]");
	}
}

static int wrong(const struct decoder *d, const struct place *place, const char *what)
{
	_cleanup_buffer_ struct buffer position = BUFFER(1 << 20);

	print_place(&position, place);
	return error_set(d->err, ERROR_INVALID, "%s: %s%s%s", d->where, position.size ? position.data : "",
			 position.size ? ": " : "", what);
}

static int wrong_kind(const struct decoder *d, const struct place *place, const char *expected,
		      const struct json *value)
{
	char text[96];

	snprintf(text, sizeof(text), "expected %s, got %s", expected, json_kind_name(value));
	return wrong(d, place, text);
}

static int decode_string(const struct decoder *d, const struct place *place, const struct json *value, char **ret)
{
	if (value->kind != JSON_STRING)
		return wrong_kind(d, place, "string", value);
	*ret = (char *)value->string;
	return 0;
}

static int decode_bool(const struct decoder *d, const struct place *place, const struct json *value, bool *ret)
{
	if (value->kind != JSON_BOOL)
		return wrong_kind(d, place, "boolean", value);
	*ret = value->boolean;
	return 0;
}

static int decode_int(const struct decoder *d, const struct place *place, const struct json *value, int64_t *ret)
{
	if (value->kind == JSON_UINT)
		return wrong(d, place, "number too large for a signed integer of 64 bits");
	if (value->kind == JSON_DOUBLE)
		return wrong(d, place, "expected an integer, got a fraction");
	if (value->kind != JSON_INT)
		return wrong_kind(d, place, "number", value);
	*ret = value->integer;
	return 0;
}

static int decode_uint(const struct decoder *d, const struct place *place, const struct json *value, uint64_t *ret)
{
	int64_t n;

	if (value->kind == JSON_UINT) {
		*ret = value->uinteger;
		return 0;
	}
	if (decode_int(d, place, value, &n) < 0)
		return -1;
	if (n < 0)
		return wrong(d, place, "expected a number of at least 0");
	*ret = (uint64_t)n;
	return 0;
}

static int decode_double(const struct decoder *d, const struct place *place, const struct json *value, double *ret)
{
	switch (value->kind) {
	case JSON_DOUBLE:	*ret = value->number; return 0;
	case JSON_INT:		*ret = (double)value->integer; return 0;
	case JSON_UINT:		*ret = (double)value->uinteger; return 0;
	default:		return wrong_kind(d, place, "number", value);
	}
}

static int decode_object(const struct decoder *d, const struct place *place, const struct json_shape *shape,
			 const struct json *value, void *ret);

/* One value that stands alone or in a list. */
static int decode_item(const struct decoder *d, const struct place *place, enum json_field_type type,
		       const struct json_shape *shape, const struct json *value, void *ret)
{
	switch (type) {
	case T_STRING:
	case T_STRINGS:
		return decode_string(d, place, value, ret);
	case T_BOOL:
		return decode_bool(d, place, value, ret);
	case T_INT:
	case T_INTS:
		return decode_int(d, place, value, ret);
	case T_UINT:
	case T_UINTS:
		return decode_uint(d, place, value, ret);
	case T_DOUBLE:
		return decode_double(d, place, value, ret);
	default:
		return decode_object(d, place, shape, value, ret);
	}
}

static size_t item_size(const struct json_field *field)
{
	switch (field->type) {
	case T_OPT_BOOL:	return sizeof(bool);
	case T_OPT_INT:
	case T_INTS:		return sizeof(int64_t);
	case T_OPT_UINT:
	case T_UINTS:		return sizeof(uint64_t);
	default:		return field->shape->size;
	}
}

static int decode_strings(const struct decoder *d, const struct place *place, const struct json *value,
			  struct strings *ret)
{
	if (value->kind != JSON_LIST)
		return wrong_kind(d, place, "list", value);
	for (size_t i = 0; i < value->list.n; i++) {
		const struct place at = { .up = place, .index = i };
		char *s = NULL;

		if (decode_string(d, &at, value->list.v[i], &s) < 0)
			return -1;
		strings_add(d->arena, ret, s);
	}
	return 0;
}

static int decode_list(const struct decoder *d, const struct place *place, const struct json_field *field,
		       const struct json *value, struct any_array *ret)
{
	size_t size = item_size(field);

	if (value->kind != JSON_LIST)
		return wrong_kind(d, place, "list", value);
	for (size_t i = 0; i < value->list.n; i++) {
		const struct place at = { .up = place, .index = i };

		if (decode_item(d, &at, field->type, field->shape, value->list.v[i],
				array_add(d->arena, ret, size)) < 0)
			return -1;
	}
	return 0;
}

static int decode_map(const struct decoder *d, const struct place *place, const struct json *value,
		      struct string_map *ret)
{
	if (value->kind != JSON_OBJECT)
		return wrong_kind(d, place, "object", value);
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *m = &value->object.v[i];
		const struct place at = { .up = place, .member = m->name };
		struct pair *p = ARRAY_ADD(d->arena, ret);

		p->key = (char *)m->name;
		p->value = (char *)"";
		if (m->value->kind != JSON_NULL && decode_string(d, &at, m->value, &p->value) < 0)
			return -1;
	}
	return 0;
}

static int decode_keys(const struct decoder *d, const struct place *place, const struct json *value,
		       struct strings *ret)
{
	if (value->kind != JSON_OBJECT)
		return wrong_kind(d, place, "object", value);
	for (size_t i = 0; i < value->object.n; i++)
		strings_add(d->arena, ret, value->object.v[i].name);
	return 0;
}

static const struct json_field *field_of_type(const struct json_shape *shape, enum json_field_type type)
{
	for (size_t i = 0; i < shape->fields_n; i++)
		if (shape->fields[i].type == type)
			return &shape->fields[i];
	return NULL;
}

static int decode_object_map(const struct decoder *d, const struct place *place, const struct json_field *field,
			     const struct json *value, struct any_array *ret)
{
	const struct json_field *key = field_of_type(field->shape, T_KEY);

	if (value->kind != JSON_OBJECT)
		return wrong_kind(d, place, "object", value);
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *m = &value->object.v[i];
		const struct place at = { .up = place, .member = m->name };
		char *item;

		if (m->value->kind == JSON_NULL)
			continue;
		item = array_add(d->arena, ret, field->shape->size);
		if (decode_object(d, &at, field->shape, m->value, item) < 0)
			return -1;
		if (key)
			*(char **)(item + key->offset) = (char *)m->name;
	}
	return 0;
}

/* Fields that are pointers to what decode_item fills. */
static int decode_pointer(const struct decoder *d, const struct place *place, const struct json_field *field,
			  const struct json *value, void **ret)
{
	static const enum json_field_type pointed[] = {
		[T_OPT_BOOL] = T_BOOL, [T_OPT_INT] = T_INT, [T_OPT_UINT] = T_UINT, [T_OBJECT] = T_OBJECT,
	};
	void *p = arena_alloc(d->arena, item_size(field));

	if (decode_item(d, place, pointed[field->type], field->shape, value, p) < 0)
		return -1;
	*ret = p;
	return 0;
}

static int decode_field(const struct decoder *d, const struct place *place, const struct json_field *field,
			const struct json *value, void *ret)
{
	switch (field->type) {
	case T_STRING: case T_BOOL: case T_INT: case T_UINT: case T_DOUBLE: case T_EMBED:
		return decode_item(d, place, field->type, field->shape, value, ret);
	case T_OPT_BOOL: case T_OPT_INT: case T_OPT_UINT: case T_OBJECT:
		return decode_pointer(d, place, field, value, ret);
	case T_STRINGS:
		return decode_strings(d, place, value, ret);
	case T_INTS: case T_UINTS: case T_OBJECTS:
		return decode_list(d, place, field, value, ret);
	case T_MAP:
		return decode_map(d, place, value, ret);
	case T_KEYS:
		return decode_keys(d, place, value, ret);
	case T_OBJECT_MAP:
		return decode_object_map(d, place, field, value, ret);
	case T_ANY:
		*(const struct json **)ret = value;
		return 0;
	case T_KEY: case T_REST:
		break;
	}
	return 0;
}

static bool is_member(const struct json_field *field)
{
	return field->type != T_KEY && field->type != T_REST;
}

/* The field that a member belongs to. Texts of our own have their members in the table's order: the search goes on where
 * the last one ended. */
static const struct json_field *field_of_member(const struct json_shape *shape, const char *name, size_t *next)
{
	for (size_t k = 0; k < shape->fields_n; k++) {
		size_t i = *next + k < shape->fields_n ? *next + k : *next + k - shape->fields_n;
		const struct json_field *field = &shape->fields[i];

		if (!is_member(field) || *field->name != *name || strcmp(field->name, name) != 0)
			continue;
		*next = i + 1 < shape->fields_n ? i + 1 : 0;
		return field;
	}
	return NULL;
}

static int check_required(const struct decoder *d, const struct place *place, const struct json_shape *shape,
			  const struct json *value)
{
	for (size_t i = 0; i < shape->fields_n; i++) {
		const struct json_field *field = &shape->fields[i];
		const struct place at = { .up = place, .member = field->name };
		const struct json *member = field->required ? json_get(value, field->name) : NULL;

		if (field->required && (!member || member->kind == JSON_NULL))
			return wrong(d, &at, "missing, and required");
	}
	return 0;
}

static void keep_rest(const struct decoder *d, const struct json_member *m, struct json **ret)
{
	if (!*ret)
		*ret = json_new_object(d->arena);
	*ARRAY_ADD(d->arena, &(*ret)->object) = *m;
}

static int decode_object(const struct decoder *d, const struct place *place, const struct json_shape *shape,
			 const struct json *value, void *ret)
{
	const struct json_field *rest = field_of_type(shape, T_REST);
	size_t next = 0;

	if (value->kind != JSON_OBJECT)
		return wrong_kind(d, place, "object", value);
	memset(ret, 0, shape->size);
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *m = &value->object.v[i];
		const struct json_field *field = field_of_member(shape, m->name, &next);
		const struct place at = { .up = place, .member = m->name };

		if (!field && rest)
			keep_rest(d, m, (struct json **)((char *)ret + rest->offset));
		if (field && m->value->kind != JSON_NULL &&
		    decode_field(d, &at, field, m->value, (char *)ret + field->offset) < 0)
			return -1;
	}
	return check_required(d, place, shape, value);
}

int json_decode_value(struct arena *arena, const struct json_shape *shape, void *ret, const struct json *value,
		      const char *where, struct error *err)
{
	const struct decoder d = { .arena = arena, .where = where, .err = err };

	return decode_object(&d, NULL, shape, value, ret);
}

int json_decode(struct arena *arena, const struct json_shape *shape, void *ret, const char *text, size_t len,
		const char *where, struct error *err)
{
	const struct json *value = json_parse(arena, text, len, where, err);

	return value ? json_decode_value(arena, shape, ret, value, where, err) : -1;
}
