#include "engine/mount_words.h"

#include <stdlib.h>

#include "base/units.h"

static const char *const group_words[MOUNT_GROUPS] = {
	[MOUNT_GROUP_ACCESS] = "rw and ro", [MOUNT_GROUP_LABEL] = "z, Z and O", [MOUNT_GROUP_COPY] = "copy and nocopy",
	[MOUNT_GROUP_EXEC] = "exec and noexec", [MOUNT_GROUP_SUID] = "suid and nosuid", [MOUNT_GROUP_DEV] = "dev and nodev",
	[MOUNT_GROUP_BIND] = "bind and rbind", [MOUNT_GROUP_PROPAGATION] = "[r]shared, [r]slave, [r]private and [r]unbindable",
	[MOUNT_GROUP_COPY_UP] = "tmpcopyup and notmpcopyup",
};

/* Options that go to the runtime as they are, those with a meaning here, and those that do nothing on this host. */
enum option_use {
	USE_NONE, USE_PASS, USE_READ_ONLY, USE_READ_WRITE, USE_CHOWN, USE_OVERLAY, USE_SHARED, USE_PRIVATE,
	USE_UPPER, USE_WORK, USE_SUBPATH, USE_IDMAP	/* with a value */
};

enum { ON_FILES = ON_BIND | ON_VOLUME, ON_FLAGS = ON_FILES | ON_TMPFS, ON_ALL = ON_FLAGS | ON_IMAGE | ON_DEVPTS };

struct option_word { const char *name; enum option_use use; enum mount_group group; unsigned on; };

static const struct option_word words[] = {
	{ "ro", USE_READ_ONLY, MOUNT_GROUP_ACCESS, ON_ALL }, { "rw", USE_READ_WRITE, MOUNT_GROUP_ACCESS, ON_ALL },
	{ "z", USE_SHARED, MOUNT_GROUP_LABEL, ON_ALL }, { "Z", USE_PRIVATE, MOUNT_GROUP_LABEL, ON_ALL },
	{ "O", USE_OVERLAY, MOUNT_GROUP_LABEL, ON_FILES },
	{ "U", USE_CHOWN, MOUNT_GROUP_NONE, ON_FLAGS },
	{ "upperdir", USE_UPPER, MOUNT_GROUP_NONE, ON_FILES }, { "workdir", USE_WORK, MOUNT_GROUP_NONE, ON_FILES },
	{ "subpath", USE_SUBPATH, MOUNT_GROUP_NONE, ON_VOLUME | ON_IMAGE },
	{ "idmap", USE_IDMAP, MOUNT_GROUP_NONE, ON_FILES }, { "ridmap", USE_IDMAP, MOUNT_GROUP_NONE, ON_FILES },
	{ "copy", USE_PASS, MOUNT_GROUP_COPY, ON_VOLUME }, { "nocopy", USE_PASS, MOUNT_GROUP_COPY, ON_VOLUME },
	{ "exec", USE_PASS, MOUNT_GROUP_EXEC, ON_FLAGS }, { "noexec", USE_PASS, MOUNT_GROUP_EXEC, ON_FLAGS },
	{ "suid", USE_PASS, MOUNT_GROUP_SUID, ON_FLAGS }, { "nosuid", USE_PASS, MOUNT_GROUP_SUID, ON_FLAGS },
	{ "dev", USE_PASS, MOUNT_GROUP_DEV, ON_FLAGS }, { "nodev", USE_PASS, MOUNT_GROUP_DEV, ON_FLAGS },
	{ "bind", USE_PASS, MOUNT_GROUP_BIND, ON_FILES }, { "rbind", USE_PASS, MOUNT_GROUP_BIND, ON_FILES },
	{ "shared", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "rshared", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "slave", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "rslave", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "private", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "rprivate", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "unbindable", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "runbindable", USE_PASS, MOUNT_GROUP_PROPAGATION, ON_FLAGS },
	{ "tmpcopyup", USE_PASS, MOUNT_GROUP_COPY_UP, ON_TMPFS }, { "notmpcopyup", USE_PASS, MOUNT_GROUP_COPY_UP, ON_TMPFS },
	{ "noatime", USE_PASS, MOUNT_GROUP_NONE, ON_FLAGS },
	{ "relatime", USE_PASS, MOUNT_GROUP_NONE, ON_FLAGS },
	{ "strictatime", USE_PASS, MOUNT_GROUP_NONE, ON_FLAGS },
	{ "nodiratime", USE_PASS, MOUNT_GROUP_NONE, ON_FLAGS },
	{ "sync", USE_PASS, MOUNT_GROUP_NONE, ON_TMPFS }, { "defaults", USE_NONE, MOUNT_GROUP_NONE, ON_TMPFS },
	{ "consistent", USE_NONE, MOUNT_GROUP_NONE, ON_ALL }, { "cached", USE_NONE, MOUNT_GROUP_NONE, ON_ALL },
	{ "delegated", USE_NONE, MOUNT_GROUP_NONE, ON_ALL },
};

