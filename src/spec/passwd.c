#include "spec/passwd.h"

#include <stdlib.h>
#include <string.h>

#include "base/string.h"

#define GROUPS_MAX 65536	/* NGROUPS_MAX of the kernel */
#define FIELDS_MAX 7

/* One line cut at its colons, in place of the text: nothing is copied while searching. */
struct line {
	const char *fields[FIELDS_MAX];
	size_t sizes[FIELDS_MAX];
	int n;
};

static const char *next_line(const char *text, struct line *ret)
{
	const char *end = text + strcspn(text, "\n");

	ret->n = 0;
	for (const char *p = text; ret->n < FIELDS_MAX; p++) {
		const char *colon = memchr(p, ':', (size_t)(end - p));

		ret->fields[ret->n] = p;
		ret->sizes[ret->n++] = (size_t)((colon ? colon : end) - p);
		if (!colon)
			break;
		p = colon;
	}
	return *end ? end + 1 : end;
}

/* A decimal below 2^32-1, which the kernel takes for "no id". No sign, no blanks, nothing that wraps. */
static bool field_id(const char *s, size_t n, uint32_t *ret)
{
	uint64_t id = 0;

	if (n == 0 || n > 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		id = id * 10 + (uint64_t)(s[i] - '0');
	}
	if (id >= UINT32_MAX)
		return false;
	*ret = (uint32_t)id;
	return true;
}

static bool field_is(const struct line *line, int i, const char *s, size_t n)
{
	return line->n > i && line->sizes[i] == n && memcmp(line->fields[i], s, n) == 0;
}

static bool line_has_id(const struct line *line, uint32_t id)
{
	uint32_t found;

	return line->n > 2 && field_id(line->fields[2], line->sizes[2], &found) && found == id;
}

/* The first well-formed entry with this name (or, without a name, this id). */
static bool find(const char *text, const char *name, uint32_t id, int fields, struct line *ret)
{
	uint32_t ignored;

	while (text && *text) {
		text = next_line(text, ret);
		if (ret->n < fields || ret->sizes[0] == 0 || !field_id(ret->fields[2], ret->sizes[2], &ignored))
			continue;
		if (name ? field_is(ret, 0, name, strlen(name)) : line_has_id(ret, id))
			return true;
	}
	return false;
}

const char *passwd_line_of(const char *text, uint32_t id)
{
	struct line line;

	while (text && *text) {
		const char *start = text;

		text = next_line(text, &line);
		if (line_has_id(&line, id))
			return start;
	}
	return NULL;
}

#define NOBODY 65534

static void raise_to_field(const struct line *line, int i, uint32_t *largest)
{
	uint32_t id;

	if (line->n > i && field_id(line->fields[i], line->sizes[i], &id) && id != NOBODY && id > *largest)
		*largest = id;
}

uint32_t passwd_largest_id(const char *passwd, const char *group)
{
	uint32_t largest = 0;
	struct line line;

	while (passwd && *passwd) {
		passwd = next_line(passwd, &line);
		raise_to_field(&line, 2, &largest);
		raise_to_field(&line, 3, &largest);
	}
	while (group && *group) {
		group = next_line(group, &line);
		raise_to_field(&line, 2, &largest);
	}
	return largest;
}

enum id_answer { IS_NAME, IS_ID, IS_OUT_OF_RANGE };

static enum id_answer spec_id(const char *s, uint32_t *ret)
{
	size_t n = strlen(s);

	if (n == 0 || strspn(s, "0123456789") != n)
		return IS_NAME;
	while (n > 1 && *s == '0') {
		s++;
		n--;
	}
	return field_id(s, n, ret) ? IS_ID : IS_OUT_OF_RANGE;
}

static int out_of_range(struct error *err, const char *what, const char *spec)
{
	return error_set(err, ERROR_USAGE, "%s %.40s is out of range: ids end at 4294967294", what, spec);
}

#define NAMES_MAX 12

/* What there is instead: the first names of the text, then how many more. */
static int hint_names(struct error *err, const char *what, const char *file, const char *text)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct strings names = { 0 };
	size_t more = 0;
	struct line line;

	if (!text)
		return error_hint(err, "there is no %s: give a number", file);
	while (*text) {
		text = next_line(text, &line);
		if (line.n < 3 || !line.sizes[0])
			continue;
		if (names.n < NAMES_MAX)
			strings_add(arena, &names, str_printable(arena, arena_strndup(arena, line.fields[0], line.sizes[0]), 32));
		else
			more++;
	}
	if (more)
		strings_addf(arena, &names, "%zu more", more);
	if (!names.n)
		return error_hint(err, "%s is empty: give a number", file);
	return error_hint(err, "the %ss of %s: %s; a number needs no entry", what, file, strings_join(arena, &names, ", "));
}

