#include "cli/yaml.h"

#include <string.h>

#include "cli/output.h"

struct printer {
	struct arena *arena;
	struct buffer *out;
	bool failed;
};

static void add(struct printer *p, const char *s)
{
	if (buffer_adds(p->out, s) < 0)
		p->failed = true;
}

/* Text that a YAML reader would take for something else, or that has signs with a meaning, is quoted. */
static bool is_plain(const char *s)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n", "~" };

	if (!*s || strchr("-?:,[]{}#&*!|>'\"%@` ", *s) || (*s >= '0' && *s <= '9' && strspn(s, "0123456789.eE+-_:xX") == strlen(s)))
		return false;
	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (strcmp(words[i], s) == 0)
			return false;
	if (strstr(s, ": ") || strstr(s, " #") || str_ends(s, ":") || str_ends(s, " "))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static void add_text(struct printer *p, const char *s)
{
	add(p, output_clean(p->arena, is_plain(s) ? s : json_print(p->arena, json_new_string(p->arena, s), 0)));
}

static bool is_branch(const struct json *v)
{
	return (v->kind == JSON_OBJECT && v->object.n) || (v->kind == JSON_LIST && v->list.n);
}

static void add_leaf(struct printer *p, const struct json *v)
{
	if (v->kind == JSON_STRING)
		add_text(p, v->string);
	else if (v->kind == JSON_OBJECT)
		add(p, "{}");
	else if (v->kind == JSON_LIST)
		add(p, "[]");
	else
		add(p, json_print(p->arena, v, 0));
}

static void add_branch(struct printer *p, const struct json *v, int depth, bool first_in_line);

static void add_indent(struct printer *p, int depth)
{
	add(p, arena_printf(p->arena, "%*s", depth * 2, ""));
}

static void add_member(struct printer *p, const struct json_member *m, int depth)
{
	add_text(p, m->name);
	add(p, is_branch(m->value) ? ":\n" : ": ");
	if (is_branch(m->value)) {
		add_branch(p, m->value, depth + (m->value->kind == JSON_OBJECT), false);
	} else {
		add_leaf(p, m->value);
		add(p, "\n");
	}
}

/* Lists are not indented below their key, as Go's yaml prints them. */
static void add_branch(struct printer *p, const struct json *v, int depth, bool first_in_line)
{
	size_t n = v->kind == JSON_OBJECT ? v->object.n : v->list.n;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 || !first_in_line)
			add_indent(p, depth);
		if (v->kind == JSON_OBJECT) {
			add_member(p, &v->object.v[i], depth);
			continue;
		}
		add(p, "- ");
		if (is_branch(v->list.v[i])) {
			add_branch(p, v->list.v[i], depth + 1, true);
		} else {
			add_leaf(p, v->list.v[i]);
			add(p, "\n");
		}
	}
}

int yaml_print(struct arena *arena, const struct json *value, struct buffer *out)
{
	struct printer p = { arena, out, false };

	if (is_branch(value)) {
		add_branch(&p, value, 0, true);
	} else {
		add_leaf(&p, value);
		add(&p, "\n");
	}
	return p.failed ? -1 : 0;
}
