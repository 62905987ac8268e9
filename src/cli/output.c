#include "cli/output.h"

#include <stdio.h>
#include <unistd.h>

#include "base/template.h"
#include "base/units.h"
#include "sys/tty.h"

/* --- cleaning */

/* Length of the valid, printable UTF-8 sequence at s; 0 when there is none. */
static size_t printable(const unsigned char *s)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	unsigned code = n == 1 ? s[0] : n == 2 ? s[0] & 0x1f : n == 3 ? s[0] & 0x0f : s[0] & 0x07;

	if (n == 0 || s[0] >= 0xf5)
		return 0;
	if (n == 1)
		return code >= ' ' && code != 0x7f;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* C1 controls, surrogates, and the marks that turn the direction of text. */
	if (code < least[n] || code < 0xa0 || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff ||
	    (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return 0;
	return n;
}

char *output_clean(struct arena *arena, const char *s)
{
	char *copy = arena_strdup(arena, s), *to = copy;

	for (const char *from = s; *from;) {
		size_t n = printable((const unsigned char *)from);

		if (n == 1) {
			*to++ = *from++;
		} else if (n) {
			memmove(to, from, n);
			to += n;
			from += n;
		} else {
			*to++ = '?';
			from++;
		}
	}
	*to = '\0';
	return copy;
}

static bool is_clean(const char *s)
{
	size_t n;

	while (*s && (n = printable((const unsigned char *)s)))
		s += n;
	return !*s;
}

static bool is_clean_json(const struct json *value)
{
	if (value->kind == JSON_STRING)
		return is_clean(value->string);
	for (size_t i = 0; value->kind == JSON_LIST && i < value->list.n; i++)
		if (!is_clean_json(value->list.v[i]))
			return false;
	for (size_t i = 0; value->kind == JSON_OBJECT && i < value->object.n; i++)
		if (!is_clean(value->object.v[i].name) || !is_clean_json(value->object.v[i].value))
			return false;
	return true;
}

static struct json *copy_clean(struct arena *arena, const struct json *value);

/* Nearly always there is nothing to do. */
const struct json *output_clean_json(struct arena *arena, const struct json *value)
{
	return is_clean_json(value) ? value : copy_clean(arena, value);
}

static struct json *copy_clean(struct arena *arena, const struct json *value)
{
	struct json *copy = arena_memdup(arena, value, sizeof(*value));

	switch (value->kind) {
	case JSON_STRING:
		return json_new_string(arena, output_clean(arena, value->string));
	case JSON_LIST:
		copy = json_new_list(arena);
		for (size_t i = 0; i < value->list.n; i++)
			json_append(arena, copy, copy_clean(arena, value->list.v[i]));
		return copy;
	case JSON_OBJECT:
		copy = json_new_object(arena);
		for (size_t i = 0; i < value->object.n; i++)
			json_set(arena, copy, output_clean(arena, value->object.v[i].name),
				 copy_clean(arena, value->object.v[i].value));
		return copy;
	default:
		return copy;
	}
}

/* --- printing */

/* An empty buffer has no data at all. */
static void output_text(const struct buffer *text)
{
	if (text->size)
		fwrite(text->data, 1, text->size, stdout);
}

void output_json(struct cli *cli, const struct json *value)
{
	puts(json_print(cli->arena, value, 4));
}

static bool is_json_format(const char *format)
{
	return format && (strcmp(format, "json") == 0 || strcmp(format, "{{json .}}") == 0);
}

/* In a table a blank between two fields begins a new column, as in Podman: "table {{.ID}} {{.Names}}". */
static const char *tabs_for_blanks(struct arena *arena, const char *format)
{
	char *copy = arena_strdup(arena, format);
	bool inside = false;

	for (char *c = copy + strlen("table "); *c; c++) {
		if ((c[0] == '{' && c[1] == '{') || (c[0] == '}' && c[1] == '}'))
			inside = c[0] == '{';
		else if (*c == ' ' && !inside)
			*c = '\t';
	}
	return copy;
}

/* "table" alone, or nothing, is the command's own table. */
static const char *complete_format(struct arena *arena, const struct listing *l, bool *ret_table)
{
	const char *rest = l->format ? str_after(l->format, "table") : "";

	*ret_table = rest && (!*rest || *rest == ' ' || *rest == '\t');
	if (*ret_table && !*rest)
		return arena_printf(arena, "table %s", l->table);
	return *ret_table ? tabs_for_blanks(arena, l->format) : l->format;
}

int output_listing(struct cli *cli, const struct listing *l, const struct json *rows, const struct json *view,
		   struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(64 << 20);
	struct string_map headers = { 0 };
	const char *format;
	bool table;

	if (l->format && strcmp(l->format, "json") == 0) {
		output_json(cli, rows);
		return 0;
	}
	format = complete_format(cli->arena, l, &table);
	for (const char *const *h = l->headers; h && h[0]; h += 2)
		map_set(cli->arena, &headers, h[0], h[1]);
	if (table || tty_is(STDOUT_FILENO))
		view = output_clean_json(cli->arena, view);
	if (template_rows(cli->arena, format, view, &headers, !l->no_heading, &out, err) < 0)
		return -1;
	output_text(&out);
	return 0;
}

int output_object(struct cli *cli, const char *format, const struct json *value, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(64 << 20);
	struct template *t;

	if (!format || strcmp(format, "json") == 0) {
		output_json(cli, value);
		return 0;
	}
	if (tty_is(STDOUT_FILENO) && !is_json_format(format))
		value = output_clean_json(cli->arena, value);
	t = template_parse(cli->arena, format, err);
	if (!t || template_run(cli->arena, t, value, &out, err) < 0)
		return -1;
	output_text(&out);
	putchar('\n');
	return 0;
}

/* Columns of a terminal that the text takes: one for each code point. */
static size_t columns_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void output_columns(struct cli *cli, const struct strings *rows, size_t n)
{
	size_t columns = 0, *width;

	for (size_t i = 0; i < n; i++)
		columns = rows[i].n > columns ? rows[i].n : columns;
	width = arena_new_array(cli->arena, size_t, columns + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < rows[i].n; k++)
			width[k] = columns_of(rows[i].v[k]) > width[k] ? columns_of(rows[i].v[k]) : width[k];
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < rows[i].n; k++) {
			bool last = k + 1 == rows[i].n;

			printf("%s%*s", rows[i].v[k], last ? 0 : (int)(width[k] - columns_of(rows[i].v[k]) + 2), "");
		}
		putchar('\n');
	}
}

