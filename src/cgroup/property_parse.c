#include "cgroup/property.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096
#define DEPTH_MAX 8
#define NUMBERS "ynqiuxt"

struct parser {
	struct arena *arena;
	const char *at;
	struct property *property;
	struct error *err;
	const char *name;
};

/* Types of the text format that are words, and what D-Bus calls them. */
static const struct { const char *word; const char *type; } words[] = {
	{ "boolean", "b" }, { "byte", "y" }, { "int16", "n" }, { "uint16", "q" }, { "int32", "i" }, { "handle", "i" },
	{ "uint32", "u" }, { "int64", "x" }, { "uint64", "t" }, { "double", "d" }, { "string", "s" },
	{ "objectpath", "o" }, { "signature", "g" },
};

static char *parse_value(struct parser *p, const char *type, int depth);

static char *complain(struct parser *p, const char *what)
{
	error_set(p->err, ERROR_INVALID, "%s at \"%s\"", what, str_printable(p->arena, p->at, 32));
	return NULL;
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static struct property_step *step(struct parser *p, char what)
{
	struct property_step *s = ARRAY_ADD(p->arena, &p->property->steps);

	*s = (struct property_step){ .what = what };
	return s;
}

/* --- types: the end of one complete type at s, NULL when it is none */
static const char *type_end(const char *s, int depth)
{
	if (depth > DEPTH_MAX || !*s)
		return NULL;
	if (*s == 'a')
		return type_end(s + 1, depth + 1);
	if (*s != '(')
		return strchr("ybnqiuxtdsog", *s) ? s + 1 : NULL;
	for (s++; s && *s != ')';)
		s = type_end(s, depth + 1);
	return s && s[-1] != '(' ? s + 1 : NULL;
}

/* "@as": a type given in front; with `type` it has to be that one. */
static char *parse_typed(struct parser *p, const char *type, int depth)
{
	const char *end = type_end(p->at + 1, 0);
	char *given;

	if (!end)
		return complain(p, "no type");
	given = arena_strndup(p->arena, p->at + 1, (size_t)(end - p->at - 1));
	if (type && !str_eq(type, given))
		return complain(p, "another type than before");
	p->at = end;
	return parse_value(p, given, depth + 1);
}

static bool is_word_end(char c)
{
	return !c || strchr(" \t\n,)]'\"", c);
}

/* --- strings */
static int hex_digits(const char *s, int n, unsigned *ret)
{
	unsigned code = 0;

	for (int i = 0; i < n; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = s[i] ? strchr(digits, s[i]) : NULL;

		if (!digit)
			return -1;
		code = code << 4 | (unsigned)((digit - digits) % 16);
	}
	*ret = code;
	return code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? -1 : 0;
}

static void add_utf8(struct buffer *b, unsigned c)
{
	const char bytes[4] = { (char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 63)), (char)(0x80 | (c >> 6 & 63)),
				(char)(0x80 | (c & 63)) };
	char first;

	if (c < 0x80) {
		first = (char)c;
		buffer_add(b, &first, 1);
	} else if (c < 0x800) {
		first = (char)(0xc0 | c >> 6);
		buffer_add(b, &first, 1);
		buffer_add(b, bytes + 3, 1);
	} else if (c < 0x10000) {
		first = (char)(0xe0 | c >> 12);
		buffer_add(b, &first, 1);
		buffer_add(b, bytes + 2, 2);
	} else {
		buffer_add(b, bytes, 4);
	}
}

/* After the backslash; advances over what belongs to it. */
static int parse_escape(struct parser *p, struct buffer *b)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	const char *name = *p->at ? strchr(names, *p->at) : NULL;
	int digits = *p->at == 'u' ? 4 : *p->at == 'U' ? 8 : 0;
	unsigned code;

	if (!*p->at)
		return -1;
	if (digits) {
		if (hex_digits(p->at + 1, digits, &code) < 0)
			return -1;
		add_utf8(b, code);
	} else {
		buffer_add(b, name ? &values[name - names] : p->at, 1);
	}
	p->at += 1 + digits;
	return 0;
}

/* At the quote; what is in it, or NULL. */
static char *parse_quoted(struct parser *p)
{
	_cleanup_buffer_ struct buffer b = BUFFER(TEXT_MAX);
	char quote = *p->at++;

	while (*p->at != quote) {
		if (!*p->at)
			return complain(p, "a string without an end");
		if (*p->at++ != '\\')
			buffer_add(&b, p->at - 1, 1);
		else if (parse_escape(p, &b) < 0)
			return complain(p, "no escape of a string");
	}
	p->at++;
	return arena_strdup(p->arena, b.data ? b.data : "");
}

