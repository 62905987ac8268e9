#include "engine/security.h"

static int parse_paths(struct arena *arena, const char *value, struct strings *ret, struct error *err)
{
	struct strings parts = strings_split(arena, value, ":");

	for (size_t i = 0; i < parts.n; i++) {
		if (*parts.v[i] != '/')
			return error_set(err, ERROR_USAGE, "\"%s\" is no absolute path", parts.v[i]);
		strings_add(arena, ret, parts.v[i]);
	}
	return 0;
}

static int parse_one(struct arena *arena, const char *text, struct security *s, struct error *err)
{
	const char *at = strpbrk(text, "=:");
	const char *key = at ? arena_strndup(arena, text, (size_t)(at - text)) : text;
	const char *value = at ? at + 1 : "";

	if (strcmp(key, "no-new-privileges") == 0) {
		s->no_new_privileges = strcmp(value, "false") != 0;
		return 0;
	}
	if (strcmp(key, "seccomp") == 0) {
		s->unconfined = strcmp(value, "unconfined") == 0;
		s->seccomp_profile = s->unconfined || !*value ? NULL : arena_strdup(arena, value);
		return 0;
	}
	if (strcmp(key, "apparmor") == 0) {
		s->apparmor = strcmp(value, "unconfined") == 0 ? NULL : arena_strdup(arena, value);
		return 0;
	}
	if (strcmp(key, "label") == 0)
		return label_parse(arena, value, &s->label, err);
	if (strcmp(key, "mask") == 0)
		return parse_paths(arena, value, &s->mask, err);
	if (strcmp(key, "unmask") == 0 || strcmp(key, "systempaths") == 0) {
		if (strcmp(value, "ALL") == 0 || strcmp(value, "all") == 0 || strcmp(value, "unconfined") == 0) {
			s->unmask_all = true;
			return 0;
		}
		return parse_paths(arena, value, &s->unmask, err);
	}
	return error_set(err, ERROR_USAGE, "invalid security option \"%s\": known are no-new-privileges, seccomp=, apparmor=, "
			 "label=, mask=, unmask=, systempaths=unconfined", text);
}

int security_parse(struct arena *arena, const struct create_request *r, struct security *ret, struct error *err)
{
	*ret = (struct security){ .unconfined = r->privileged, .unmask_all = r->privileged };
	for (size_t i = 0; i < r->security_opt.n; i++)
		if (parse_one(arena, r->security_opt.v[i], ret, err) < 0)
			return -1;
	return 0;
}
