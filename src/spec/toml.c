/* spec/toml - TOML 1.0 as a JSON value; dates stay strings. Hand-written files, so every error has line and column. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/json_scan.h"
#include "spec/registries.h"

#define TEXT_MAX ((size_t)1 << 20)
#define DEPTH_MAX 32
#define MEMBERS_MAX 10000	/* a table; names are searched one by one */

struct toml {
	struct arena *arena;
	const char *where, *text, *at, *end;
	struct json *root, *table;	/* table: what key = value lines go to */
	ARRAY(struct json *) defined;	/* tables with a [header], inline tables, and lists that were written as [ ... ] */
	size_t members;
	int depth;
	struct error *err;
};

static int refuse(struct toml *t, const char *what)
{
	return json_text_error(t->err, t->where, t->text, (size_t)(t->at - t->text), what);
}

static int peek(const struct toml *t)
{
	return t->at < t->end ? (unsigned char)*t->at : -1;
}

static bool take(struct toml *t, char c)
{
	if (peek(t) != (unsigned char)c)
		return false;
	t->at++;
	return true;
}

static bool looking_at(const struct toml *t, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(t->end - t->at) >= n && memcmp(t->at, s, n) == 0;
}

static void skip_blanks(struct toml *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
		t->at++;
}

static void skip_comment(struct toml *t)
{
	if (peek(t) == '#')
		while (t->at < t->end && *t->at != '\n')
			t->at++;
}

/* Blanks, comments and line ends, as they may stand inside a list. */
static void skip_space(struct toml *t)
{
	for (;;) {
		skip_blanks(t);
		skip_comment(t);
		if (peek(t) != '\n' && !looking_at(t, "\r\n"))
			return;
		t->at += *t->at == '\r' ? 2 : 1;
	}
}

static int end_of_line(struct toml *t)
{
	skip_blanks(t);
	skip_comment(t);
	if (looking_at(t, "\r\n"))
		t->at++;
	if (t->at < t->end && !take(t, '\n'))
		return refuse(t, "expected the end of the line");
	return 0;
}

static bool is_defined(const struct toml *t, const struct json *table)
{
	for (size_t i = 0; i < t->defined.n; i++)
		if (t->defined.v[i] == table)
			return true;
	return false;
}

static void define(struct toml *t, struct json *table)
{
	*ARRAY_ADD(t->arena, &t->defined) = table;
}

/* --- strings */

static void add_character(struct buffer *out, unsigned long c)
{
	char bytes[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		bytes[0] = (char)c;
	} else {
		for (size_t i = n - 1; i > 0; i--, c >>= 6)
			bytes[i] = (char)(0x80 | (c & 0x3f));
		bytes[0] = (char)((0xf00 >> n & 0xff) | c);
	}
	buffer_add(out, bytes, n);
}

