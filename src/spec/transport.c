#include "spec/transport.h"

#include <ctype.h>
#include <string.h>

#include "base/string.h"
#include "spec/reference.h"

#define NAME_MAX_LENGTH 512

static const struct {
	const char *prefix;
	enum transport_kind kind;
} known[] = {
	{ "docker://", TRANSPORT_REGISTRY },
	{ "containers-storage:", TRANSPORT_STORAGE },
	{ "docker-archive:", TRANSPORT_DOCKER_ARCHIVE },
	{ "oci-archive:", TRANSPORT_OCI_ARCHIVE },
	{ "oci:", TRANSPORT_OCI_DIR },
	{ "dir:", TRANSPORT_DIR },
};

/* Whom they speak to, and the way round. */
static const struct { const char *prefix, *cure; } refused[] = {
	{ "docker-daemon:", "docker save NAME | bryo load" },
	{ "ostree:", NULL },
	{ "sif:", NULL },
	{ "tarball:", "a root file system becomes an image with: bryo import FILE NAME" },
	{ "atomic:", NULL },
};

bool transport_is_path(const struct transport *t)
{
	return t->kind >= TRANSPORT_DOCKER_ARCHIVE;
}

const char *transport_word(enum transport_kind kind)
{
	for (size_t i = 0; i < ELEMENTS(known); i++)
		if (known[i].kind == kind)
			return known[i].prefix;
	return "";
}

static int check_known(const char *text, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(refused); i++) {
		if (!str_starts(text, refused[i].prefix))
			continue;
		error_set(err, ERROR_UNSUPPORTED, "the transport %s is not supported", refused[i].prefix);
		return refused[i].cure ? error_hint(err, "%s", refused[i].cure) : -1;
	}
	return 0;
}

/* A reference of the image layout: words joined by single separators. */
static bool is_layout_name(const char *name)
{
	bool after_separator = true;

	for (const char *p = name; *p; p++) {
		bool separator = *p && strchr("-._:@+/", *p);

		if ((!separator && !isalnum((unsigned char)*p)) || (separator && after_separator && *p != '-' && *p != '_'))
			return false;
		after_separator = separator;
	}
	return !after_separator && strlen(name) <= NAME_MAX_LENGTH;
}

static int check_name(struct arena *arena, const char *text, const struct transport *t, struct error *err)
{
	struct reference r;

	if (t->kind == TRANSPORT_DOCKER_ARCHIVE) {
		if (reference_parse(arena, t->name, &r, err) < 0)
			return error_frame(err, "%s", str_printable(arena, text, 300));
		if (r.digest)
			return error_set(err, ERROR_USAGE, "%s: a docker-archive has names with tags, no digests",
					 str_printable(arena, text, 300));
		return 0;
	}
	if (is_layout_name(t->name))
		return 0;
	return error_set(err, ERROR_USAGE, "%s: \"%s\" cannot name an image in an OCI layout",
			 str_printable(arena, text, 300), str_printable(arena, t->name, 100));
}

static int take_index(struct arena *arena, const char *text, const char *digits, struct transport *t, struct error *err)
{
	long long n;

	if (str_to_i64(digits, &n) < 0 || n < 0 || n > 1 << 20)
		return error_set(err, ERROR_USAGE, "%s: \"@%s\" is no place in an archive",
				 str_printable(arena, text, 300), str_printable(arena, digits, 50));
	t->index = n;
	return 0;
}

/* PATH[:NAME|:@INDEX]: a path of these transports has no colon. dir's path may, and has no name. */
static int take_path(struct arena *arena, const char *text, const char *rest, struct transport *t, struct error *err)
{
	const char *colon = t->kind == TRANSPORT_DIR ? NULL : strchr(rest, ':');

	t->path = colon ? arena_strndup(arena, rest, (size_t)(colon - rest)) : arena_strdup(arena, rest);
	if (!*t->path)
		return error_set(err, ERROR_USAGE, "%s: the path is missing", str_printable(arena, text, 300));
	if (!colon || !colon[1])
		return 0;
	if (colon[1] == '@')
		return take_index(arena, text, colon + 2, t, err);
	t->name = arena_strdup(arena, colon + 1);
	return check_name(arena, text, t, err);
}

static int take_name(struct arena *arena, const char *text, const char *rest, struct transport *t, struct error *err)
{
	if (t->kind == TRANSPORT_STORAGE && *rest == '[') {
		error_set(err, ERROR_UNSUPPORTED, "%s: stores of other engines are not read", str_printable(arena, text, 300));
		return error_hint(err, "podman save NAME | bryo load");
	}
	if (!*rest)
		return error_set(err, ERROR_USAGE, "%s%san image name must not be empty", text, *text ? ": " : "");
	t->name = arena_strdup(arena, rest);
	return 0;
}

int transport_parse(struct arena *arena, const char *text, struct transport *ret, struct error *err)
{
	struct transport t = { .kind = TRANSPORT_NONE, .index = -1 };
	const char *rest = text;
	int result;

	if (check_known(text, err) < 0)
		return -1;
	for (size_t i = 0; i < ELEMENTS(known) && t.kind == TRANSPORT_NONE; i++) {
		const char *after = str_after(text, known[i].prefix);

		if (!after)
			continue;
		t.kind = known[i].kind;
		rest = after;
	}
	result = transport_is_path(&t) ? take_path(arena, text, rest, &t, err) : take_name(arena, text, rest, &t, err);
	if (result == 0)
		*ret = t;
	return result;
}
