#include "transfer/challenge.h"

#include <ctype.h>
#include <strings.h>

#define CHALLENGES_MAX 16
#define SCOPES_MAX 16

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip(const char *s, const char *what)
{
	return s + strspn(s, what);
}

static const char *take_token(struct arena *arena, const char *s, char **ret)
{
	const char *end = s;

	while (is_token(*end))
		end++;
	*ret = arena_strndup(arena, s, (size_t)(end - s));
	return end;
}

/* A quoted string, or what stands there up to a blank or comma: some registries forget the quotes. */
static const char *take_value(struct arena *arena, const char *s, char **ret)
{
	char *out;
	size_t n;

	if (*s != '"') {
		n = strcspn(s, ", \t");
		*ret = arena_strndup(arena, s, n);
		return s + n;
	}
	*ret = out = arena_alloc(arena, strlen(s) + 1);
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		*out++ = *s;
	}
	*out = '\0';
	return *s ? s + 1 : s;
}

static void set_parameter(struct arena *arena, struct challenge *c, const char *name, char *value)
{
	if (strcasecmp(name, "realm") == 0)
		c->realm = value;
	else if (strcasecmp(name, "service") == 0)
		c->service = value;
	else if (strcasecmp(name, "error") == 0)
		c->error = value;
	else if (strcasecmp(name, "scope") == 0 && c->scopes.n < SCOPES_MAX)
		strings_add(arena, &c->scopes, value);
}

/* After "name": is this a parameter ("= value", and no token68 padding)? */
static const char *parameter_value(const char *s)
{
	s = skip(s, " \t");
	if (*s != '=' || s[1] == '=')
		return NULL;
	return skip(s + 1, " \t");
}

/* A scheme's name begins a challenge; of one that is not known the parameters go nowhere. */
static struct challenge *begin(struct arena *arena, const char *scheme, struct challenges *ret, struct challenge *unknown)
{
	bool basic = strcasecmp(scheme, "Basic") == 0;
	struct challenge *c;

	if ((!basic && strcasecmp(scheme, "Bearer") != 0) || ret->n >= CHALLENGES_MAX) {
		*unknown = (struct challenge){ 0 };
		return unknown;
	}
	c = ARRAY_ADD(arena, ret);
	c->scheme = basic ? CHALLENGE_BASIC : CHALLENGE_BEARER;
	return c;
}

void challenge_parse(struct arena *arena, const char *value, struct challenges *ret)
{
	struct challenge unknown = { 0 }, *c = &unknown;
	const char *s = skip(value, ", \t");

	while (*s) {
		char *name, *content;
		const char *after = take_token(arena, s, &name), *text;

		if (after == s) {		/* no token: a stray sign */
			s = skip(s + 1, ", \t");
			continue;
		}
		text = parameter_value(after);
		if (text) {
			s = take_value(arena, text, &content);
			set_parameter(arena, c, name, content);
		} else {
			c = begin(arena, name, ret, &unknown);
			s = after;
		}
		s = skip(s, ", \t");
	}
}

const struct challenge *challenge_choose(const struct challenges *list)
{
	const struct challenge *basic = NULL;

	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i].scheme == CHALLENGE_BEARER && !str_is_empty(list->v[i].realm))
			return &list->v[i];
		if (list->v[i].scheme == CHALLENGE_BASIC)
			basic = basic ? basic : &list->v[i];
	}
	return basic;
}
