/* From what a user typed to an image of the store: the part of store/image.h that resolves names
 *
 * Order: a whole id; a name with its registry; a short name as localhost/NAME, docker.io/[library/]NAME, then any
 * registry's .../NAME; "name@digest"; at last a unique prefix of an id. */
#include "store/image.h"

#include <stdlib.h>

#include "spec/reference.h"
#include "store/near.h"
#include "sys/fd.h"

struct search {
	struct arena *arena;
	const struct store *store;
	const char *text;
	struct reference reference;
	const char *id;			/* the answer */
	char *name;			/* the full name it was found by; NULL */
};

static bool is_hex(const char *s)
{
	return *s && !s[strspn(s, "0123456789abcdef")];
}

static bool try_name(struct search *q, const char *registry, const char *path)
{
	struct reference r = q->reference;
	char *name;

	r.registry = (char *)registry;
	r.path = (char *)path;
	name = reference_print(q->arena, &r);
	q->id = image_name_lookup(q->arena, q->store, name);
	if (q->id)
		q->name = name;
	return q->id;
}

/* Any registry's: ".../PATH:TAG". */
static bool try_any_registry(struct search *q)
{
	const char *tail = arena_printf(q->arena, "/%s:%s", q->reference.path,
					q->reference.tag ? q->reference.tag : "latest");
	struct string_map names;

	if (image_names(q->arena, q->store, &names, NULL) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (str_ends(names.v[i].key, tail)) {
			q->name = names.v[i].key;
			q->id = names.v[i].value;
			return true;
		}
	return false;
}

static bool try_reference(struct search *q)
{
	const char *path = q->reference.path;

	if (q->reference.registry)
		return try_name(q, q->reference.registry, path);
	if (try_name(q, "localhost", path))
		return true;
	if (try_name(q, "docker.io", strchr(path, '/') ? path : arena_printf(q->arena, "library/%s", path)))
		return true;
	return try_any_registry(q);
}

/* --- name@digest */

static bool is_repository(const struct reference *r, const char *repository)
{
	if (r->registry)
		return str_starts(repository, r->registry) && repository[strlen(r->registry)] == '/' &&
		       strcmp(repository + strlen(r->registry) + 1, r->path) == 0;
	return strcmp(repository, r->path) == 0 ||
	       (str_ends(repository, r->path) && repository[strlen(repository) - strlen(r->path) - 1] == '/');
}

/* Of a full name without its tag. */
static char *repository_of(struct arena *arena, const char *name)
{
	struct reference r;

	return reference_parse(arena, name, &r, NULL) < 0 ? arena_strdup(arena, name) : reference_repository(arena, &r);
}

static bool has_digest(struct search *q, const struct image *image)
{
	const char *digest = q->reference.digest;

	for (size_t i = 0; i < image->digests.n; i++) {
		char *entry = arena_strdup(q->arena, image->digests.v[i]), *at = strrchr(entry, '@');

		if (!at || strcmp(at + 1, digest) != 0)
			continue;
		*at = '\0';
		if (is_repository(&q->reference, entry))
			return true;
	}
	if (!str_eq(image->manifest_digest, digest))
		return false;
	for (size_t i = 0; i < image->names.n; i++)
		if (is_repository(&q->reference, repository_of(q->arena, image->names.v[i])))
			return true;
	return false;
}

static bool try_digest(struct search *q)
{
	struct images images;

	if (image_list(q->arena, q->store, &images, NULL) < 0)
		return false;
	for (size_t i = 0; i < images.n; i++)
		if (has_digest(q, &images.v[i])) {
			q->id = images.v[i].id;
			return true;
		}
	return false;
}

/* --- ids */

/* 1 found, 0 none, -1 several. */
static int try_id(struct search *q, const char *prefix, struct error *err)
{
	struct strings ids;

	if (!is_hex(prefix) || strlen(prefix) > 64 || image_ids(q->arena, q->store, &ids, err) < 0)
		return 0;
	for (size_t i = 0; i < ids.n; i++) {
		if (!str_starts(ids.v[i], prefix))
			continue;
		if (q->id)
			return error_set(err, ERROR_USAGE, "\"%s\" is ambiguous: images %.12s and %.12s begin so", q->text,
					 q->id, ids.v[i]);
		q->id = ids.v[i];
	}
	return q->id ? 1 : 0;
}

static int search(struct search *q, struct error *err)
{
	const char *id = str_after(q->text, "sha256:");

	if (id || (strlen(q->text) == 64 && is_hex(q->text)))
		return try_id(q, id ? id : q->text, err);
	if (reference_parse(q->arena, q->text, &q->reference, NULL) == 0)
		if (q->reference.digest ? try_digest(q) : try_reference(q))
			return 1;
	return try_id(q, q->text, err);
}

int image_find(struct arena *arena, const struct store *s, const char *name, struct image *ret, char **ret_name,
	       struct error *err)
{
	struct search q = { .arena = arena, .store = s, .text = name };
	int found = search(&q, err);

	if (found < 0)
		return -1;
	if (!found) {
		image_unknown(name, err);
		return near_hint(s, NEAR_IMAGE, name, err);
	}
	if (ret_name)
		*ret_name = q.name;
	return image_read(arena, s, q.id, ret, err);
}