void output_wrapped(const char *text, int width)
{
	int at = 0;

	while (*text) {
		int n = (int)strcspn(text, " \n");

		if (at > 0 && at + 1 + n > width)
			at = (putchar('\n'), 0);
		printf("%s%.*s", at ? " " : "", n, text);
		at += n + (at > 0);
		text += n;
		if (*text == '\n')
			at = (printf("%.*s", (int)strspn(text, "\n"), "\n\n"), 0);
		text += strspn(text, " \n");
	}
	putchar('\n');
}

/* --- views */

const char *view_short_id(struct arena *arena, const char *id, bool full)
{
	const char *hex = str_after(id, "sha256:");

	if (full)
		return id;
	return arena_strndup(arena, hex ? hex : id, 12);
}

const char *view_text(struct arena *arena, const struct json *object, const char *name, const char *separator)
{
	const struct json *v = json_get(object, name);
	struct strings parts = { 0 };

	if (v && v->kind == JSON_STRING)
		return v->string;
	if (!v || v->kind != JSON_LIST)
		return "";
	for (size_t i = 0; i < v->list.n; i++)
		if (v->list.v[i]->kind == JSON_STRING)
			strings_add(arena, &parts, v->list.v[i]->string);
	return strings_join(arena, &parts, separator);
}

int64_t view_int(const struct json *object, const char *name)
{
	const struct json *v = json_get(object, name);

	if (!v)
		return 0;
	return v->kind == JSON_INT ? v->integer : v->kind == JSON_DOUBLE ? (int64_t)v->number : 0;
}

int64_t view_time(const struct json *object, const char *name)
{
	const char *text = json_get_string(object, name);
	int64_t ns = 0;

	if (text)
		return *text && units_parse_time(text, units_now(), &ns) == 0 ? ns : 0;
	return view_int(object, name) * 1000000000;
}

const char *view_ago(struct arena *arena, int64_t ns)
{
	int64_t age = units_now() - ns;

	return arena_printf(arena, "%s ago", units_human_duration(arena, age > 0 ? age : 0));
}

struct json *view_of(struct arena *arena, const struct json *object)
{
	struct json *copy = json_new_object(arena);

	for (size_t i = 0; object->kind == JSON_OBJECT && i < object->object.n; i++)
		json_set(arena, copy, object->object.v[i].name, object->object.v[i].value);
	return copy;
}
