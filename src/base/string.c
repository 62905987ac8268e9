#include "base/string.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* The layout that ARRAY() gives every list. */
struct any_array {
	char *v;
	size_t n;
};

void *array_add(struct arena *arena, void *array, size_t element_size)
{
	struct any_array *a = array;

	/* Room is the next power of two of n; it is doubled exactly when n reaches one. */
	if ((a->n & (a->n - 1)) == 0) {
		char *v = arena_calloc(arena, a->n ? a->n * 2 : 1, element_size);

		if (a->n)
			memcpy(v, a->v, a->n * element_size);
		a->v = v;
	}
	return a->v + a->n++ * element_size;
}

/* Keeps v[n] NULL, so that v serves as argv and envp: one slot more than the elements. */
static void strings_push(struct arena *arena, struct strings *list, char *s)
{
	size_t slots = list->n + 1;

	if (list->n == 0 || (slots & (slots - 1)) == 0) {
		char **v = arena_calloc(arena, slots * 2 + 1, sizeof(*v));

		if (list->n)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
	}
	list->v[list->n++] = s;
	list->v[list->n] = NULL;
}

void strings_add(struct arena *arena, struct strings *list, const char *s)
{
	strings_push(arena, list, arena_strdup(arena, s));
}

void strings_addf(struct arena *arena, struct strings *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strings_push(arena, list, arena_vprintf(arena, fmt, ap));
	va_end(ap);
}

void strings_add_all(struct arena *arena, struct strings *list, const struct strings *more)
{
	for (size_t i = 0; i < more->n; i++)
		strings_add(arena, list, more->v[i]);
}

bool strings_has(const struct strings *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

char *strings_join(struct arena *arena, const struct strings *list, const char *separator)
{
	size_t size = 1, gap = strlen(separator);
	char *text, *end;

	for (size_t i = 0; i < list->n; i++)
		size += strlen(list->v[i]) + gap;
	end = text = arena_alloc(arena, size);
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			end = stpcpy(end, separator);
		end = stpcpy(end, list->v[i]);
	}
	return text;
}

struct strings strings_split(struct arena *arena, const char *s, const char *separators)
{
	struct strings list = { 0 };

	for (;;) {
		size_t n = strcspn(s, separators);

		strings_push(arena, &list, arena_strndup(arena, s, n));
		if (!s[n])
			return list;
		s += n + 1;
	}
}

const char *map_get(const struct string_map *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->v[i].key, key) == 0)
			return map->v[i].value;
	return NULL;
}

void map_set(struct arena *arena, struct string_map *map, const char *key, const char *value)
{
	struct pair *p;

	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->v[i].key, key) == 0) {
			map->v[i].value = arena_strdup(arena, value);
			return;
		}
	p = ARRAY_ADD(arena, map);
	p->key = arena_strdup(arena, key);
	p->value = arena_strdup(arena, value);
}

struct pair pair_split(struct arena *arena, const char *text)
{
	size_t n = strcspn(text, "=");

	return (struct pair){ arena_strndup(arena, text, n), arena_strdup(arena, text[n] ? text + n + 1 : "") };
}

void map_add_pairs(struct arena *arena, struct string_map *map, const struct strings *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct pair p = pair_split(arena, texts->v[i]);

		map_set(arena, map, p.key, p.value);
	}
}

bool map_has_pair(const struct string_map *map, const char *text)
{
	const char *equals = strchr(text, '=');

	for (size_t i = 0; i < map->n; i++) {
		const char *rest = str_after(text, map->v[i].key);

		if (rest && (!*rest || (rest == equals && strcmp(map->v[i].value, equals + 1) == 0)))
			return true;
	}
	return false;
}

bool map_unset(struct string_map *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->v[i].key, key) == 0) {
			memmove(map->v + i, map->v + i + 1, (map->n - i - 1) * sizeof(*map->v));
			/* An array whose n is no power of two is never too small, so dropping one needs a copy at the
			 * next addition only when n becomes a power of two; array_add copies exactly then. */
			map->n--;
			return true;
		}
	return false;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

char *str_printable(struct arena *arena, const char *s, size_t max)
{
	size_t n = s ? strlen(s) : 0;
	char *text = n > max ? arena_printf(arena, "%.*s...", (int)max, s) : arena_printf(arena, "%s", s ? s : "");

	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return text;
}

char *str_quote(struct arena *arena, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
	struct strings parts = { 0 };

	if (*word && strspn(word, plain) == strlen(word))
		return arena_strdup(arena, word);
	parts = strings_split(arena, word, "'");
	return arena_printf(arena, "'%s'", strings_join(arena, &parts, "'\\''"));
}

int str_to_u64(const char *s, unsigned long long *ret)
{
	char *end;
	unsigned long long n;

	if (!s || !isdigit((unsigned char)*s)) {
		errno = EINVAL;
		return -1;
	}
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno)
		return -1;
	if (*end) {
		errno = EINVAL;
		return -1;
	}
	*ret = n;
	return 0;
}

int str_to_i64(const char *s, long long *ret)
{
	bool negative = s && *s == '-';
	unsigned long long n;

	if (str_to_u64(negative ? s + 1 : s, &n) < 0)
		return -1;
	if (n > (unsigned long long)LLONG_MAX + negative) {
		errno = ERANGE;
		return -1;
	}
	*ret = negative ? (long long)(0 - n) : (long long)n;
	return 0;
}

int str_to_u32(const char *s, unsigned *ret)
{
	unsigned long long n;

	if (str_to_u64(s, &n) < 0)
		return -1;
	if (n > UINT_MAX) {
		errno = ERANGE;
		return -1;
	}
	*ret = (unsigned)n;
	return 0;
}

bool str_take_i64(const char **at, char end, int64_t *ret)
{
	const char *p = *at;
	int64_t n = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > (INT64_MAX - 9) / 10)
			return false;
		n = 10 * n + (*p - '0');
	}
	if (*p != end)
		return false;
	*at = *p ? p + 1 : p;
	*ret = n;
	return true;
}
