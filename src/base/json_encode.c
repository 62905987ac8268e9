#include "base/json.h"

struct any_array { char *v; size_t n; };

static struct json *encode_strings(struct arena *arena, const struct strings *list)
{
	struct json *value = json_new_list(arena);

	for (size_t i = 0; i < list->n; i++)
		json_append(arena, value, json_new_string(arena, list->v[i]));
	return value;
}

/* Names in a map, a set or a list of objects are unique already: members are added without a search for equals. */
static void add_member(struct arena *arena, struct json *object, const char *name, struct json *value)
{
	struct json_member *m = ARRAY_ADD(arena, &object->object);

	m->name = arena_strdup(arena, name);
	m->value = value;
}

static struct json *encode_map(struct arena *arena, const struct string_map *map)
{
	struct json *value = json_new_object(arena);

	for (size_t i = 0; i < map->n; i++)
		add_member(arena, value, map->v[i].key, json_new_string(arena, map->v[i].value));
	return value;
}

static struct json *encode_keys(struct arena *arena, const struct strings *list)
{
	struct json *value = json_new_object(arena);

	for (size_t i = 0; i < list->n; i++)
		json_set(arena, value, list->v[i], json_new_object(arena));
	return value;
}

static struct json *encode_list(struct arena *arena, const struct json_field *field, const struct any_array *list)
{
	struct json *value = json_new_list(arena);

	for (size_t i = 0; i < list->n; i++) {
		struct json *item;

		if (field->type == T_INTS)
			item = json_new_int(arena, ((const int64_t *)list->v)[i]);
		else if (field->type == T_UINTS)
			item = json_new_uint(arena, ((const uint64_t *)list->v)[i]);
		else
			item = json_encode(arena, field->shape, list->v + i * field->shape->size);
		json_append(arena, value, item);
	}
	return value;
}

static struct json *encode_object_map(struct arena *arena, const struct json_shape *shape, const struct any_array *list)
{
	struct json *value = json_new_object(arena);
	size_t key = 0;

	for (size_t i = 0; i < shape->fields_n; i++)
		if (shape->fields[i].type == T_KEY)
			key = shape->fields[i].offset;
	for (size_t i = 0; i < list->n; i++) {
		const char *item = list->v + i * shape->size;

		add_member(arena, value, *(char *const *)(item + key), json_encode(arena, shape, item));
	}
	return value;
}

static struct json *encode_pointer(struct arena *arena, const struct json_field *field, const void *p)
{
	if (!p)
		return json_new_null(arena);
	switch (field->type) {
	case T_OPT_BOOL:	return json_new_bool(arena, *(const bool *)p);
	case T_OPT_INT:		return json_new_int(arena, *(const int64_t *)p);
	case T_OPT_UINT:	return json_new_uint(arena, *(const uint64_t *)p);
	default:		return json_encode(arena, field->shape, p);
	}
}

static struct json *encode_field(struct arena *arena, const struct json_field *field, const void *p)
{
	switch (field->type) {
	case T_STRING:
		return json_new_string(arena, *(char *const *)p ? *(char *const *)p : "");
	case T_BOOL:
		return json_new_bool(arena, *(const bool *)p);
	case T_INT:
		return json_new_int(arena, *(const int64_t *)p);
	case T_UINT:
		return json_new_uint(arena, *(const uint64_t *)p);
	case T_DOUBLE:
		return json_new_double(arena, *(const double *)p);
	case T_OPT_BOOL: case T_OPT_INT: case T_OPT_UINT: case T_OBJECT:
		return encode_pointer(arena, field, *(void *const *)p);
	case T_STRINGS:
		return encode_strings(arena, p);
	case T_INTS: case T_UINTS: case T_OBJECTS:
		return encode_list(arena, field, p);
	case T_MAP:
		return encode_map(arena, p);
	case T_KEYS:
		return encode_keys(arena, p);
	case T_EMBED:
		return json_encode(arena, field->shape, p);
	case T_OBJECT_MAP:
		return encode_object_map(arena, field->shape, p);
	case T_ANY:
		return *(struct json *const *)p ? *(struct json *const *)p : json_new_null(arena);
	case T_KEY: case T_REST:
		break;
	}
	return json_new_null(arena);
}

static bool is_empty(const struct json_field *field, const void *p)
{
	switch (field->type) {
	case T_STRING:
		return str_is_empty(*(char *const *)p);
	case T_BOOL:
		return !*(const bool *)p;
	case T_INT: case T_UINT:
		return *(const uint64_t *)p == 0;
	case T_DOUBLE:
		return *(const double *)p == 0;
	case T_OPT_BOOL: case T_OPT_INT: case T_OPT_UINT: case T_OBJECT: case T_ANY:
		return !*(void *const *)p;
	case T_STRINGS: case T_INTS: case T_UINTS: case T_MAP: case T_KEYS: case T_OBJECTS: case T_OBJECT_MAP:
		return ((const struct any_array *)p)->n == 0;
	case T_EMBED:		/* decided after encoding */
		return false;
	case T_KEY: case T_REST:
		break;
	}
	return true;
}

static bool is_wanted(const struct json_field *field)
{
	return field->always || field->required;
}

struct json *json_encode(struct arena *arena, const struct json_shape *shape, const void *structure)
{
	struct json *object = json_new_object(arena);
	const struct json *rest = NULL;

	for (size_t i = 0; i < shape->fields_n; i++) {
		const struct json_field *field = &shape->fields[i];
		const void *p = (const char *)structure + field->offset;
		struct json *value;

		if (field->type == T_REST)
			rest = *(struct json *const *)p;
		if (field->type == T_KEY || field->type == T_REST || (!is_wanted(field) && is_empty(field, p)))
			continue;
		value = encode_field(arena, field, p);
		if (field->type == T_EMBED && !is_wanted(field) && value->object.n == 0)
			continue;
		add_member(arena, object, field->name, value);
	}
	for (size_t i = 0; rest && rest->kind == JSON_OBJECT && i < rest->object.n; i++)
		add_member(arena, object, rest->object.v[i].name, rest->object.v[i].value);
	return object;
}