/* What an option of a new file system must have as its value. */
enum value_kind { VALUE_NUMBER, VALUE_OCTAL, VALUE_SIZE, VALUE_TEXT };
static const struct { const char *name; enum value_kind kind; unsigned on; } values[] = {
	{ "size", VALUE_SIZE, ON_TMPFS }, { "nr_blocks", VALUE_SIZE, ON_TMPFS }, { "nr_inodes", VALUE_SIZE, ON_TMPFS },
	{ "mode", VALUE_OCTAL, ON_TMPFS | ON_DEVPTS }, { "uid", VALUE_NUMBER, ON_TMPFS | ON_DEVPTS },
	{ "gid", VALUE_NUMBER, ON_TMPFS | ON_DEVPTS }, { "max", VALUE_NUMBER, ON_DEVPTS },
	{ "huge", VALUE_TEXT, ON_TMPFS }, { "mpol", VALUE_TEXT, ON_TMPFS },
};

unsigned mount_words_kind(const char *type)
{
	static const struct { const char *type; unsigned on; } kinds[] = {
		{ "bind", ON_BIND }, { "glob", ON_BIND }, { "volume", ON_VOLUME }, { "tmpfs", ON_TMPFS }, { "ramfs", ON_TMPFS },
		{ "image", ON_IMAGE }, { "devpts", ON_DEVPTS },
	};

	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		if (str_eq(kinds[i].type, type))
			return kinds[i].on;
	return 0;
}

char *mount_words_path(struct arena *arena, const char *s, const char *cwd)
{
	const char *home = getenv("HOME");

	if (*s == '~' && (s[1] == '/' || !s[1]) && home)
		return arena_printf(arena, "%s%s", home, s + 1);
	return *s == '/' ? arena_strdup(arena, s) : arena_printf(arena, "%s/%s", cwd, s);
}

static int take_value(struct mount_words *p, const struct option_word *w, const char *value, struct error *err)
{
	char *copy = value ? arena_strdup(p->arena, value) : NULL;

	if (w->use == USE_IDMAP) {
		strings_addf(p->arena, &p->m.options, value ? "%s=%s" : "%s", w->name, value);
		return 0;
	}
	if (str_is_empty(value))
		return error_set(err, ERROR_USAGE, "option %s needs a value: %s=PATH", w->name, w->name);
	if (w->use == USE_SUBPATH)
		p->m.subpath = copy;
	else
		*(w->use == USE_UPPER ? &p->m.upper : &p->m.work) = mount_words_path(p->arena, copy, p->cwd);
	return 0;
}

static void take_word(struct mount_words *p, const struct option_word *w)
{
	struct container_mount *m = &p->m;

	switch (w->use) {
	case USE_READ_ONLY:	m->read_only = true; break;
	case USE_READ_WRITE:	m->read_only = false; break;
	case USE_CHOWN:		m->chown = true; break;
	case USE_OVERLAY:	m->overlay = true; break;
	case USE_SHARED:	m->relabel = "shared"; break;
	case USE_PRIVATE:	m->relabel = "private"; break;
	case USE_PASS:		strings_add(p->arena, &m->options, w->name); break;
	default:		break;
	}
}