static char *parse_string(struct parser *p, const char *type)
{
	char *text;

	if (type && !strchr("sog", *type))
		return complain(p, "a string, where another type is needed");
	text = parse_quoted(p);
	if (!text)
		return NULL;
	type = type ? type : "s";
	step(p, *type)->text = text;
	return arena_strdup(p->arena, type);
}

/* b'...': its bytes and a zero. */
static char *parse_bytes(struct parser *p, const char *type)
{
	char *text;

	if (type && !str_eq(type, "ay"))
		return complain(p, "a byte string, where another type is needed");
	p->at++;
	text = parse_quoted(p);
	if (!text)
		return NULL;
	step(p, 'a')->contents = "y";
	for (size_t i = 0; i <= strlen(text); i++)
		step(p, 'y')->number = (uint8_t)text[i];
	step(p, ')');
	return "ay";
}

/* --- numbers */
static int64_t lowest(char type)
{
	return type == 'n' ? INT16_MIN : type == 'i' ? INT32_MIN : type == 'x' ? INT64_MIN : 0;
}

static uint64_t highest(char type)
{
	switch (type) {
	case 'y':	return UINT8_MAX;
	case 'n':	return INT16_MAX;
	case 'q':	return UINT16_MAX;
	case 'i':	return INT32_MAX;
	case 'u':	return UINT32_MAX;
	case 'x':	return INT64_MAX;
	}
	return UINT64_MAX;
}

static int parse_integer(const char *word, char type, uint64_t *ret)
{
	bool negative = *word == '-';
	const char *digits = word + (negative || *word == '+');
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(digits, &end, 0);
	if (*digits < '0' || *digits > '9' || *end || errno)
		return -1;
	if (negative ? n > -(uint64_t)lowest(type) : n > highest(type))
		return -1;
	*ret = negative ? -n : n;
	return 0;
}

static char *parse_number(struct parser *p, const char *type)
{
	const char *start = p->at;
	char *word, *end;
	uint64_t n;

	while (!is_word_end(*p->at))
		p->at++;
	word = arena_strndup(p->arena, start, (size_t)(p->at - start));
	if (!type)
		type = strpbrk(word, ".eE") && !strpbrk(word, "xX") ? "d" : "i";
	if (*type == 'd') {
		double real = strtod(word, &end);

		if (*end || end == word || real != real)
			goto bad;
		step(p, 'd')->real = real;
		return "d";
	}
	if (!strchr(NUMBERS, *type) || parse_integer(word, *type, &n) < 0)
		goto bad;
	step(p, *type)->number = n;
	return arena_strdup(p->arena, type);
bad:
	p->at = start;
	return complain(p, "no number of the type that is needed");
}

/* --- containers */
static char *parse_array(struct parser *p, const char *type, int depth)
{
	size_t opened = p->property->steps.n;
	char *element = type && *type == 'a' ? arena_strdup(p->arena, type + 1) : NULL;

	if (type && !element)
		return complain(p, "an array, where another type is needed");
	step(p, 'a');
	p->at++;
	for (skip_blanks(p); *p->at != ']'; skip_blanks(p)) {
		element = parse_value(p, element, depth + 1);
		if (!element)
			return NULL;
		skip_blanks(p);
		if (*p->at != ',' && *p->at != ']')
			return complain(p, "an array without an end");
		p->at += *p->at == ',';
	}
	p->at++;
	if (!element)
		return complain(p, "an empty array needs a type (@as [])");
	step(p, ')');
	p->property->steps.v[opened].contents = element;
	return arena_printf(p->arena, "a%s", element);
}

/* "(1, 'a')", "('a',)". */
static char *parse_tuple(struct parser *p, const char *type, int depth)
{
	_cleanup_buffer_ struct buffer inside = BUFFER(256);
	const char *expected = type ? type + 1 : NULL;
	size_t opened = p->property->steps.n;

	if (type && *type != '(')
		return complain(p, "a tuple, where another type is needed");
	step(p, 'r');
	p->at++;
	for (skip_blanks(p); *p->at != ')'; skip_blanks(p)) {
		const char *end = expected ? type_end(expected, 0) : NULL;
		char *wanted = end ? arena_strndup(p->arena, expected, (size_t)(end - expected)) : NULL, *one;

		if (expected && !end)
			return complain(p, "more members than the type has");
		one = parse_value(p, wanted, depth + 1);
		if (!one)
			return NULL;
		if (buffer_adds(&inside, one) < 0)
			return complain(p, "too many members");
		expected = end;
		skip_blanks(p);
		if (*p->at != ',' && *p->at != ')')
			return complain(p, "a tuple without an end");
		p->at += *p->at == ',';
	}
	p->at++;
	if (!inside.size || (expected && *expected != ')'))
		return complain(p, "fewer members than the type has");
	step(p, ')');
	p->property->steps.v[opened].contents = arena_strdup(p->arena, inside.data);
	return arena_printf(p->arena, "(%s)", inside.data);
}

