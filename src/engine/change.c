#include "engine/change.h"

#include <ctype.h>

/* One word of KEY=VALUE lists: quotes and backslashes are taken off. Answers where the rest begins; NULL at the end. */
static const char *next_word(struct arena *arena, const char *s, char **ret)
{
	char *out, quote = '\0';

	while (*s == ' ' || *s == '\t')
		s++;
	if (!*s)
		return NULL;
	*ret = out = arena_alloc(arena, strlen(s) + 1);
	for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '\\' && s[1] && quote != '\'')
			*out++ = *++s;
		else if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? '\0' : *s;
		else
			*out++ = *s;
	}
	*out = '\0';
	return s;
}

/* ["a","b"] is taken as it is, anything else is given to a shell. */
static int command(struct arena *arena, struct strings *ret, const char *text, struct error *err)
{
	struct json *list = *text == '[' ? json_parse(arena, text, strlen(text), "command", NULL) : NULL;

	*ret = (struct strings){ 0 };
	if (!list) {
		strings_add(arena, ret, "/bin/sh");
		strings_add(arena, ret, "-c");
		strings_add(arena, ret, text);
		return 0;
	}
	for (size_t i = 0; i < list->list.n; i++) {
		if (list->list.v[i]->kind != JSON_STRING)
			return error_set(err, ERROR_USAGE, "a command is a list of strings: %s", text);
		strings_add(arena, ret, list->list.v[i]->string);
	}
	return 0;
}

static void set_env(struct arena *arena, struct strings *env, const char *key, const char *value)
{
	char *line = arena_printf(arena, "%s=%s", key, value);
	size_t n = strlen(key) + 1;

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], line, n) == 0) {
			env->v[i] = line;
			return;
		}
	strings_add(arena, env, line);
}

/* KEY=VALUE KEY=VALUE, or the old KEY VALUE of ENV and LABEL. */
static int pairs(struct arena *arena, struct image_container_config *c, bool is_env, const char *text,
		 struct error *err)
{
	char *word, *equals;
	const char *rest = next_word(arena, text, &word);

	if (!rest)
		return error_set(err, ERROR_USAGE, "it needs KEY=VALUE");
	if (!strchr(word, '=')) {
		while (*rest == ' ' || *rest == '\t')
			rest++;
		if (!*rest)
			return error_set(err, ERROR_USAGE, "%s: it needs KEY=VALUE", word);
		if (is_env)
			set_env(arena, &c->env, word, rest);
		else
			map_set(arena, &c->labels, word, rest);
		return 0;
	}
	for (; rest; rest = next_word(arena, rest, &word)) {
		equals = strchr(word, '=');
		if (!equals || equals == word)
			return error_set(err, ERROR_USAGE, "%s: it needs KEY=VALUE", word);
		*equals = '\0';
		if (is_env)
			set_env(arena, &c->env, word, equals + 1);
		else
			map_set(arena, &c->labels, word, equals + 1);
	}
	return 0;
}

static void add_once(struct arena *arena, struct strings *list, const char *s)
{
	if (!strings_has(list, s))
		strings_add(arena, list, s);
}

static int volumes(struct arena *arena, struct strings *ret, const char *text, struct error *err)
{
	struct strings list = { 0 };
	char *word;

	if (*text == '[') {
		if (command(arena, &list, text, err) < 0)
			return -1;
	} else {
		while ((text = next_word(arena, text, &word)))
			strings_add(arena, &list, word);
	}
	for (size_t i = 0; i < list.n; i++)
		add_once(arena, ret, list.v[i]);
	return 0;
}

static void expose(struct arena *arena, struct strings *ret, const char *text)
{
	char *word;

	while ((text = next_word(arena, text, &word)))
		add_once(arena, ret, strchr(word, '/') ? word : arena_printf(arena, "%s/tcp", word));
}

static int apply(struct arena *arena, struct image_container_config *c, const char *verb, const char *text,
		 struct error *err)
{
	if (strcasecmp(verb, "CMD") == 0)
		return command(arena, &c->cmd, text, err);
	if (strcasecmp(verb, "ENTRYPOINT") == 0)
		return command(arena, &c->entrypoint, text, err);
	if (strcasecmp(verb, "ENV") == 0 || strcasecmp(verb, "LABEL") == 0)
		return pairs(arena, c, strcasecmp(verb, "ENV") == 0, text, err);
	if (strcasecmp(verb, "VOLUME") == 0)
		return volumes(arena, &c->volumes, text, err);
	if (strcasecmp(verb, "EXPOSE") == 0)
		expose(arena, &c->exposed_ports, text);
	else if (strcasecmp(verb, "USER") == 0)
		c->user = arena_strdup(arena, text);
	else if (strcasecmp(verb, "WORKDIR") == 0)
		c->working_dir = arena_strdup(arena, text);
	else if (strcasecmp(verb, "STOPSIGNAL") == 0)
		c->stop_signal = arena_strdup(arena, text);
	else if (strcasecmp(verb, "ONBUILD") == 0)
		strings_add(arena, &c->on_build, text);
	else
		return error_set(err, ERROR_USAGE, "%s cannot be changed", verb);
	return 0;
}

int change_apply(struct arena *arena, struct image_container_config *config, const char *instruction,
		 struct error *err)
{
	size_t n;
	char *verb, *end;
	const char *text;

	while (isspace((unsigned char)*instruction))
		instruction++;
	n = strcspn(instruction, " \t=");	/* Podman takes CMD=... too */
	verb = arena_strndup(arena, instruction, n);
	text = instruction + n;
	while (*text == ' ' || *text == '\t' || (*text == '=' && text == instruction + n))
		text++;
	text = arena_strdup(arena, text);
	end = (char *)(uintptr_t)text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (!*text)
		return error_set(err, ERROR_USAGE, "change \"%s\": it needs a value", instruction);
	if (apply(arena, config, verb, text, err) < 0)
		return error_frame(err, "change \"%s\"", instruction);
	return 0;
}
