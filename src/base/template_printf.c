/* Go's fmt.Sprintf over values, for base/template. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/template_node.h"

#define WIDTH_MAX 1000

struct verb {
	bool left, zero, plus, space, sharp;
	int width, precision;		/* precision -1: none */
	char letter;
};

static int digits(const char **s)
{
	int n = 0;

	for (; isdigit((unsigned char)**s); ++*s)
		n = n > WIDTH_MAX ? n : n * 10 + (**s - '0');
	return n > WIDTH_MAX ? WIDTH_MAX : n;
}

/* After the percent sign. Answers what follows the verb; its letter is 0 at the end of the text. */
static const char *parse_verb(const char *s, struct verb *v)
{
	*v = (struct verb){ .precision = -1 };
	for (;; s++) {
		if (*s == '-')
			v->left = true;
		else if (*s == '0')
			v->zero = true;
		else if (*s == '+')
			v->plus = true;
		else if (*s == ' ')
			v->space = true;
		else if (*s == '#')
			v->sharp = true;
		else
			break;
	}
	v->width = digits(&s);
	if (*s == '.') {
		s++;
		v->precision = digits(&s);
	}
	v->letter = *s;
	return *s ? s + 1 : s;
}

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

static void add_padded(struct buffer *out, const struct verb *v, const char *s, size_t n)
{
	size_t count = characters(s, n);
	int gap = (size_t)v->width > count ? v->width - (int)count : 0;

	if (!v->left && v->zero) {
		size_t sign = n && (*s == '-' || *s == '+');

		buffer_add(out, s, sign);
		for (int i = 0; i < gap; i++)
			buffer_adds(out, "0");
		buffer_add(out, s + sign, n - sign);
		return;
	}
	buffer_printf(out, "%*s", v->left ? 0 : gap, "");
	buffer_add(out, s, n);
	buffer_printf(out, "%*s", v->left ? gap : 0, "");
}

/* The first `precision` characters. */
static size_t cut(const struct verb *v, const char *s, size_t n)
{
	size_t count = 0, i;

	if (v->precision < 0)
		return n;
	for (i = 0; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80 && count++ == (size_t)v->precision)
			break;
	return i;
}

static const char *type_name(const struct json *value)
{
	switch (value->kind) {
	case JSON_BOOL:		return "bool";
	case JSON_INT:		return "int64";
	case JSON_UINT:		return "uint64";
	case JSON_DOUBLE:	return "float64";
	case JSON_STRING:	return "string";
	case JSON_LIST:		return "[]interface {}";
	case JSON_OBJECT:	return "map[string]interface {}";
	case JSON_NULL:		break;
	}
	return "<nil>";
}

static void hexadecimal(struct buffer *text, const char *s, bool upper)
{
	for (; *s; s++)
		buffer_printf(text, upper ? "%02X" : "%02x", (unsigned char)*s);
}

static bool format_integer(struct buffer *text, const struct verb *v, const struct json *value)
{
	bool negative = value->kind == JSON_INT && value->integer < 0;
	uint64_t n = value->kind == JSON_UINT ? value->uinteger :
		     negative ? 0 - (uint64_t)value->integer : (uint64_t)value->integer;

	buffer_adds(text, negative ? "-" : v->plus ? "+" : v->space ? " " : "");
	switch (v->letter) {
	case 'd': case 'v':
		buffer_printf(text, "%" PRIu64, n);
		return true;
	case 'x':
		buffer_printf(text, "%s%" PRIx64, v->sharp ? "0x" : "", n);
		return true;
	case 'X':
		buffer_printf(text, "%s%" PRIX64, v->sharp ? "0X" : "", n);
		return true;
	case 'o':
		buffer_printf(text, "%s%" PRIo64, v->sharp ? "0" : "", n);
		return true;
	case 'b':
		for (int bit = 63; bit >= 0; bit--)
			if (n >> bit || bit == 0)
				buffer_adds(text, n >> bit & 1 ? "1" : "0");
		return true;
	default:
		return false;
	}
}

static bool format_float(struct buffer *text, const struct verb *v, const struct json *value)
{
	int precision = v->precision < 0 ? 6 : v->precision;

	if (v->plus && value->number >= 0)
		buffer_adds(text, "+");
	switch (v->letter) {
	case 'f': case 'F':
		buffer_printf(text, "%.*f", precision, value->number);
		return true;
	case 'e':
		buffer_printf(text, "%.*e", precision, value->number);
		return true;
	case 'g': case 'v':
		if (v->precision < 0)
			template_format(text, value);
		else
			buffer_printf(text, "%.*g", precision, value->number);
		return true;
	default:
		return false;
	}
}

static bool format_string(struct buffer *text, const struct verb *v, const char *s)
{
	switch (v->letter) {
	case 's': case 'v':
		buffer_add(text, s, cut(v, s, strlen(s)));
		return true;
	case 'q':
		json_print_string(text, s);
		return true;
	case 'x': case 'X':
		hexadecimal(text, s, v->letter == 'X');
		return true;
	default:
		return false;
	}
}

static bool format_value(struct buffer *text, const struct verb *v, const struct json *value)
{
	if (v->letter == 'T') {
		buffer_adds(text, type_name(value));
		return true;
	}
	switch (value->kind) {
	case JSON_INT: case JSON_UINT:
		return format_integer(text, v, value);
	case JSON_DOUBLE:
		return format_float(text, v, value);
	case JSON_STRING:
		return format_string(text, v, value->string);
	case JSON_BOOL:
		if (v->letter != 't' && v->letter != 'v')
			return false;
		break;
	case JSON_NULL:
		if (v->letter != 'v')
			return false;
		break;
	case JSON_LIST: case JSON_OBJECT:
		break;
	}
	template_format(text, value);
	return true;
}

static void format_argument(struct buffer *out, const struct verb *v, const struct json *value)
{
	_cleanup_buffer_ struct buffer text = BUFFER(TEMPLATE_RESULT_MAX);

	if (!format_value(&text, v, value)) {
		buffer_printf(out, "%%!%c(%s%s", v->letter, value->kind == JSON_NULL ? "" : type_name(value),
			      value->kind == JSON_NULL ? "" : "=");
		template_format(out, value);
		buffer_adds(out, ")");
		return;
	}
	add_padded(out, v, text.data ? text.data : "", text.size);
	out->failed = out->failed || text.failed;
}

const struct json *template_printf(const struct template_call *c, const struct json *const *args, size_t n)
{
	_cleanup_buffer_ struct buffer out = BUFFER(TEMPLATE_RESULT_MAX);
	size_t next = 1;

	if (args[0]->kind != JSON_STRING) {
		template_error(c->err, c->text, c->at, "printf: the format is no string");
		return NULL;
	}
	for (const char *s = args[0]->string; *s;) {
		struct verb v;
		size_t plain = strcspn(s, "%");

		buffer_add(&out, s, plain);
		s += plain;
		if (!*s)
			break;
		s = parse_verb(s + 1, &v);
		if (v.letter == '%')
			buffer_adds(&out, "%");
		else if (!v.letter)
			buffer_adds(&out, "%!(NOVERB)");
		else if (next >= n)
			buffer_printf(&out, "%%!%c(MISSING)", v.letter);
		else
			format_argument(&out, &v, args[next++]);
	}
	for (bool first = true; next < n; next++, first = false) {
		buffer_printf(&out, "%s%s=", first ? "%!(EXTRA " : ", ", type_name(args[next]));
		template_format(&out, args[next]);
		buffer_adds(&out, next + 1 == n ? ")" : "");
	}
	return template_text(c, &out);
}
