#include "base/json.h"

#include <limits.h>

#include <json-c/json.h>

#include "base/json_scan.h"

struct conversion {
	struct arena *arena;
	struct json_counts counts;	/* what the text has */
	size_t next;			/* the object that is converted next */
};

/* Answers false at the first object that lost a member. Objects come in the order of the text as long as none did. */
static bool convert(struct conversion *c, struct json_object *from, struct json *to);

static bool convert_object(struct conversion *c, struct json_object *from, struct json *to)
{
	to->kind = JSON_OBJECT;
	if (c->next >= c->counts.n || (int)c->counts.v[c->next] != json_object_object_length(from))
		return false;
	c->next++;
	json_object_object_foreach(from, name, value) {
		struct json_member *m = ARRAY_ADD(c->arena, &to->object);

		m->name = arena_strdup(c->arena, name);
		m->value = arena_new_one(c->arena, struct json);
		if (!convert(c, value, m->value))
			return false;
	}
	return true;
}

static bool convert_list(struct conversion *c, struct json_object *from, struct json *to)
{
	size_t n = json_object_array_length(from);

	to->kind = JSON_LIST;
	for (size_t i = 0; i < n; i++) {
		struct json *value = arena_new_one(c->arena, struct json);

		*ARRAY_ADD(c->arena, &to->list) = value;
		if (!convert(c, json_object_array_get_idx(from, i), value))
			return false;
	}
	return true;
}

static void convert_integer(struct json_object *from, struct json *to)
{
	uint64_t n = json_object_get_uint64(from);

	if (n > INT64_MAX) {
		to->kind = JSON_UINT;
		to->uinteger = n;
	} else {
		to->kind = JSON_INT;
		to->integer = json_object_get_int64(from);
	}
}

static bool convert(struct conversion *c, struct json_object *from, struct json *to)
{
	switch (json_object_get_type(from)) {
	case json_type_null:
		to->kind = JSON_NULL;
		return true;
	case json_type_boolean:
		to->kind = JSON_BOOL;
		to->boolean = json_object_get_boolean(from);
		return true;
	case json_type_int:
		convert_integer(from, to);
		return true;
	case json_type_double:
		to->kind = JSON_DOUBLE;
		to->number = json_object_get_double(from);
		return true;
	case json_type_string:
		to->kind = JSON_STRING;
		to->string = arena_memdup(c->arena, json_object_get_string(from),
					  (size_t)json_object_get_string_len(from));
		return true;
	case json_type_array:
		return convert_list(c, from, to);
	case json_type_object:
		return convert_object(c, from, to);
	}
	return false;
}

/* Runs json-c over the whole text; NULL is also its word for a null document, hence the separate answer. */
static int tokenize(struct json_tokener *tokener, const char *text, size_t len, const char *where,
		    struct json_object **ret, struct error *err)
{
	enum json_tokener_error problem;

	*ret = json_tokener_parse_ex(tokener, text, (int)len);
	problem = json_tokener_get_error(tokener);
	if (problem == json_tokener_continue) {		/* a number or word may end with the text */
		*ret = json_tokener_parse_ex(tokener, "", 1);
		problem = json_tokener_get_error(tokener);
		if (problem != json_tokener_success)
			return json_text_error(err, where, text, len, "unexpected end of data");
		return 0;
	}
	if (problem != json_tokener_success)
		return json_text_error(err, where, text, json_tokener_get_parse_end(tokener),
				       json_tokener_error_desc(problem));
	return 0;
}

/* The duplicate is somewhere in the object that conversion stopped at; its offset in the text is that of its brace. */
static int duplicate_error(struct error *err, const char *where, const char *text, size_t len, size_t object)
{
	bool in_string = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && text[i] == '{' && object-- == 0)
			break;
	}
	return json_text_error(err, where, text, i, "a member name appears twice in the object that starts here");
}

static struct json *parse(struct arena *arena, struct json_tokener *tokener, const char *text, size_t len,
			  const char *where, struct error *err)
{
	struct conversion c = { .arena = arena };
	struct json_object *document;
	struct json *value;
	bool complete;

	if (json_scan(arena, text, len, where, &c.counts, err) < 0 ||
	    tokenize(tokener, text, len, where, &document, err) < 0)
		return NULL;
	value = arena_new_one(arena, struct json);
	complete = convert(&c, document, value);
	json_object_put(document);
	if (!complete) {
		duplicate_error(err, where, text, len, c.next);
		return NULL;
	}
	return value;
}

struct json *json_parse(struct arena *arena, const char *text, size_t len, const char *where, struct error *err)
{
	struct json_tokener *tokener;
	struct json *value;

	if (len > INT_MAX / 2) {
		error_set(err, ERROR_INVALID, "%s: too large", where);
		return NULL;
	}
	tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	if (!tokener) {
		error_set(err, ERROR_FAILED, "%s: out of memory", where);
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = parse(arena, tokener, text, len, where, err);
	json_tokener_free(tokener);
	return value;
}
