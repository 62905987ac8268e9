/* base/string - lists of strings, maps of strings, and small questions about text
 *
 * Strings are NUL-terminated and usually live in an arena. Lists grow by doubling inside the arena. */
#ifndef BRYO_BASE_STRING_H
#define BRYO_BASE_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

/* Every list in bryo has this layout, so that one table-driven decoder and encoder serves them all. */
#define ARRAY(type) struct { type *v; size_t n; }

struct strings {
	char **v;		/* v[n] is NULL once something was added */
	size_t n;
};

struct pair {
	char *key, *value;
};

struct string_map {		/* keeps insertion order; small */
	struct pair *v;
	size_t n;
};

/* Makes room for one more element of the given size in any ARRAY and answers its address (zeroed). */
void *array_add(struct arena *arena, void *array, size_t element_size);
#define ARRAY_ADD(arena, array) ((__typeof__((array)->v))array_add((arena), (array), sizeof(*(array)->v)))

void strings_add(struct arena *arena, struct strings *list, const char *s);	/* copies */
void strings_addf(struct arena *arena, struct strings *list, const char *fmt, ...) ERROR_PRINTF(3, 4);
void strings_add_all(struct arena *arena, struct strings *list, const struct strings *more);
bool strings_has(const struct strings *list, const char *s);
char *strings_join(struct arena *arena, const struct strings *list, const char *separator);
/* Splits at any of the separators; empty parts are kept. */
struct strings strings_split(struct arena *arena, const char *s, const char *separators);

const char *map_get(const struct string_map *map, const char *key);		/* NULL when absent */
void map_set(struct arena *arena, struct string_map *map, const char *key, const char *value);	/* copies, replaces */
/* "KEY=VALUE"; "KEY" has an empty value. */
struct pair pair_split(struct arena *arena, const char *text);
void map_add_pairs(struct arena *arena, struct string_map *map, const struct strings *texts);
/* As filters mean it: "KEY" with whatever value, or "KEY=VALUE". */
bool map_has_pair(const struct string_map *map, const char *text);
bool map_unset(struct string_map *map, const char *key);

static inline bool str_eq(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }
static inline bool str_is_empty(const char *s) { return !s || !*s; }
static inline bool str_starts(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }
bool str_ends(const char *s, const char *suffix);
/* The text after the prefix, or NULL when s does not start so. */
const char *str_after(const char *s, const char *prefix);

/* Foreign text for a message: at most max bytes, control bytes as '?', "..." where it was cut. NULL gives "". */
char *str_printable(struct arena *arena, const char *s, size_t max);
/* One word as a shell needs it: what is to be pasted may name files of strangers. */
char *str_quote(struct arena *arena, const char *word);

/* Strict decimal numbers: no sign for unsigned, no blanks, no overflow. Answers -1 with errno EINVAL or ERANGE. */
int str_to_u64(const char *s, unsigned long long *ret);
int str_to_i64(const char *s, long long *ret);
int str_to_u32(const char *s, unsigned *ret);
/* Digits up to the byte `end`: *at is behind it then. false: no such number, or none that fits. */
bool str_take_i64(const char **at, char end, int64_t *ret);

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

#endif
