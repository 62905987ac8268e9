#include "spec/lookaside.h"

#define F JSON_FIELD

struct section_text {
	char *url, *staging, *old_url, *old_staging;
	bool *attachments;
};

JSON_SHAPE(section_text,
	F(section_text, url, "lookaside", T_STRING),
	F(section_text, staging, "lookaside-staging", T_STRING),
	F(section_text, old_url, "sigstore", T_STRING),		/* before it was another project's name */
	F(section_text, old_staging, "sigstore-staging", T_STRING),
	F(section_text, attachments, "use-sigstore-attachments", T_OPT_BOOL));

static const struct lookaside_section *find(const struct lookaside *l, const char *scope)
{
	for (size_t i = 0; i < l->sections.n; i++)
		if (strcmp(l->sections.v[i].scope, scope) == 0)
			return &l->sections.v[i];
	return NULL;
}

static int check_url(const char *url, const char *where, struct error *err)
{
	if (str_is_empty(url) || str_starts(url, "https://") || str_starts(url, "http://") ||
	    str_starts(url, "file:///"))
		return 0;
	return error_set(err, ERROR_INVALID, "%s: \"%.200s\" is no URL of https, http or file", where, url);
}

static int add_section(struct arena *arena, struct lookaside *l, const char *scope, const struct json *value,
		       const char *file, const char *where, struct error *err)
{
	const struct lookaside_section *before = find(l, scope);
	struct lookaside_section section = { .scope = arena_strdup(arena, scope), .where = arena_strdup(arena, file) };
	struct section_text text = { 0 };

	if (before)
		return error_set(err, ERROR_INVALID, "%s: the section is also in %s", where, before->where);
	if (value->kind != JSON_NULL && json_decode_value(arena, &section_text_shape, &text, value, where, err) < 0)
		return -1;
	section.url = str_is_empty(text.url) ? text.old_url : text.url;
	section.staging = str_is_empty(text.staging) ? text.old_staging : text.staging;
	section.attachments = text.attachments;
	if (check_url(section.url, where, err) < 0 || check_url(section.staging, where, err) < 0)
		return -1;
	*ARRAY_ADD(arena, &l->sections) = section;
	return 0;
}

int lookaside_add(struct arena *arena, struct lookaside *l, const struct json *document, const char *where,
		  struct error *err)
{
	const struct json *fallback = json_get(document, "default-docker"), *docker = json_get(document, "docker");

	if (document->kind == JSON_NULL)		/* an empty file */
		return 0;
	if (document->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s: expected a mapping, got %s", where, json_kind_name(document));
	if (fallback &&
	    add_section(arena, l, "", fallback, where, arena_printf(arena, "%s: default-docker", where), err) < 0)
		return -1;
	if (docker && docker->kind != JSON_OBJECT && docker->kind != JSON_NULL)
		return error_set(err, ERROR_INVALID, "%s: docker: expected a mapping, got %s", where,
				 json_kind_name(docker));
	for (size_t i = 0; docker && docker->kind == JSON_OBJECT && i < docker->object.n; i++) {
		const struct json_member *m = &docker->object.v[i];
		const char *shown = str_printable(arena, m->name, 256);

		if (!*m->name)
			return error_set(err, ERROR_INVALID, "%s: docker: a section without a name", where);
		if (add_section(arena, l, m->name, m->value, where, arena_printf(arena, "%s: docker: %s", where, shown),
				err) < 0)
			return -1;
	}
	return 0;
}

/* The first section, from the image's own to default-docker, that has what is asked for. */
static const struct lookaside_section *first(const struct lookaside *l, const struct strings *scopes,
					     bool (*has)(const struct lookaside_section *))
{
	for (size_t i = 0; i <= scopes->n; i++) {
		const struct lookaside_section *section = find(l, i < scopes->n ? scopes->v[i] : "");

		if (section && has(section))
			return section;
	}
	return NULL;
}

static bool has_url(const struct lookaside_section *s)
{
	return !str_is_empty(s->url);
}

static bool has_place(const struct lookaside_section *s)
{
	return !str_is_empty(s->url) || !str_is_empty(s->staging);
}

static bool has_attachments(const struct lookaside_section *s)
{
	return s->attachments != NULL;
}

const char *lookaside_url(const struct lookaside *l, const struct strings *scopes)
{
	const struct lookaside_section *s = first(l, scopes, has_url);

	return s ? s->url : NULL;
}

const char *lookaside_staging(const struct lookaside *l, const struct strings *scopes)
{
	const struct lookaside_section *s = first(l, scopes, has_place);

	return !s ? NULL : str_is_empty(s->staging) ? s->url : s->staging;
}

bool lookaside_attachments(const struct lookaside *l, const struct strings *scopes)
{
	const struct lookaside_section *s = first(l, scopes, has_attachments);

	return s && *s->attachments;
}
