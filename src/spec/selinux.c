#include "spec/selinux.h"

#include <ctype.h>

/* --- contexts */

static bool is_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(s);
}

static bool is_level(const char *s)
{
	struct selinux_categories ignored;

	return selinux_parse_categories(s, &ignored) == 0;
}

int selinux_parse(struct arena *arena, const char *text, struct selinux_context *ret, struct error *err)
{
	char *rest = arena_strdup(arena, text);
	struct selinux_context c = { 0 };

	c.user = strsep(&rest, ":");
	c.role = strsep(&rest, ":");
	c.type = strsep(&rest, ":");
	c.level = rest;
	if (!c.type || !is_name(c.user) || !is_name(c.role) || !is_name(c.type) || (c.level && !is_level(c.level)))
		return error_set(err, ERROR_INVALID, "\"%s\" is no SELinux context: it must be user:role:type:level",
				 str_printable(arena, text, 100));
	*ret = c;
	return 0;
}

char *selinux_print(struct arena *arena, const struct selinux_context *c)
{
	return arena_printf(arena, "%s:%s:%s%s%s", c->user, c->role, c->type, c->level ? ":" : "", c->level ? c->level : "");
}

/* --- files of the policy */

/* The value of a line `key = value` or `key = "value"`, which may have blanks anywhere; NULL when it is another's. */
static char *value_of(char *line, const char *key)
{
	const char *rest = str_after(line + strspn(line, " \t"), key);
	char *value, *end;

	if (!rest)
		return NULL;
	rest += strspn(rest, " \t");
	if (*rest != '=')
		return NULL;
	value = line + (rest + 1 - line);
	value += strspn(value, " \t\"");
	end = value + strcspn(value, " \t\r\"#");
	*end = '\0';
	return value;
}

/* The last line with the key counts. */
static char *find_value(struct arena *arena, const char *text, const char *key)
{
	char *rest = arena_strdup(arena, text), *line, *found = NULL;

	while ((line = strsep(&rest, "\n"))) {
		char *value = value_of(line, key);

		if (value)
			found = value;
	}
	return found;
}

char *selinux_policy_name(struct arena *arena, const char *config)
{
	char *name = config ? find_value(arena, config, "SELINUXTYPE") : NULL;

	return name && is_name(name) && *name != '.' ? name : arena_strdup(arena, "targeted");
}

static bool read_context(struct arena *arena, const char *text, const char *key, const char *usual,
			 struct selinux_context *ret)
{
	char *value = text ? find_value(arena, text, key) : NULL;

	if (value && selinux_parse(arena, value, ret, NULL) == 0)
		return true;
	selinux_parse(arena, usual, ret, NULL);
	return false;
}

void selinux_read_contexts(struct arena *arena, const char *text, struct selinux_contexts *ret)
{
	bool process = read_context(arena, text, "process", "system_u:system_r:container_t:s0", &ret->process);
	bool file = read_context(arena, text, "file", "system_u:object_r:container_file_t:s0", &ret->file);

	ret->found = process && file;
}

/* --- categories */

/* "c12", below the kernel's number of categories; advances *s. */
static int parse_category(const char **s, unsigned *ret)
{
	unsigned n = 0;

	if (**s != 'c' || !isdigit((unsigned char)(*s)[1]))
		return -1;
	for (++*s; isdigit((unsigned char)**s); ++*s) {
		n = n * 10 + (unsigned)(**s - '0');
		if (n >= SELINUX_CATEGORIES)
			return -1;
	}
	*ret = n;
	return 0;
}

/* "c1,c4.c7" up to the end of the text. */
static int parse_set(const char *s, struct selinux_categories *ret)
{
	for (;; s++) {
		unsigned first, last;

		if (parse_category(&s, &first) < 0)
			return -1;
		last = first;
		if (*s == '.' && (s++, parse_category(&s, &last) < 0 || last < first))
			return -1;
		for (unsigned i = first; i <= last; i++)
			ret->bits[i / 64] |= UINT64_C(1) << (i % 64);
		if (!*s)
			return 0;
		if (*s != ',')
			return -1;
	}
}

/* One end of a range: "s0", "s0:c1,c2", of n bytes. */
static int parse_end(const char *s, size_t n, struct selinux_categories *ret)
{
	char text[4096];
	size_t sensitivity;

	*ret = (struct selinux_categories){ 0 };
	if (n >= sizeof(text))
		return -1;
	memcpy(text, s, n);
	text[n] = '\0';
	sensitivity = 1 + strspn(text + (n > 0), "0123456789");
	if (text[0] != 's' || sensitivity < 2)
		return -1;
	if (!text[sensitivity])
		return 0;
	return text[sensitivity] == ':' ? parse_set(text + sensitivity + 1, ret) : -1;
}

int selinux_parse_categories(const char *level, struct selinux_categories *ret)
{
	const char *dash = strchr(level, '-');

	if (dash && parse_end(level, (size_t)(dash - level), ret) < 0)
		return -1;
	level = dash ? dash + 1 : level;
	return parse_end(level, strlen(level), ret);
}

static bool has(const struct selinux_categories *set, unsigned i)
{
	return set->bits[i / 64] >> (i % 64) & 1;
}

/* The number of the n-th category of the set. */
static unsigned nth(const struct selinux_categories *set, unsigned n)
{
	unsigned i = 0;

	while (!has(set, i) || n--)
		i++;
	return i;
}

bool selinux_pick_pair(const struct selinux_categories *set, uint64_t random, unsigned *ret_a, unsigned *ret_b)
{
	unsigned n = 0, low = 0;

	for (unsigned i = 0; i < SELINUX_CATEGORIES; i++)
		n += has(set, i);
	if (n < 2)
		return false;
	/* Pairs in the order (0,1) (0,2) ... (1,2) ...: the lowest category is in n - 1 of them, the next in n - 2 ... */
	random %= (uint64_t)n * (n - 1) / 2;
	for (; random >= n - 1 - low; low++)
		random -= n - 1 - low;
	*ret_a = nth(set, low);
	*ret_b = nth(set, low + 1 + (unsigned)random);
	return true;
}

char *selinux_level_without_categories(struct arena *arena, const char *level)
{
	return level ? arena_strndup(arena, level, strcspn(level, ":-")) : NULL;
}

char *selinux_level_with_pair(struct arena *arena, const char *level, unsigned a, unsigned b)
{
	return arena_printf(arena, "%s:c%u,c%u", selinux_level_without_categories(arena, level), a, b);
}
