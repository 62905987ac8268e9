#include "base/glob.h"

#include <stdint.h>
#include <string.h>

/* A pattern is compiled to a row of tokens, and all ways through it are followed at once, so that no pattern takes
 * more time than its length times that of the name. */
#define TOKENS_MAX 4096

enum token_kind {
	CHARACTER,	/* the character at `at` */
	ANY,		/* one character, not '/' */
	CLASS,		/* at `at` stands the byte after '[' */
	STAR,		/* any characters but '/' */
	DEEP,		/* double star at the end: anything */
	COMPONENTS,	/* double star before more: nothing, or anything that ends with '/' */
	IN_COMPONENTS,	/* the same once it has taken a character */
	END,
};

struct token { enum token_kind kind; const char *at; };

/* The character at s and its bytes; a byte that is no UTF-8 stands for itself. */
static uint32_t character(const char *s, size_t *ret_n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] >= 0xf0 && p[0] < 0xf8 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 1;
	uint32_t c = n == 1 ? p[0] : p[0] & (0xff >> (n + 1));

	*ret_n = 1;
	if (p[0] >= 0xf8)
		return p[0];
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return p[0];
		c = c << 6 | (p[i] & 0x3f);
	}
	*ret_n = n;
	return c;
}

/* One bound of a class: a character or an escaped one. Answers what follows, NULL when malformed. */
static const char *class_bound(const char *p, uint32_t *ret)
{
	size_t n;

	if (!*p || *p == '-' || *p == ']')
		return NULL;
	if (*p == '\\' && !*++p)
		return NULL;
	*ret = character(p, &n);
	return p + n;
}

/* Walks a class from the byte after '['. Answers what follows ']' (NULL when malformed) and whether c is in it. */
static const char *class_walk(const char *p, uint32_t c, bool *ret_has)
{
	bool negated = *p == '^', has = false;

	if (negated)
		p++;
	do {
		uint32_t low, high;

		p = class_bound(p, &low);
		if (!p)
			return NULL;
		high = low;
		if (*p == '-') {
			p = class_bound(p + 1, &high);
			if (!p)
				return NULL;
		}
		has = has || (low <= c && c <= high);
	} while (*p != ']');
	*ret_has = has != negated;
	return p + 1;
}

/* Answers the token's end in the pattern, NULL when it is malformed. */
static const char *compile_one(const char *p, bool path, struct token *tokens, size_t *n)
{
	struct token *t = &tokens[(*n)++];
	bool ignored;
	size_t bytes;

	t->at = p;
	switch (*p) {
	case '*':
		if (!path || p[1] != '*') {
			t->kind = STAR;
			return p + 1;
		}
		p += strspn(p, "*");
		p += *p == '/';
		t->kind = *p ? COMPONENTS : DEEP;
		if (*p)
			tokens[(*n)++].kind = IN_COMPONENTS;
		return p;
	case '?':
		t->kind = ANY;
		return p + 1;
	case '[':
		t->kind = CLASS;
		t->at = p + 1;
		return class_walk(p + 1, 0, &ignored);
	case '\\':
		t->at = ++p;
		if (!*p)
			return NULL;
		__attribute__((fallthrough));
	default:
		t->kind = CHARACTER;
		character(p, &bytes);
		return p + bytes;
	}
}

/* Leaving a star without taking a character costs nothing. */
static void add_state(const struct token *tokens, unsigned char *states, size_t i)
{
	for (;;) {
		states[i] = 1;
		if (tokens[i].kind == STAR || tokens[i].kind == DEEP)
			i++;
		else if (tokens[i].kind == COMPONENTS)
			i += 2;
		else
			return;
		if (states[i])
			return;
	}
}

static void step(const struct token *tokens, unsigned char *next, size_t i, uint32_t c)
{
	const struct token *t = &tokens[i];
	bool has = false;
	size_t bytes;

	switch (t->kind) {
	case CHARACTER:
		has = character(t->at, &bytes) == c;
		break;
	case ANY:
		has = c != '/';
		break;
	case CLASS:
		class_walk(t->at, c, &has);
		break;
	case STAR:
		if (c != '/')
			add_state(tokens, next, i);
		return;
	case DEEP:
		add_state(tokens, next, i);
		return;
	case COMPONENTS:
	case IN_COMPONENTS:
		i += t->kind == COMPONENTS;
		next[i] = 1;
		has = c == '/';
		break;
	case END:
		return;
	}
	if (has)
		add_state(tokens, next, i + 1);
}

static bool match(const char *pattern, const char *name, bool path)
{
	struct token tokens[TOKENS_MAX + 3];
	unsigned char states[2][TOKENS_MAX + 3] = { 0 };
	size_t n = 0, bytes;
	int now = 0;

	while (*pattern) {
		if (n >= TOKENS_MAX)
			return false;
		pattern = compile_one(pattern, path, tokens, &n);
		if (!pattern)
			return false;
	}
	tokens[n].kind = END;
	add_state(tokens, states[now], 0);
	for (; *name; name += bytes) {
		uint32_t c = character(name, &bytes);

		memset(states[!now], 0, n + 1);
		for (size_t i = 0; i < n; i++)
			if (states[now][i])
				step(tokens, states[!now], i, c);
		now = !now;
	}
	return states[now][n];
}

bool glob_match(const char *pattern, const char *name)
{
	return match(pattern, name, false);
}

bool glob_match_path(const char *pattern, const char *path)
{
	return match(pattern, path, true);
}

#define WORD_MAX 48

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make b of a (optimal string alignment). */
static unsigned distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= bn; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[an % 3][bn];
}

const char *glob_closest(const char *word, const char *const *candidates)
{
	size_t n = strlen(word);
	unsigned best = n < 3 ? 1 : n < 8 ? 2 : 3;
	const char *closest = NULL;

	if (n > WORD_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t m = strlen(*candidates);
		unsigned d;

		if (m > WORD_MAX)
			continue;
		d = distance(word, n, *candidates, m);
		if (d < n && d < m && (d < best || (!closest && d == best))) {
			best = d;
			closest = *candidates;
		}
	}
	return closest;
}
