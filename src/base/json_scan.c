#include "base/json_scan.h"

#include <errno.h>
#include <stdlib.h>

struct scan {
	struct arena *arena;
	const char *text, *at, *end;
	const char *problem;
	struct json_counts counts;
	/* For each open bracket the index of its object in counts, or -1 for a list. */
	long open[JSON_DEPTH_MAX];
	int depth, weight;
};

static bool refuse(struct scan *s, const char *problem)
{
	s->problem = problem;
	return false;
}

/* A text of a few MiB must not become gigabytes in memory. */
static bool weigh(struct scan *s, int weight)
{
	s->weight += weight;
	return s->weight <= JSON_WEIGHT_MAX || refuse(s, "too many values");
}

static bool is_digit(const struct scan *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool scan_digits(struct scan *s)
{
	if (!is_digit(s))
		return refuse(s, "malformed number");
	while (is_digit(s))
		s->at++;
	return true;
}

/* An integer must fit 64 bits and a fraction must be finite, or json-c would answer another number. */
static bool number_fits(const char *start, size_t n, bool integer)
{
	char copy[400], *end;

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, start, n);
	copy[n] = '\0';
	errno = 0;
	if (!integer) {
		double d = strtod(copy, &end);

		return *end == '\0' && d <= __DBL_MAX__ && d >= -__DBL_MAX__;
	}
	if (copy[0] == '-')
		strtoll(copy, &end, 10);
	else
		strtoull(copy, &end, 10);
	return errno == 0;
}

static bool scan_number(struct scan *s)
{
	const char *start = s->at;
	bool integer = true;

	if (*s->at == '-')
		s->at++;
	if (s->end - s->at > 1 && s->at[0] == '0' && s->at[1] >= '0' && s->at[1] <= '9')
		return refuse(s, "number with a leading zero");
	if (!scan_digits(s))
		return false;
	if (s->at < s->end && *s->at == '.') {
		integer = false;
		s->at++;
		if (!scan_digits(s))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		integer = false;
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (!scan_digits(s))
			return false;
	}
	if (!number_fits(start, (size_t)(s->at - start), integer)) {
		s->at = start;
		return refuse(s, "number out of range");
	}
	return true;
}

static bool scan_string(struct scan *s)
{
	size_t length = 1;

	for (s->at++; s->at < s->end; s->at += length) {
		unsigned char c = (unsigned char)*s->at;

		length = json_utf8_length(s->at, (size_t)(s->end - s->at));
		if (!length)
			return refuse(s, "invalid UTF-8 in a string");
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c < 0x20)
			return refuse(s, "control byte in a string");
		if (c != '\\')
			continue;
		if (s->end - s->at >= 6 && memcmp(s->at, "\\u0000", 6) == 0)
			return refuse(s, "string with a NUL character");
		if (s->end - s->at > 1)		/* what is escaped, be it a quote */
			s->at++;
	}
	return refuse(s, "unterminated string");
}

static bool scan_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ELEMENTS(words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(s->end - s->at) >= n && memcmp(s->at, words[i], n) == 0) {
			s->at += n;
			return true;
		}
	}
	return refuse(s, "unexpected character");
}

static bool scan_open(struct scan *s, bool object)
{
	if (s->depth == JSON_DEPTH_MAX)
		return refuse(s, "nested too deeply");
	if (!weigh(s, object ? 6 : 1))
		return false;
	s->open[s->depth++] = object ? (long)s->counts.n : -1;
	if (object)
		*ARRAY_ADD(s->arena, &s->counts) = 0;
	s->at++;
	return true;
}

/* Whether brackets match and commas stand right is left to json-c. */
static bool scan_token(struct scan *s)
{
	switch (*s->at) {
	case '{':
	case '[':
		return scan_open(s, *s->at == '{');
	case '}':
	case ']':
		if (s->depth == 0)
			return refuse(s, "unexpected character");
		s->depth--;
		s->at++;
		return true;
	case ':':
		if (s->depth == 0 || s->open[s->depth - 1] < 0)
			return refuse(s, "unexpected character");
		s->counts.v[s->open[s->depth - 1]]++;
		s->weight--;		/* what stood before was a name, no value */
		s->at++;
		return true;
	case ',': case ' ': case '\t': case '\n': case '\r':
		s->at++;
		return true;
	case '"':
		return weigh(s, 1) && scan_string(s);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return weigh(s, 1) && scan_number(s);
	default:
		return weigh(s, 1) && scan_word(s);
	}
}

int json_scan(struct arena *arena, const char *text, size_t len, const char *where, struct json_counts *ret,
	      struct error *err)
{
	struct scan s = { .arena = arena, .text = text, .at = text, .end = text + len };

	while (s.at < s.end)
		if (!scan_token(&s))
			return json_text_error(err, where, text, (size_t)(s.at - text), s.problem);
	*ret = s.counts;
	return 0;
}

size_t json_utf8_length(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (n < length || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

int json_text_error(struct error *err, const char *where, const char *text, size_t offset, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < offset; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return error_set(err, ERROR_INVALID, "%s: line %zu, column %zu: %s", where, line, column, what);
}
