#include "base/json.h"

static struct json *new_value(struct arena *arena, enum json_kind kind)
{
	struct json *value = arena_new_one(arena, struct json);

	value->kind = kind;
	return value;
}

struct json *json_new_object(struct arena *arena)
{
	return new_value(arena, JSON_OBJECT);
}

struct json *json_new_list(struct arena *arena)
{
	return new_value(arena, JSON_LIST);
}

struct json *json_new_null(struct arena *arena)
{
	return new_value(arena, JSON_NULL);
}

struct json *json_new_string(struct arena *arena, const char *s)
{
	struct json *value = new_value(arena, s ? JSON_STRING : JSON_NULL);

	if (s)
		value->string = arena_strdup(arena, s);
	return value;
}

struct json *json_new_int(struct arena *arena, int64_t n)
{
	struct json *value = new_value(arena, JSON_INT);

	value->integer = n;
	return value;
}

struct json *json_new_uint(struct arena *arena, uint64_t n)
{
	struct json *value;

	if (n <= INT64_MAX)
		return json_new_int(arena, (int64_t)n);
	value = new_value(arena, JSON_UINT);
	value->uinteger = n;
	return value;
}

struct json *json_new_double(struct arena *arena, double n)
{
	struct json *value = new_value(arena, JSON_DOUBLE);

	value->number = n;
	return value;
}

struct json *json_new_bool(struct arena *arena, bool b)
{
	struct json *value = new_value(arena, JSON_BOOL);

	value->boolean = b;
	return value;
}

static struct json_member *find(const struct json *object, const char *name)
{
	if (!object || object->kind != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->object.n; i++) {
		const char *there = object->object.v[i].name;

		/* Nearly all differ in the first letter; a call for each is what decoding would spend its time on. */
		if (*there == *name && strcmp(there, name) == 0)
			return &object->object.v[i];
	}
	return NULL;
}

const struct json *json_get(const struct json *object, const char *name)
{
	const struct json_member *m = find(object, name);

	return m ? m->value : NULL;
}

const char *json_get_string(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);

	return value && value->kind == JSON_STRING ? value->string : NULL;
}

void json_set(struct arena *arena, struct json *object, const char *name, struct json *value)
{
	struct json_member *m = find(object, name);

	if (!m) {
		m = ARRAY_ADD(arena, &object->object);
		m->name = arena_strdup(arena, name);
	}
	m->value = value;
}

void json_add(struct arena *arena, struct json *object, const char *name, struct json *value)
{
	struct json_member *m = ARRAY_ADD(arena, &object->object);

	m->name = (char *)(uintptr_t)name;
	m->value = value;
}

struct json *json_new_strings(struct arena *arena, const struct strings *list)
{
	struct json *value = json_new_list(arena);

	for (size_t i = 0; i < list->n; i++)
		json_append(arena, value, json_new_string(arena, list->v[i]));
	return value;
}

struct json *json_new_map(struct arena *arena, const struct string_map *map)
{
	struct json *value = json_new_object(arena);

	for (size_t i = 0; i < map->n; i++)
		json_add(arena, value, arena_strdup(arena, map->v[i].key), json_new_string(arena, map->v[i].value));
	return value;
}

bool json_unset(struct json *object, const char *name)
{
	struct json_member *m = find(object, name);

	if (!m)
		return false;
	memmove(m, m + 1, (size_t)(object->object.v + object->object.n - m - 1) * sizeof(*m));
	object->object.n--;
	return true;
}

void json_append(struct arena *arena, struct json *list, struct json *value)
{
	*ARRAY_ADD(arena, &list->list) = value;
}

const char *json_kind_name(const struct json *value)
{
	switch (value->kind) {
	case JSON_NULL:		return "null";
	case JSON_BOOL:		return "boolean";
	case JSON_INT:
	case JSON_UINT:
	case JSON_DOUBLE:	return "number";
	case JSON_STRING:	return "string";
	case JSON_LIST:		return "list";
	case JSON_OBJECT:	return "object";
	}
	return "unknown";
}
