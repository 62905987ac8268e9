/* base/json - JSON by field tables
 *
 * A format is a table of fields; decoder, encoder, `--format` lookup and error positions come from it. json-c parses,
 * and is seen by this module alone. Numbers keep all 64 bits. Digests are always taken over raw bytes,
 * never over what is encoded here. Errors carry the position: "config.json: .mounts[1].options[1]: expected string,
 * got number". Depth is limited to 64; member names that appear twice are refused. */
#ifndef BRYO_BASE_JSON_H
#define BRYO_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/string.h"

/* A JSON value kept as it is: immutable, in an arena. Also the value that templates walk. */
enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_UINT, JSON_DOUBLE, JSON_STRING, JSON_LIST, JSON_OBJECT };

struct json {
	enum json_kind kind;
	union {
		bool boolean;
		int64_t integer;	/* JSON_INT: fits int64 */
		uint64_t uinteger;	/* JSON_UINT: above INT64_MAX only */
		double number;
		const char *string;
		ARRAY(struct json *) list;
		ARRAY(struct json_member) object;	/* in the order of the text */
	};
};

struct json_member {
	const char *name;
	struct json *value;
};

/* Parses text of len bytes; `where` names the source in errors ("config.json"). */
struct json *json_parse(struct arena *arena, const char *text, size_t len, const char *where, struct error *err);
const struct json *json_get(const struct json *object, const char *name);	/* NULL when absent or no object */
const char *json_get_string(const struct json *object, const char *name);	/* NULL when absent or no string */
struct json *json_new_object(struct arena *arena);
struct json *json_new_list(struct arena *arena);
struct json *json_new_null(struct arena *arena);
struct json *json_new_string(struct arena *arena, const char *s);		/* NULL gives JSON null */
struct json *json_new_int(struct arena *arena, int64_t n);
struct json *json_new_uint(struct arena *arena, uint64_t n);
struct json *json_new_double(struct arena *arena, double n);
struct json *json_new_bool(struct arena *arena, bool b);
struct json *json_new_strings(struct arena *arena, const struct strings *list);		/* a list of strings */
struct json *json_new_map(struct arena *arena, const struct string_map *map);		/* an object of strings */
void json_set(struct arena *arena, struct json *object, const char *name, struct json *value);
/* The same for a name that the object does not have yet, without a search; the name is not copied. */
void json_add(struct arena *arena, struct json *object, const char *name, struct json *value);
bool json_unset(struct json *object, const char *name);
void json_append(struct arena *arena, struct json *list, struct json *value);
const char *json_kind_name(const struct json *value);		/* "string", "number", ... for messages */
/* indent 0 gives one line; 2 and 4 give that many blanks a level. Control bytes and invalid UTF-8 are escaped.
 * Podman and Docker print 4 and "," "": " separators as Go's MarshalIndent does. */
char *json_print(struct arena *arena, const struct json *value, int indent);
/* Appends s as a quoted string. A byte that is no UTF-8 becomes U+FFFD, as in Go: JSON cannot say it. */
void json_print_string(struct buffer *out, const char *s);

/* --- field tables */
enum json_field_type {
	T_STRING,	/* char * (NULL when absent) */
	T_BOOL,		/* bool */
	T_INT,		/* int64_t */
	T_UINT,		/* uint64_t */
	T_DOUBLE,	/* double */
	T_OPT_BOOL,	/* bool *, NULL when absent */
	T_OPT_INT,	/* int64_t * */
	T_OPT_UINT,	/* uint64_t * */
	T_STRINGS,	/* struct strings */
	T_INTS,		/* ARRAY(int64_t) */
	T_UINTS,	/* ARRAY(uint64_t) */
	T_MAP,		/* struct string_map: an object whose values are strings */
	T_KEYS,		/* struct strings: an object whose values are {} (Docker's sets), its names kept */
	T_OBJECT,	/* struct X *, NULL when absent; .shape */
	T_EMBED,	/* struct X inline; .shape */
	T_OBJECTS,	/* ARRAY(struct X); .shape */
	T_OBJECT_MAP,	/* ARRAY(struct X) whose .shape has a T_KEY field that gets the member's name */
	T_KEY,		/* char *: the member's name in a T_OBJECT_MAP; not a member itself */
	T_ANY,		/* struct json *: whatever it is */
	T_REST,		/* struct json *: an object of all members that the table does not name; one a shape */
};

struct json_shape;

struct json_field {
	const char *name;
	enum json_field_type type;
	size_t offset;
	const struct json_shape *shape;
	bool required;		/* decoding without it is an error, so it is always encoded */
	bool always;		/* encoded even when empty ("", [], {}), false, zero or NULL */
};

struct json_shape {
	const char *name;
	size_t size;
	const struct json_field *fields;	/* ends with a NULL name */
	size_t fields_n;
};

#define JSON_FIELD(structure, member, json_name, json_type, ...) \
	{ .name = (json_name), .type = (json_type), .offset = offsetof(struct structure, member), ##__VA_ARGS__ }

/* Defines `const struct json_shape structure##_shape` for `struct structure`. */
#define JSON_SHAPE(structure, ...)                                                                       \
	static const struct json_field structure##_fields[] = { __VA_ARGS__ };                           \
	const struct json_shape structure##_shape = { #structure, sizeof(struct structure), structure##_fields, \
						      ELEMENTS(structure##_fields) }

/* Fills *ret (of shape->size bytes, cleared first) from text. Unknown members go to the T_REST field, or are dropped
 * without one; a member that is null counts as absent. A fraction is no integer, not even 1.0. */
int json_decode(struct arena *arena, const struct json_shape *shape, void *ret, const char *text, size_t len,
		const char *where, struct error *err);
int json_decode_value(struct arena *arena, const struct json_shape *shape, void *ret, const struct json *value,
		      const char *where, struct error *err);
/* The value of a structure, for printing, `--format` and files. */
struct json *json_encode(struct arena *arena, const struct json_shape *shape, const void *structure);

#endif
