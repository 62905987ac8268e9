#include "transfer/yaml.h"

#include <errno.h>
#include <yaml.h>

#include "sys/fd.h"

#define TEXT_MAX ((size_t)1 << 20)
#define DEPTH_MAX 32
#define MEMBERS_MAX 10000	/* of one mapping; names are searched one by one */

struct reader {
	struct arena *arena;
	yaml_parser_t parser;
	int depth;
	struct error *err;
};

static int refuse(struct reader *r, const yaml_mark_t *mark, const char *what)
{
	return error_set(r->err, ERROR_INVALID, "line %zu, column %zu: %s", mark->line + 1, mark->column + 1, what);
}

/* The next event; the caller deletes it. */
static int next(struct reader *r, yaml_event_t *ret)
{
	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	return refuse(r, &r->parser.problem_mark, r->parser.problem ? r->parser.problem : "it is not YAML");
}

static struct json *read_value(struct reader *r, const yaml_event_t *event);

/* The value that begins with the next event, or NULL; *ret_end when that ends a list or mapping. */
static struct json *read_next(struct reader *r, yaml_event_type_t end, bool *ret_end)
{
	struct json *value = NULL;
	yaml_event_t event;

	*ret_end = false;
	if (next(r, &event) < 0)
		return NULL;
	*ret_end = event.type == end;
	if (!*ret_end)
		value = read_value(r, &event);
	yaml_event_delete(&event);
	return value;
}

static struct json *read_list(struct reader *r)
{
	struct json *list = json_new_list(r->arena), *value;
	bool end;

	while ((value = read_next(r, YAML_SEQUENCE_END_EVENT, &end)))
		json_append(r->arena, list, value);
	return end ? list : NULL;
}

static int add_member(struct reader *r, struct json *mapping, const char *name, const yaml_mark_t *mark)
{
	struct json *value;
	bool end;

	if (json_get(mapping, name))
		return refuse(r, mark, "this name was given before");
	if (mapping->object.n >= MEMBERS_MAX)
		return refuse(r, mark, "too many names");
	value = read_next(r, YAML_NO_EVENT, &end);
	if (!value)
		return -1;
	json_set(r->arena, mapping, name, value);
	return 0;
}

/* 1: the mapping's end. */
static int read_member(struct reader *r, struct json *mapping)
{
	yaml_event_t event;
	int result = -1;

	if (next(r, &event) < 0)
		return -1;
	if (event.type == YAML_MAPPING_END_EVENT)
		result = 1;
	else if (event.type != YAML_SCALAR_EVENT || event.data.scalar.anchor)
		refuse(r, &event.start_mark, "expected a name");
	else if (strlen((char *)event.data.scalar.value) != event.data.scalar.length)
		refuse(r, &event.start_mark, "a zero byte");
	else
		result = add_member(r, mapping, (char *)event.data.scalar.value, &event.start_mark);
	yaml_event_delete(&event);
	return result;
}

static struct json *read_mapping(struct reader *r)
{
	struct json *mapping = json_new_object(r->arena);
	int result;

	while ((result = read_member(r, mapping)) == 0)
		;
	return result > 0 ? mapping : NULL;
}

static bool is_word(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

/* Quoted text is text; of plain text, what YAML 1.1 takes for something else. */
static struct json *read_scalar(struct reader *r, const yaml_event_t *event)
{
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL };
	static const char *const no[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", NULL };
	static const char *const null[] = { "", "~", "null", "Null", "NULL", NULL };
	const char *text = (const char *)event->data.scalar.value;
	struct json *value;
	long long number;

	if (strlen(text) != event->data.scalar.length) {
		refuse(r, &event->start_mark, "a zero byte");
		return NULL;
	}
	if (!event->data.scalar.plain_implicit)
		return json_new_string(r->arena, text);
	if (is_word(text, null))
		return json_new_null(r->arena);
	if (str_to_i64(text, &number) == 0)
		return json_new_int(r->arena, number);
	if (!is_word(text, yes) && !is_word(text, no))
		return json_new_string(r->arena, text);
	value = json_new_null(r->arena);
	value->kind = JSON_BOOL;
	value->boolean = is_word(text, yes);
	return value;
}

static struct json *read_collection(struct reader *r, const yaml_event_t *event)
{
	struct json *value = NULL;

	if (++r->depth > DEPTH_MAX)
		refuse(r, &event->start_mark, "nested too deep");
	else
		value = event->type == YAML_MAPPING_START_EVENT ? read_mapping(r) : read_list(r);
	r->depth--;
	return value;
}

static struct json *read_value(struct reader *r, const yaml_event_t *event)
{
	const yaml_char_t *anchor = event->type == YAML_SCALAR_EVENT ? event->data.scalar.anchor :
				    event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor :
				    event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.anchor : NULL;

	if (anchor || event->type == YAML_ALIAS_EVENT) {
		refuse(r, &event->start_mark, "anchors and aliases are not read here");
		return NULL;
	}
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event);
	if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
		return read_collection(r, event);
	refuse(r, &event->start_mark, "expected a value");
	return NULL;
}

/* Takes an event that must be of this type. */
static int take(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
	yaml_event_t event;
	int result = 0;

	if (next(r, &event) < 0)
		return -1;
	if (event.type != type)
		result = refuse(r, &event.start_mark, otherwise);
	yaml_event_delete(&event);
	return result;
}

/* An empty stream is a null document. */
static struct json *read_stream(struct reader *r)
{
	struct json *value;
	yaml_event_t event;
	bool empty, end;

	if (take(r, YAML_STREAM_START_EVENT, "it is not YAML") < 0 || next(r, &event) < 0)
		return NULL;
	empty = event.type == YAML_STREAM_END_EVENT;
	yaml_event_delete(&event);
	if (empty)
		return json_new_null(r->arena);
	value = read_next(r, YAML_NO_EVENT, &end);
	if (!value || take(r, YAML_DOCUMENT_END_EVENT, "expected the end") < 0 ||
	    take(r, YAML_STREAM_END_EVENT, "a second document") < 0)
		return NULL;
	return value;
}

struct json *yaml_parse(struct arena *arena, const char *text, size_t len, struct error *err)
{
	struct reader r = { .arena = arena, .err = err };
	struct json *value;

	if (!yaml_parser_initialize(&r.parser)) {
		error_set(err, ERROR_FAILED, "libyaml: out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	value = read_stream(&r);
	yaml_parser_delete(&r.parser);
	return value;
}

/* The operation `yaml`. */
int op_yaml(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	size_t size;
	char *text = fd_read_regular(w->arena, w->channel->fds[0], TEXT_MAX, &size);

	if (!text)
		return error_errno(err, "read it");
	ret->value = yaml_parse(w->arena, text, size, err);
	return ret->value ? 0 : -1;
}