static int apply_word(struct mount_words *p, const struct option_word *w, const char *value, struct error *err)
{
	const char *before = p->given[w->group];

	if (!(w->on & p->on))
		return error_set(err, ERROR_USAGE, "option \"%s\" means nothing to a mount of type %s", w->name, p->m.type);
	if (w->use >= USE_UPPER)
		return take_value(p, w, value, err);
	if (value)
		return error_set(err, ERROR_USAGE, "option \"%s\" takes no value", w->name);
	if (w->group != MOUNT_GROUP_NONE) {
		if (before && strcmp(before, w->name) != 0)
			return error_set(err, ERROR_USAGE, "invalid options \"%s, %s\": only one of %s can be given", before, w->name,
					 group_words[w->group]);
		if (before)
			return 0;
		p->given[w->group] = w->name;
	}
	take_word(p, w);
	return 0;
}

static bool value_fits(enum value_kind kind, const char *value)
{
	uint64_t size;
	unsigned number;

	switch (kind) {
	case VALUE_NUMBER:	return str_to_u32(value, &number) == 0;
	case VALUE_OCTAL:	return *value && strlen(value) <= 5 && strspn(value, "01234567") == strlen(value);
	/* "50%" of the memory; more than the field can say is refused by the kernel */
	case VALUE_SIZE:	return units_parse_size(value, &size) == 0 || str_ends(value, "%");
	case VALUE_TEXT:	return *value;
	}
	return false;
}

int mount_words_apply(struct mount_words *p, const char *option, struct error *err)
{
	const char *equals = strchr(option, '=');
	char *name = equals ? arena_strndup(p->arena, option, (size_t)(equals - option)) : arena_strdup(p->arena, option);

	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (strcmp(name, words[i].name) == 0)
			return apply_word(p, &words[i], equals ? equals + 1 : NULL, err);
	for (size_t i = 0; i < ELEMENTS(values); i++) {
		if (strcmp(name, values[i].name) != 0 || !(values[i].on & p->on))
			continue;
		if (!equals || !value_fits(values[i].kind, equals + 1))
			return error_set(err, ERROR_USAGE, "option \"%s\": %s is no %s", option, equals ? equals + 1 : "nothing",
					 values[i].kind == VALUE_SIZE ? "size such as 64m" : values[i].kind == VALUE_OCTAL ?
					 "octal mode such as 1777" : "number");
		strings_add(p->arena, &p->m.options, option);
		return 0;
	}
	return error_set(err, ERROR_USAGE, "invalid option type \"%s\"", option);
}

int mount_words_apply_all(struct mount_words *p, const char *text, struct error *err)
{
	struct strings options = strings_split(p->arena, text, ",");

	for (size_t i = 0; i < options.n; i++)
		if (*options.v[i] && mount_words_apply(p, options.v[i], err) < 0)
			return -1;
	return 0;
}

bool mount_words_has(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (strcmp(name, words[i].name) == 0)
			return true;
	for (size_t i = 0; i < ELEMENTS(values); i++)
		if (strcmp(name, values[i].name) == 0)
			return true;
	return false;
}

/* What does not go together, once all is said. */
int mount_words_check(const struct mount_words *p, struct error *err)
{
	const struct container_mount *m = &p->m;

	if (!m->overlay && (m->upper || m->work))
		return error_set(err, ERROR_USAGE, "upperdir and workdir are options of an overlay: add O");
	if (!m->upper != !m->work)
		return error_set(err, ERROR_USAGE, "upperdir and workdir belong together: one of them is missing");
	if (!m->overlay)
		return 0;
	if (m->options.n || p->given[MOUNT_GROUP_ACCESS] || m->subpath)
		return error_set(err, ERROR_USAGE, "O can be given with U, upperdir and workdir only, not with %s",
				 m->options.n ? m->options.v[0] : m->subpath ? "subpath" : p->given[MOUNT_GROUP_ACCESS]);
	return 0;
}
