/* The part of base/template that prints listings. */
#include <ctype.h>

#include "base/template_node.h"

#define MIN_WIDTH 12	/* of a column with its gap, as Podman's tables */
#define GAP 2

/* "CreatedAt" -> "CREATED AT", "ContainerID" -> "CONTAINER ID". */
static char *spell_out(struct arena *arena, const char *name)
{
	size_t n = strlen(name);
	char *text = arena_alloc(arena, 2 * n + 1), *out = text;

	for (size_t i = 0; i < n; i++) {
		bool upper = isupper((unsigned char)name[i]);
		bool word = i && upper && (islower((unsigned char)name[i - 1]) || islower((unsigned char)name[i + 1]));

		if (word)
			*out++ = ' ';
		*out++ = name[i] == '_' ? ' ' : (char)toupper((unsigned char)name[i]);
	}
	return text;
}

static const char *header_of(struct arena *arena, const char *field, const struct string_map *headers)
{
	for (size_t i = 0; headers && i < headers->n; i++)
		if (strcasecmp(headers->v[i].key, field) == 0)
			return headers->v[i].value;
	return spell_out(arena, field);
}

/* The first member that a pipe looks at names its column. */
static const char *field_of(const struct template_pipe *pipe)
{
	for (size_t i = 0; i < pipe->commands.n; i++)
		for (size_t j = 0; j < pipe->commands.v[i].terms.n; j++) {
			const struct template_term *term = &pipe->commands.v[i].terms.v[j];
			const char *field = term->kind == TERM_PIPE ? field_of(term->pipe) : NULL;

			if (term->fields.n)
				return term->fields.v[term->fields.n - 1];
			if (field)
				return field;
		}
	return NULL;
}

static void add_header(struct arena *arena, const struct template_list *nodes, const struct string_map *headers,
		       struct buffer *out)
{
	for (size_t i = 0; i < nodes->n; i++) {
		const struct template_node *node = &nodes->v[i];
		const char *field = node->pipe ? field_of(node->pipe) : NULL;

		if (node->kind == NODE_TEXT)
			buffer_adds(out, node->text);
		else if (field && !node->pipe->variables.n)
			buffer_adds(out, header_of(arena, field, headers));
	}
	buffer_adds(out, "\n");
}

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

struct widths { size_t *v; size_t n; };

/* Each tab ends a cell of its column; what follows the last one is as long as it likes. */
static struct widths measure(struct arena *arena, const char *text)
{
	struct widths widths = { 0 };
	size_t column = 0;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\t\n");

		if (p[n] == '\t') {
			size_t width = characters(p, n) + GAP;

			if (column == widths.n)
				*ARRAY_ADD(arena, &widths) = MIN_WIDTH;
			if (width > widths.v[column])
				widths.v[column] = width;
		}
		column = p[n] == '\t' ? column + 1 : 0;
		p += n + (p[n] != '\0');
	}
	return widths;
}

static void align(struct arena *arena, const char *text, struct buffer *out)
{
	struct widths widths = measure(arena, text);
	size_t column = 0;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\t\n");

		buffer_add(out, p, n);
		if (p[n] == '\t')
			buffer_printf(out, "%*s", (int)(widths.v[column] - characters(p, n)), "");
		else if (p[n])
			buffer_adds(out, "\n");
		column = p[n] == '\t' ? column + 1 : 0;
		p += n + (p[n] != '\0');
	}
}

/* {{range .}} walks the rows by itself. */
static bool walks_rows(const struct template *t)
{
	const struct template_node *first = t->nodes.n ? &t->nodes.v[0] : NULL;
	const struct template_command *command;

	if (!first || first->kind != NODE_RANGE || first->pipe->commands.n != 1)
		return false;
	command = &first->pipe->commands.v[0];
	return command->terms.n == 1 && command->terms.v[0].kind == TERM_DOT && command->terms.v[0].fields.n == 0;
}

static void end_line(struct buffer *out, size_t start)
{
	if (out->size == start || out->data[out->size - 1] != '\n')
		buffer_adds(out, "\n");
}

static int run_rows(struct arena *arena, const struct template *t, const struct json *rows, struct buffer *out,
		    struct error *err)
{
	if (walks_rows(t))
		return template_run(arena, t, rows, out, err);
	for (size_t i = 0; rows->kind == JSON_LIST && i < rows->list.n; i++) {
		size_t start = out->size;

		if (template_run(arena, t, rows->list.v[i], out, err) < 0)
			return -1;
		end_line(out, start);
	}
	return 0;
}

int template_rows(struct arena *arena, const char *format, const struct json *rows, const struct string_map *headers,
		  bool with_header, struct buffer *out, struct error *err)
{
	_cleanup_buffer_ struct buffer cells = BUFFER(out->limit);
	const char *text = str_after(format, "table ");
	const struct template *t;

	if (strcmp(format, "json") == 0) {
		buffer_adds(out, json_print(arena, rows, 4));
		buffer_adds(out, "\n");
		return 0;
	}
	t = template_parse(arena, text ? text : format, err);
	if (!t)
		return -1;
	if (!text)
		return run_rows(arena, t, rows, out, err);
	if (with_header)
		add_header(arena, &t->nodes, headers, &cells);
	if (run_rows(arena, t, rows, &cells, err) < 0)
		return -1;
	align(arena, cells.data ? cells.data : "", out);
	if (out->failed)
		return error_set(err, ERROR_USAGE, "template: the result is too long");
	return 0;
}
