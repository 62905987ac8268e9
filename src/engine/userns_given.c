#include "engine/userns_given.h"

#include <stdlib.h>
#include <string.h>

static const struct id_map *rootless_map(char kind, const struct identity *id)
{
	return kind == 'u' ? &id->maps.uid : &id->maps.gid;
}

static int malformed(char kind, const char *text, struct error *err)
{
	return error_set(err, ERROR_USAGE, "--%cidmap %s: it must be [+]CONTAINER_ID:[@]ID[:COUNT]", kind, text);
}

/* "+ug" before the first number. */
static const char *skip_flags(const char *text, bool *ret_over_default, bool *ret_users, bool *ret_groups)
{
	*ret_over_default = *ret_users = *ret_groups = false;
	for (;; text++) {
		if (*text == '+')
			*ret_over_default = true;
		else if (*text == 'u')
			*ret_users = true;
		else if (*text == 'g')
			*ret_groups = true;
		else
			return text;
	}
}

static int parse(struct arena *arena, char kind, const char *text, const struct identity *id, struct id_map *ret,
		 bool *ret_over_default, struct error *err)
{
	const struct id_map *rootless = rootless_map(kind, id);
	bool over, users, groups;
	struct strings p = strings_split(arena, skip_flags(text, &over, &users, &groups), ":");
	bool host = p.n > 1 && *p.v[1] == '@';
	uint32_t inside, outside, count = 1;

	if (users != groups && (kind == 'u') != users)
		return 0;
	if (p.n < 2 || p.n > 3 || str_to_u32(p.v[0], &inside) < 0 || str_to_u32(p.v[1] + host, &outside) < 0 ||
	    (p.n == 3 && (str_to_u32(p.v[2], &count) < 0 || !count)))
		return malformed(kind, text, err);
	if ((uint64_t)inside + count > ID_NONE || (uint64_t)outside + count > ID_NONE)
		return error_set(err, ERROR_USAGE, "--%cidmap %s: ids end at 4294967294", kind, text);
	if (host && idmap_to_inside(rootless, outside) == ID_NONE) {
		error_set(err, ERROR_USAGE, "--%cidmap %s: %u is not an id that you may use", kind, text, outside);
		return error_hint(err, "your own ids on this host: bryo info --format '{{json .Host.IDMappings}}'");
	}
	idmap_add(arena, ret, inside, host ? idmap_to_inside(rootless, outside) : outside, count);
	*ret_over_default |= over;
	return 0;
}

static int too_many(struct arena *arena, char kind, const struct id_extent *x, const struct identity *id, struct error *err)
{
	uint64_t end = (uint64_t)x->outside + x->count, size = idmap_size(rootless_map(kind, id));

	error_set(err, ERROR_USAGE, "--%cidmap %u:%u:%u: it needs the ids up to %llu, and %s has those up to %llu: %llu more are needed",
		  kind, x->inside, x->outside, x->count, (unsigned long long)end - 1, id->user, (unsigned long long)size - 1,
		  (unsigned long long)(end - size));
	error_code(err, "user-out-of-range");
	error_hint(err, "map fewer, or have the administrator give more");
	return userns_grant(arena, id, end - size, err);
}

/* What the kernel would refuse without a word. */
static int check(struct arena *arena, char kind, const struct id_map *given, const struct identity *id, struct error *err)
{
	for (size_t i = 0; i < given->n; i++) {
		const struct id_extent *x = &given->v[i];

		if (!idmap_has(rootless_map(kind, id), x->outside, x->count))
			return too_many(arena, kind, x, id, err);
		for (size_t k = 0; k < i; k++) {
			const struct id_extent *y = &given->v[k];

			if ((x->inside < (uint64_t)y->inside + y->count && y->inside < (uint64_t)x->inside + x->count) ||
			    (x->outside < (uint64_t)y->outside + y->count && y->outside < (uint64_t)x->outside + x->count))
				return error_set(err, ERROR_USAGE, "--%cidmap %u:%u:%u and %u:%u:%u overlap", kind, y->inside, y->outside,
						 y->count, x->inside, x->outside, x->count);
		}
	}
	return 0;
}

/* The extent of `given` that has the id, or NULL and how many ids from it on are in none. */
static const struct id_extent *extent_at(const struct id_map *given, bool outside, uint64_t id, uint64_t *ret_free)
{
	*ret_free = UINT64_MAX;
	for (size_t i = 0; i < given->n; i++) {
		const struct id_extent *x = &given->v[i];
		uint64_t first = outside ? x->outside : x->inside;

		if (id >= first && id - first < x->count)
			return x;
		if (first > id && first - id < *ret_free)
			*ret_free = first - id;
	}
	return NULL;
}

/* The ids of the default map that are not given away, in order, to the ids inside that are not taken. */
static void fill(struct arena *arena, const struct id_map *given, uint64_t size, struct id_map *ret)
{
	uint64_t inside = 0, outside = 0, inside_free, outside_free;

	while (outside < size && inside < ID_NONE) {
		const struct id_extent *x = extent_at(given, false, inside, &inside_free);
		const struct id_extent *y = extent_at(given, true, outside, &outside_free);
		uint64_t n = inside_free < outside_free ? inside_free : outside_free;

		if (x)
			inside = (uint64_t)x->inside + x->count;
		if (y)
			outside = (uint64_t)y->outside + y->count;
		if (x || y)
			continue;
		if (n > size - outside)
			n = size - outside;
		idmap_add(arena, ret, (uint32_t)inside, (uint32_t)outside, (uint32_t)n);
		inside += n;
		outside += n;
	}
}

static int by_inside(const void *a, const void *b)
{
	const struct id_extent *x = a, *y = b;

	return (x->inside > y->inside) - (x->inside < y->inside);
}

int userns_given_map(struct arena *arena, char kind, const struct strings *texts, const struct identity *id,
		     struct id_map *ret, struct error *err)
{
	struct id_map given = { 0 };
	bool over_default = false;

	*ret = (struct id_map){ 0 };
	for (size_t i = 0; i < texts->n; i++)
		if (parse(arena, kind, texts->v[i], id, &given, &over_default, err) < 0)
			return -1;
	if (check(arena, kind, &given, id, err) < 0)
		return -1;
	for (size_t i = 0; i < given.n; i++)
		idmap_add(arena, ret, given.v[i].inside, given.v[i].outside, given.v[i].count);
	if (over_default || !given.n)
		fill(arena, &given, idmap_size(rootless_map(kind, id)), ret);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_inside);
	return 0;
}