static int unicode_escape(struct toml *t, int digits, struct buffer *out)
{
	unsigned long c = 0;

	for (int i = 0; i < digits; i++, t->at++) {
		if (!isxdigit(peek(t) < 0 ? 0 : peek(t)))
			return refuse(t, "malformed \\u escape");
		c = c * 16 + (unsigned long)(isdigit(peek(t)) ? peek(t) - '0' : tolower(peek(t)) - 'a' + 10);
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return refuse(t, "\\u escape of no character");
	add_character(out, c);
	return 0;
}

/* After the backslash. In a multi-line string one at the end of a line joins it with the next text. */
static int escape(struct toml *t, bool multiline, struct buffer *out)
{
	static const char from[] = "btnfr\"\\e", to[] = "\b\t\n\f\r\"\\\033";
	int c = peek(t);
	const char *known = c > 0 ? strchr(from, c) : NULL;

	if (known) {
		buffer_add(out, to + (known - from), 1);
		t->at++;
		return 0;
	}
	if (c == 'u' || c == 'U') {
		t->at++;
		return unicode_escape(t, c == 'u' ? 4 : 8, out);
	}
	if (multiline && c > 0 && isspace(c)) {
		skip_blanks(t);
		if (peek(t) != '\n' && !looking_at(t, "\r\n"))
			return refuse(t, "unknown escape");
		while (t->at < t->end && isspace((unsigned char)*t->at))
			t->at++;
		return 0;
	}
	return refuse(t, "unknown escape");
}

/* The end of a multi-line string may have one or two quotes of its text right before it. */
static bool end_of_multiline(struct toml *t, char quote, struct buffer *out)
{
	const char three[] = { quote, quote, quote, '\0' };

	if (!looking_at(t, three))
		return false;
	for (int extra = 0; extra < 2 && t->end - t->at > 3 && t->at[3] == quote; extra++, t->at++)
		buffer_add(out, &quote, 1);
	t->at += 3;
	return true;
}

static int string_body(struct toml *t, char quote, bool multiline, struct buffer *out)
{
	for (;;) {
		int c = peek(t);

		if (multiline ? end_of_multiline(t, quote, out) : c == quote)
			break;
		if (c < 0 || (c == '\n' && !multiline))
			return refuse(t, "unterminated string");
		if ((c < 0x20 && c != '\t' && c != '\n' && !(multiline && looking_at(t, "\r\n"))) || c == 0x7f)
			return refuse(t, "control byte in a string");
		t->at++;
		if (c == '\\' && quote == '"') {
			if (escape(t, multiline, out) < 0)
				return -1;
		} else {
			buffer_add(out, t->at - 1, 1);
		}
	}
	if (!multiline)
		t->at++;
	return 0;
}

static int string(struct toml *t, bool key, const char **ret)
{
	_cleanup_buffer_ struct buffer out = BUFFER(TEXT_MAX);
	char quote = *t->at++;
	bool multiline = false;

	if (peek(t) == quote && t->end - t->at > 1 && t->at[1] == quote) {
		if (key)
			return refuse(t, "a name cannot be a multi-line string");
		t->at += 2;
		multiline = true;
		if (looking_at(t, "\r\n"))
			t->at++;
		take(t, '\n');
	}
	if (string_body(t, quote, multiline, &out) < 0)
		return -1;
	*ret = arena_memdup(t->arena, out.data, out.size);
	return 0;
}

/* --- numbers, words, dates */

/* Copies without the underscores that may stand between digits; NULL when one stands elsewhere. */
static char *without_underscores(struct toml *t, const char *s, size_t n)
{
	char *copy = arena_alloc(t->arena, n + 1), *out = copy;

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '_')
			*out++ = s[i];
		else if (i == 0 || i + 1 == n || !isxdigit((unsigned char)s[i - 1]) || !isxdigit((unsigned char)s[i + 1]))
			return NULL;
	}
	return copy;
}

static struct json *radix_number(struct toml *t, const char *s)
{
	int base = s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : 2;
	unsigned long long n;
	char *end;

	if (!isxdigit((unsigned char)s[2]))
		return NULL;
	errno = 0;
	n = strtoull(s + 2, &end, base);
	return errno || *end || n > INT64_MAX ? NULL : json_new_int(t->arena, (int64_t)n);
}

static struct json *number(struct toml *t, const char *s)
{
	const char *digits = s + (*s == '+' || *s == '-'), *p = digits;
	long long n;
	double d;
	char *end;

	if (*s == '0' && s[1] && strchr("xob", s[1]))
		return radix_number(t, s);
	if (!isdigit((unsigned char)*p) || (p[0] == '0' && isdigit((unsigned char)p[1])))
		return NULL;
	p += strspn(p, "0123456789");
	if (!*p)
		return str_to_i64(*s == '+' ? digits : s, &n) < 0 ? NULL : json_new_int(t->arena, n);
	if (strspn(p, "0123456789.eE+-") != strlen(p) || (*p == '.' && !isdigit((unsigned char)p[1])))
		return NULL;
	d = strtod(s, &end);
	return *end || end[-1] == '.' || d - d != 0 ? NULL : json_new_double(t->arena, d);
}

