#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_scan.h"

/* Its ceiling is the address space: what is printed was in memory before. */
#define PRINT_MAX (SIZE_MAX / 4)

static void out_of_memory(int r)
{
	if (r < 0)
		arena_exhausted();
}

static void add(struct buffer *out, const char *p, size_t n)
{
	out_of_memory(buffer_add(out, p, n));
}

static void add_escape(struct buffer *out, unsigned char c)
{
	switch (c) {
	case '"':	add(out, "\\\"", 2); break;
	case '\\':	add(out, "\\\\", 2); break;
	case '\n':	add(out, "\\n", 2); break;
	case '\r':	add(out, "\\r", 2); break;
	case '\t':	add(out, "\\t", 2); break;
	case '\b':	add(out, "\\b", 2); break;
	case '\f':	add(out, "\\f", 2); break;
	default:	out_of_memory(buffer_printf(out, "\\u%04x", c)); break;
	}
}

/* Characters that a terminal acts upon: U+0080 to U+009F, which may begin an escape sequence, and the marks that turn the
 * direction of text (U+202A to U+202E, U+2066 to U+2069). Answers 0 for all others. */
static unsigned acting(const char *s, size_t length)
{
	const unsigned char *p = (const unsigned char *)s;

	if (length == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return p[1];
	if (length == 3 && p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
					    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
		return 0x2000 | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return 0;
}

void json_print_string(struct buffer *out, const char *s)
{
	size_t n = strlen(s), plain = 0;

	add(out, "\"", 1);
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)s[i];
		size_t length = json_utf8_length(s + i, n - i);
		unsigned action = acting(s + i, length);

		if (action) {
			add(out, s + plain, i - plain);
			out_of_memory(buffer_printf(out, "\\u%04x", action));
			plain = i += length;
			continue;
		}
		if (length && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i += length;
			continue;
		}
		add(out, s + plain, i - plain);
		if (length)
			add_escape(out, c);
		else
			add(out, "\\ufffd", 6);		/* as Go: JSON has no way to write a stray byte */
		plain = ++i;
	}
	add(out, s + plain, n - plain);
	add(out, "\"", 1);
}

/* The shortest digits that read back as the same number, with an exponent only where Go uses one. */
static void print_double(struct buffer *out, double d)
{
	double size = d < 0 ? -d : d;
	int digits = 0, exponent;
	char text[40];

	if (d != d || d - d != 0) {		/* JSON knows neither NaN nor infinity */
		add(out, "null", 4);
		return;
	}
	if (d == 0) {			/* -0 is 0 for everyone who reads it as an integer */
		add(out, "0", 1);
		return;
	}
	do
		snprintf(text, sizeof(text), "%.*e", digits, d);
	while (strtod(text, NULL) != d && digits++ < 17);
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (size >= 1e-6 && size < 1e18)	/* Go: 1e21, but that would read back as an integer out of range */
		snprintf(text, sizeof(text), "%.*f", digits > exponent ? digits - exponent : 0, d);
	add(out, text, strlen(text));
}

static void new_line(struct buffer *out, int indent, int depth)
{
	if (indent == 0)
		return;
	out_of_memory(buffer_printf(out, "\n%*s", indent * depth, ""));
}

static void print(struct buffer *out, const struct json *value, int indent, int depth);

static void print_list(struct buffer *out, const struct json *value, int indent, int depth)
{
	if (value->list.n == 0) {
		add(out, "[]", 2);
		return;
	}
	for (size_t i = 0; i < value->list.n; i++) {
		add(out, i ? "," : "[", 1);
		new_line(out, indent, depth + 1);
		print(out, value->list.v[i], indent, depth + 1);
	}
	new_line(out, indent, depth);
	add(out, "]", 1);
}

static void print_object(struct buffer *out, const struct json *value, int indent, int depth)
{
	if (value->object.n == 0) {
		add(out, "{}", 2);
		return;
	}
	for (size_t i = 0; i < value->object.n; i++) {
		add(out, i ? "," : "{", 1);
		new_line(out, indent, depth + 1);
		json_print_string(out, value->object.v[i].name);
		add(out, ": ", indent ? 2 : 1);
		print(out, value->object.v[i].value, indent, depth + 1);
	}
	new_line(out, indent, depth);
	add(out, "}", 1);
}

static void print(struct buffer *out, const struct json *value, int indent, int depth)
{
	switch (value->kind) {
	case JSON_NULL:
		add(out, "null", 4);
		break;
	case JSON_BOOL:
		out_of_memory(buffer_adds(out, value->boolean ? "true" : "false"));
		break;
	case JSON_INT:
		out_of_memory(buffer_printf(out, "%" PRId64, value->integer));
		break;
	case JSON_UINT:
		out_of_memory(buffer_printf(out, "%" PRIu64, value->uinteger));
		break;
	case JSON_DOUBLE:
		print_double(out, value->number);
		break;
	case JSON_STRING:
		json_print_string(out, value->string);
		break;
	case JSON_LIST:
		print_list(out, value, indent, depth);
		break;
	case JSON_OBJECT:
		print_object(out, value, indent, depth);
		break;
	}
}

char *json_print(struct arena *arena, const struct json *value, int indent)
{
	_cleanup_buffer_ struct buffer out = BUFFER(PRINT_MAX);

	print(&out, value, indent, 0);
	return arena_memdup(arena, out.data, out.size);
}