int passwd_group(const char *spec, const char *group, uint32_t *ret, struct error *err)
{
	struct line line;

	switch (spec_id(spec, ret)) {
	case IS_ID:
		return 0;
	case IS_OUT_OF_RANGE:
		return out_of_range(err, "group", spec);
	case IS_NAME:
		break;
	}
	if (!find(group, spec, 0, 3, &line)) {
		_cleanup_arena_ struct arena *arena = arena_new();

		error_set(err, ERROR_USAGE, "unable to find group %s: no matching entries in group file",
			  str_printable(arena, spec, 256));
		return hint_names(err, "group", "/etc/group", group);
	}
	field_id(line.fields[2], line.sizes[2], ret);
	return 0;
}

static void take_entry(struct arena *arena, const struct line *line, struct passwd_user *user)
{
	field_id(line->fields[2], line->sizes[2], &user->uid);
	if (!field_id(line->fields[3], line->sizes[3], &user->gid))
		user->gid = 0;
	user->name = arena_strndup(arena, line->fields[0], line->sizes[0]);
	if (line->n > 5 && line->sizes[5] && line->fields[5][0] == '/')
		user->home = arena_strndup(arena, line->fields[5], line->sizes[5]);
}

static int resolve_user(struct arena *arena, const char *spec, const char *passwd, struct passwd_user *user,
			struct error *err)
{
	struct line line;

	switch (spec_id(spec, &user->uid)) {
	case IS_ID:
		if (find(passwd, NULL, user->uid, 4, &line))
			take_entry(arena, &line, user);
		return 0;
	case IS_OUT_OF_RANGE:
		return out_of_range(err, "user", spec);
	case IS_NAME:
		break;
	}
	if (!find(passwd, spec, 0, 4, &line)) {
		error_set(err, ERROR_USAGE, "unable to find user %s: no matching entries in passwd file", str_printable(arena, spec, 256));
		return hint_names(err, "user", "/etc/passwd", passwd);
	}
	take_entry(arena, &line, user);
	return 0;
}

static bool is_member(const struct line *line, const char *name, size_t n)
{
	const char *p = line->fields[3], *end = p + line->sizes[3];

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;

		if ((size_t)(stop - p) == n && memcmp(p, name, n) == 0)
			return true;
		p = stop + 1;
	}
	return false;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sorted, so that equal ones are found in no more than n log n steps. */
static int supplementary(struct arena *arena, const char *group, struct passwd_user *user, struct error *err)
{
	size_t n = strlen(user->name), kept = 0;
	struct line line;
	uint32_t gid;

	while (group && *group) {
		group = next_line(group, &line);
		if (line.n < 4 || !field_id(line.fields[2], line.sizes[2], &gid) || gid == user->gid ||
		    !is_member(&line, user->name, n))
			continue;
		if (user->groups.n == GROUPS_MAX)
			return error_set(err, ERROR_INVALID, "user %s is in more than %d groups of the group file",
					 str_printable(arena, user->name, 256), GROUPS_MAX);
		*ARRAY_ADD(arena, &user->groups) = gid;
	}
	if (user->groups.n == 0)
		return 0;
	qsort(user->groups.v, user->groups.n, sizeof(gid), compare_ids);
	for (size_t i = 0; i < user->groups.n; i++)
		if (i == 0 || user->groups.v[i] != user->groups.v[kept - 1])
			user->groups.v[kept++] = user->groups.v[i];
	user->groups.n = kept;
	return 0;
}

int passwd_resolve(struct arena *arena, const char *spec, const char *passwd, const char *group,
		   struct passwd_user *ret, struct error *err)
{
	struct passwd_user user = { .home = arena_strdup(arena, "/") };
	const char *colon = strchr(spec, ':');
	const char *name = colon ? arena_strndup(arena, spec, (size_t)(colon - spec)) : spec;

	if (resolve_user(arena, *name ? name : "0", passwd, &user, err) < 0)
		return -1;
	if (colon && colon[1]) {
		/* A group that is asked for stands alone, as in Docker: no supplementary ones of the user. */
		if (passwd_group(colon + 1, group, &user.gid, err) < 0)
			return -1;
	} else if (user.name && supplementary(arena, group, &user, err) < 0) {
		return -1;
	}
	*ret = user;
	return 0;
}