/* 1979-05-27, 07:32:00, 1979-05-27T07:32:00Z: nothing here reads them, so their text is enough. */
static bool is_date(const char *s, size_t n)
{
	return n >= 5 && isdigit((unsigned char)s[0]) && isdigit((unsigned char)s[1]) &&
	       (s[2] == ':' || (n >= 10 && s[4] == '-' && s[7] == '-')) && strspn(s, "0123456789:.-+TtZz") >= n;
}

static int word(struct toml *t, struct json **ret)
{
	const char *start = t->at, *copy;
	size_t n;
	char *plain;

	while (t->at < t->end && (isalnum((unsigned char)*t->at) || strchr("+-._:", *t->at)) && *t->at)
		t->at++;
	n = (size_t)(t->at - start);
	copy = arena_memdup(t->arena, start, n);
	t->at = start;
	if (strcmp(copy, "true") == 0 || strcmp(copy, "false") == 0)
		*ret = json_new_bool(t->arena, *copy == 't');
	else if (is_date(copy, n))
		*ret = json_new_string(t->arena, copy);
	else if (!(plain = without_underscores(t, copy, n)) || !(*ret = number(t, plain)))
		return refuse(t, n ? "malformed value" : "expected a value");
	t->at = start + n;
	return 0;
}

/* --- keys */

static int key_part(struct toml *t, const char **ret)
{
	const char *start = t->at;

	if (peek(t) == '"' || peek(t) == '\'')
		return string(t, true, ret);
	while (t->at < t->end && (isalnum((unsigned char)*t->at) || *t->at == '_' || *t->at == '-'))
		t->at++;
	if (t->at == start)
		return refuse(t, "expected a name");
	*ret = arena_strndup(t->arena, start, (size_t)(t->at - start));
	return 0;
}

static int add_member(struct toml *t, struct json *table, const char *name, struct json *value)
{
	if (table->object.n >= MEMBERS_MAX)
		return refuse(t, "too many members");
	json_set(t->arena, table, name, value);
	return 0;
}

/* The table that a name in the middle of a dotted key stands for: made when absent, the last one of a list. */
static int descend(struct toml *t, struct json **table, const char *name)
{
	struct json *next = (struct json *)json_get(*table, name);

	if (!next) {
		next = json_new_object(t->arena);
		if (add_member(t, *table, name, next) < 0)
			return -1;
	}
	if (next->kind == JSON_LIST && next->list.n && !is_defined(t, next))
		next = next->list.v[next->list.n - 1];
	if (next->kind != JSON_OBJECT)
		return refuse(t, "this name is no table");
	*table = next;
	return 0;
}

/* a.b."c" : walks to the table of the last part. */
static int dotted_key(struct toml *t, struct json **table, const char **ret_last)
{
	for (int parts = 0;; parts++) {
		skip_blanks(t);
		if (parts == DEPTH_MAX)
			return refuse(t, "nested too deeply");
		if (key_part(t, ret_last) < 0)
			return -1;
		skip_blanks(t);
		if (!take(t, '.'))
			return 0;
		if (descend(t, table, *ret_last) < 0)
			return -1;
	}
}

static int value(struct toml *t, struct json **ret);

static int pair(struct toml *t, struct json *table)
{
	const char *start = t->at, *name;
	struct json *content;

	if (dotted_key(t, &table, &name) < 0)
		return -1;
	if (json_get(table, name)) {
		t->at = start;
		return refuse(t, "this name was given before");
	}
	if (!take(t, '='))
		return refuse(t, "expected \"=\"");
	skip_blanks(t);
	if (value(t, &content) < 0)
		return -1;
	return add_member(t, table, name, content);
}

/* --- lists and tables */