/* --- one value: answers its signature */
static char *parse_word(struct parser *p, const char *type, int depth)
{
	for (size_t i = 0; i < ELEMENTS(words); i++) {
		const char *rest = str_after(p->at, words[i].word);

		if (!rest || (*rest != ' ' && *rest != '\t'))
			continue;
		if (type && !str_eq(type, words[i].type))
			return complain(p, "another type than before");
		p->at = rest;
		return parse_value(p, words[i].type, depth + 1);
	}
	for (int truth = 0; truth < 2; truth++) {
		const char *rest = str_after(p->at, truth ? "true" : "false");

		if (!rest || !is_word_end(*rest) || (type && !str_eq(type, "b")))
			continue;
		p->at = rest;
		step(p, 'b')->number = (uint64_t)truth;
		return "b";
	}
	return complain(p, "no value");
}

static char *parse_value(struct parser *p, const char *type, int depth)
{
	if (depth > DEPTH_MAX)
		return complain(p, "too deep");
	skip_blanks(p);
	switch (*p->at) {
	case '@':	return parse_typed(p, type, depth);
	case '[':	return parse_array(p, type, depth);
	case '(':	return parse_tuple(p, type, depth);
	case '\'': case '"':	return parse_string(p, type);
	}
	if (*p->at == 'b' && (p->at[1] == '\'' || p->at[1] == '"'))
		return parse_bytes(p, type);
	if (*p->at && strchr("+-.0123456789", *p->at))
		return parse_number(p, type);
	return parse_word(p, type, depth);
}

/* "TimeoutStopSec": 5 is the D-Bus property TimeoutStopUSec of 5000000. */
static int seconds_to_microseconds(struct property *p, struct error *err)
{
	struct property_step *s = p->steps.v;
	double seconds = *p->signature == 'd' ? s->real : 0;

	if (p->steps.n != 1 || !strchr("d" NUMBERS, s->what))
		return error_set(err, ERROR_INVALID, "expected a number of seconds");
	if (s->what == 'd' ? !(seconds >= 0 && seconds < 1e12) :
			     s->number > UINT64_MAX / 1000000 || (strchr("nix", s->what) && (int64_t)s->number < 0))
		return error_set(err, ERROR_INVALID, "no such number of seconds");
	s->number = s->what == 'd' ? (uint64_t)(seconds * 1e6) : s->number * 1000000;
	s->what = 't';
	p->signature = "t";
	return 0;
}

int property_parse(struct arena *arena, const char *name, const char *text, struct property *ret, struct error *err)
{
	struct parser p = { .arena = arena, .at = text, .property = ret, .err = err };
	size_t length = strlen(name);

	*ret = (struct property){ .name = arena_strdup(arena, name) };
	if (strlen(text) > TEXT_MAX)
		return error_set(err, ERROR_INVALID, "longer than %d bytes", TEXT_MAX);
	ret->signature = parse_value(&p, NULL, 0);
	if (!ret->signature)
		return -1;
	skip_blanks(&p);
	if (*p.at) {
		complain(&p, "more than one value");
		return -1;
	}
	if (length < 4 || !str_eq(name + length - 3, "Sec") || name[length - 4] < 'a')
		return 0;
	ret->name = arena_printf(arena, "%.*sUSec", (int)(length - 3), name);
	return seconds_to_microseconds(ret, err);
}

/* --- the text again */
static int print_text(const char *text, struct buffer *out)
{
	buffer_add(out, "'", 1);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buffer_add(out, "\\", 1);
		buffer_add(out, text, 1);
	}
	return buffer_add(out, "'", 1);
}

static int print_step(const struct property_step *s, struct buffer *out)
{
	switch (s->what) {
	case 'a':	return buffer_printf(out, "a{%s", s->contents);
	case 'r':	return buffer_printf(out, "r{%s", s->contents);
	case ')':	return buffer_adds(out, "}");
	case 's': case 'o': case 'g':	return print_text(s->text, out);
	case 'd':	return buffer_printf(out, "%g", s->real);
	case 'n': case 'i': case 'x':	return buffer_printf(out, "%lld", (long long)s->number);
	}
	return buffer_printf(out, "%llu", (unsigned long long)s->number);
}

int property_print(const struct property *p, struct buffer *out)
{
	buffer_printf(out, "%s %s", p->name, p->signature);
	for (size_t i = 0; i < p->steps.n; i++) {
		buffer_adds(out, " ");
		if (print_step(&p->steps.v[i], out) < 0)
			return -1;
	}
	return 0;
}