static int list(struct toml *t, struct json **ret)
{
	*ret = json_new_list(t->arena);
	define(t, *ret);
	t->at++;
	for (;;) {
		struct json *item;

		skip_space(t);
		if (take(t, ']'))
			return 0;
		if (value(t, &item) < 0)
			return -1;
		json_append(t->arena, *ret, item);
		skip_space(t);
		if (!take(t, ',') && peek(t) != ']')
			return refuse(t, "expected \",\" or \"]\"");
	}
}

static int inline_table(struct toml *t, struct json **ret)
{
	*ret = json_new_object(t->arena);
	t->at++;
	skip_blanks(t);
	if (take(t, '}'))
		return 0;
	for (;;) {
		skip_blanks(t);
		if (pair(t, *ret) < 0)
			return -1;
		skip_blanks(t);
		if (take(t, '}'))
			return 0;
		if (!take(t, ','))
			return refuse(t, "expected \",\" or \"}\"");
	}
}

static int value(struct toml *t, struct json **ret)
{
	const char *text;
	int r;

	if (t->depth == DEPTH_MAX)
		return refuse(t, "nested too deeply");
	t->depth++;
	switch (peek(t)) {
	case '"':
	case '\'':
		r = string(t, false, &text);
		if (r == 0)
			*ret = json_new_string(t->arena, text);
		break;
	case '[':
		r = list(t, ret);
		break;
	case '{':
		r = inline_table(t, ret);
		break;
	default:
		r = word(t, ret);
	}
	t->depth--;
	return r;
}

/* [[a.b]]: one more table in a list. */
static int open_list_table(struct toml *t, struct json *parent, const char *name)
{
	struct json *tables = (struct json *)json_get(parent, name);

	if (!tables) {
		tables = json_new_list(t->arena);
		if (add_member(t, parent, name, tables) < 0)
			return -1;
	}
	if (tables->kind != JSON_LIST || is_defined(t, tables))
		return refuse(t, "this name was given before, and is no list of tables");
	if (tables->list.n >= MEMBERS_MAX)
		return refuse(t, "too many tables");
	t->table = json_new_object(t->arena);
	json_append(t->arena, tables, t->table);
	return 0;
}

static int open_table(struct toml *t, struct json *parent, const char *name)
{
	t->table = (struct json *)json_get(parent, name);
	if (!t->table) {
		t->table = json_new_object(t->arena);
		if (add_member(t, parent, name, t->table) < 0)
			return -1;
	}
	if (t->table->kind != JSON_OBJECT || is_defined(t, t->table))
		return refuse(t, "this table was given before");
	if (t->defined.n >= MEMBERS_MAX)
		return refuse(t, "too many tables");
	define(t, t->table);
	return 0;
}

static int header(struct toml *t)
{
	struct json *parent = t->root;
	const char *name;
	bool many;

	t->at++;
	many = take(t, '[');
	if (dotted_key(t, &parent, &name) < 0)
		return -1;
	if ((many ? open_list_table(t, parent, name) : open_table(t, parent, name)) < 0)
		return -1;
	if (!take(t, ']') || (many && !take(t, ']')))
		return refuse(t, "expected \"]\"");
	return end_of_line(t);
}

static int document(struct toml *t)
{
	for (;;) {
		skip_space(t);
		if (t->at == t->end)
			return 0;
		if (*t->at == '[') {
			if (header(t) < 0)
				return -1;
		} else if (pair(t, t->table) < 0 || end_of_line(t) < 0) {
			return -1;
		}
	}
}

struct json *toml_parse(struct arena *arena, const char *text, size_t len, const char *where, struct error *err)
{
	struct toml t = { .arena = arena, .where = where, .text = text, .at = text, .end = text + len, .err = err };

	if (len > TEXT_MAX) {
		error_set(err, ERROR_INVALID, "%s: too large", where);
		return NULL;
	}
	if (looking_at(&t, "\xef\xbb\xbf"))
		t.at += 3;
	t.root = t.table = json_new_object(arena);
	return document(&t) < 0 ? NULL : t.root;
}
