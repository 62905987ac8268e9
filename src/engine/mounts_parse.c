/* The texts of -v, --mount, --tmpfs and --device: the functions mounts_parse_*. Pure. */
#include "engine/mounts.h"

#include "engine/mount_words.h"
#include "spec/reference.h"

/* --- source and destination */

/* "/a//b/./c/" is "/a/b/c": destinations are compared and sorted. ".." is resolved by the kernel inside the root. */
static char *clean_path(struct arena *arena, const char *path)
{
	struct strings parts = strings_split(arena, path, "/"), kept = { 0 };

	for (size_t i = 0; i < parts.n; i++)
		if (*parts.v[i] && strcmp(parts.v[i], ".") != 0)
			strings_add(arena, &kept, parts.v[i]);
	return arena_printf(arena, "/%s", strings_join(arena, &kept, "/"));
}

int mounts_set_destination(struct arena *arena, struct container_mount *m, const char *path, struct error *err)
{
	if (*path != '/')
		return error_set(err, ERROR_USAGE, "invalid container path \"%s\", must be an absolute path", path);
	m->destination = clean_path(arena, path);
	if (strcmp(m->destination, "/") == 0)
		return error_set(err, ERROR_USAGE, "invalid container path \"%s\": the root itself cannot be a mount", path);
	return 0;
}

static int set_source(struct mount_words *p, const char *source, struct error *err)
{
	if (*source == '/' || *source == '.' || *source == '~') {
		p->m.type = "bind";
		p->m.source = mount_words_path(p->arena, source, p->cwd);
		return 0;
	}
	if (!reference_is_object_name(source)) {
		error_set(err, ERROR_USAGE, "\"%s\" is neither a path nor a volume name: names must match "
			  "[a-zA-Z0-9][a-zA-Z0-9_.-]*", source);
		return strchr(source, '/') ? error_hint(err, "a path starts with / or ./: -v ./%s:...", source) : -1;
	}
	p->m.type = "volume";
	p->m.name = arena_strdup(p->arena, source);
	return 0;
}

/* At colons, but for those after a backslash: "/a\:b:/c" has two parts. */
static struct strings split_colons(struct arena *arena, const char *text)
{
	struct strings parts = { 0 };
	char *part = arena_strdup(arena, text), *to = part;

	for (const char *at = text;; at++) {
		if (at[0] == '\\' && at[1] == ':') {
			*to++ = *++at;
		} else if (*at && *at != ':') {
			*to++ = *at;
		} else {
			*to = '\0';
			strings_add(arena, &parts, part);
			to = part;
			if (!*at)
				return parts;
		}
	}
}

int mounts_parse_volume(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err)
{
	struct strings parts = split_colons(arena, text);
	struct mount_words p = { .arena = arena, .cwd = cwd, .m = { .type = "volume" } };

	if (parts.n > 3 || !*parts.v[0] || (parts.n > 1 && !*parts.v[1]))
		return error_set(err, ERROR_USAGE, "invalid volume \"%s\": it must be [SOURCE:]DESTINATION[:OPTIONS]", text);
	if (parts.n == 1) {
		p.m.anonymous = true;
		if (mounts_set_destination(arena, &p.m, parts.v[0], err) < 0)
			return -1;
	} else if (set_source(&p, parts.v[0], err) < 0 || mounts_set_destination(arena, &p.m, parts.v[1], err) < 0) {
		return -1;
	}
	p.on = mount_words_kind(p.m.type) | ON_VOLUME;	/* "copy" of a bind mount has no effect, and is no error elsewhere */
	if ((parts.n == 3 && mount_words_apply_all(&p, parts.v[2], err) < 0) || mount_words_check(&p, err) < 0)
		return error_frame(err, "volume %s", text);
	if (p.m.subpath)
		return error_set(err, ERROR_USAGE, "volume %s: subpath is an option of --mount type=volume", text);
	*ARRAY_ADD(arena, ret) = p.m;
	return 0;
}

/* --- --mount type=bind,src=/a,dst=/b,ro */

/* Other names of options, some with a part of their value. */
static const struct { const char *key, *option; } mount_names[] = {
	{ "readonly", "ro" }, { "chown", "U" }, { "volume-nocopy", "nocopy" }, { "bind-nonrecursive", "bind" },
	{ "tmpfs-size", "size" }, { "tmpfs-mode", "mode" }, { "volume-subpath", "subpath" }, { "image-subpath", "subpath" },
	{ "volume-opt", NULL }, { "volume-driver", NULL }, { "volume-label", NULL }, { "consistency", NULL },
};

/* For words that may have a truth for their value, in --mount alone. What is false says the opposite, or nothing. */
static const struct { const char *name, *opposite; } truths[] = {
	{ "ro", "rw" }, { "rw", "ro" }, { "U", NULL }, { "nocopy", NULL }, { "copy", "nocopy" }, { "bind", NULL },
	{ "exec", "noexec" }, { "noexec", NULL }, { "suid", "nosuid" }, { "nosuid", NULL }, { "dev", "nodev" }, { "nodev", NULL },
	{ "tmpcopyup", "notmpcopyup" }, { "notmpcopyup", NULL }, { "O", NULL },
};

static int apply_truth(struct mount_words *p, size_t i, const char *value, struct error *err)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		return mount_words_apply(p, truths[i].name, err);
	if (strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return error_set(err, ERROR_USAGE, "%s=%s: it must be true or false", truths[i].name, value);
	return truths[i].opposite ? mount_words_apply(p, truths[i].opposite, err) : 0;
}

static int relabel_option(struct mount_words *p, const char *value, struct error *err)
{
	if (!str_eq(value, "shared") && !str_eq(value, "private"))
		return error_set(err, ERROR_USAGE, "relabel=%s: it must be shared or private", value ? value : "");
	return mount_words_apply(p, strcmp(value, "shared") == 0 ? "z" : "Z", err);
}

static int mount_option(struct mount_words *p, const char *key, const char *value, struct error *err)
{
	if (strcmp(key, "relabel") == 0)
		return relabel_option(p, value, err);
	if (strcmp(key, "bind-propagation") == 0)
		return mount_words_apply(p, value ? value : "", err);
	for (size_t i = 0; i < ELEMENTS(mount_names); i++) {
		if (strcmp(key, mount_names[i].key) != 0)
			continue;
		if (!mount_names[i].option)
			return 0;
		key = mount_names[i].option;
		break;
	}
	for (size_t i = 0; value && i < ELEMENTS(truths); i++)
		if (strcmp(key, truths[i].name) == 0)
			return apply_truth(p, i, value, err);
	if (!mount_words_has(key))
		return error_set(err, ERROR_USAGE, "%s: invalid mount option", key);
	return mount_words_apply(p, value ? arena_printf(p->arena, "%s=%s", key, value) : key, err);
}

/* type, source and destination: they come in any order, and the rest depends on the type. */
static int mount_place(struct mount_words *p, const char *key, const char *value, bool *ret_done, struct error *err)
{
	*ret_done = true;
	if (strcmp(key, "type") == 0)
		p->m.type = arena_strdup(p->arena, value ? value : "");
	else if (strcmp(key, "source") == 0 || strcmp(key, "src") == 0)
		p->m.source = arena_strdup(p->arena, value ? value : "");
	else if (strcmp(key, "destination") == 0 || strcmp(key, "dst") == 0 || strcmp(key, "target") == 0)
		return mounts_set_destination(p->arena, &p->m, value ? value : "", err);
	else
		*ret_done = false;
	return 0;
}

static int finish_volume(struct container_mount *m, struct error *err)
{
	m->anonymous = str_is_empty(m->source);
	m->name = m->anonymous ? NULL : m->source;
	m->source = NULL;
	if (m->name && !reference_is_object_name(m->name))
		return error_set(err, ERROR_USAGE, "\"%s\" is no volume name", m->name);
	return 0;
}

static int finish_mount(struct mount_words *p, struct error *err)
{
	struct container_mount *m = &p->m;

	/* What a pattern finds appears under its own path, when nothing else is said. */
	if (!m->destination && strcmp(m->type, "glob") != 0)
		return error_set(err, ERROR_USAGE, "must set volume destination");
	if (strcmp(m->type, "volume") == 0)
		return finish_volume(m, err);
	if (p->on & (ON_BIND | ON_IMAGE)) {
		if (str_is_empty(m->source))
			return error_set(err, ERROR_USAGE, "must set source of a mount of type %s", m->type);
		if (p->on & ON_IMAGE)
			m->name = m->source;
		else
			m->source = mount_words_path(p->arena, m->source, p->cwd);
		return 0;
	}
	if (m->source && strcmp(m->source, m->type) != 0)
		return error_set(err, ERROR_USAGE, "a mount of type %s has no source", m->type);
	m->source = m->type;
	return 0;
}

/* Fields as in comma-separated files: one in double quotes may have commas. */
static struct strings split_fields(struct arena *arena, const char *text)
{
	struct strings fields = { 0 };
	char *field = arena_strdup(arena, text), *to = field;
	bool quoted = false;

	for (const char *at = text;; at++) {
		if (*at == '"' && (quoted || to == field)) {
			if (quoted && at[1] == '"')
				*to++ = *at++;
			else
				quoted = !quoted;
		} else if (*at && (quoted || *at != ',')) {
			*to++ = *at;
		} else {
			*to = '\0';
			strings_add(arena, &fields, field);
			to = field;
			if (!*at)
				return fields;
		}
	}
}

static int apply_fields(struct mount_words *p, const struct strings *fields, bool places, struct error *err)
{
	for (size_t i = 0; i < fields->n; i++) {
		struct pair field = pair_split(p->arena, fields->v[i]);
		const char *value = strchr(fields->v[i], '=') ? field.value : NULL;
		struct mount_words unused = *p;
		bool is_place;

		if (!*fields->v[i])
			continue;
		if (mount_place(places ? p : &unused, field.key, value, &is_place, err) < 0)
			return -1;
		if (!places && !is_place && mount_option(p, field.key, value, err) < 0)
			return -1;
	}
	return 0;
}

int mounts_parse_mount(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err)
{
	struct strings fields = split_fields(arena, text);
	struct mount_words p = { .arena = arena, .cwd = cwd, .m = { .type = "volume" } };

	if (apply_fields(&p, &fields, true, err) < 0)
		return error_frame(err, "mount \"%s\"", text);
	p.on = mount_words_kind(p.m.type);
	if (!p.on) {
		error_set(err, ERROR_UNSUPPORTED, "mount \"%s\": invalid filesystem type \"%s\"", text, p.m.type);
		return error_hint(err, "known types are bind, volume, tmpfs, ramfs, image, glob and devpts");
	}
	p.m.read_only = p.on == ON_IMAGE;
	if (finish_mount(&p, err) < 0 || apply_fields(&p, &fields, false, err) < 0 || mount_words_check(&p, err) < 0)
		return error_frame(err, "mount \"%s\"", text);
	*ARRAY_ADD(arena, ret) = p.m;
	return 0;
}

int mounts_parse_tmpfs(struct arena *arena, const char *text, struct mount_list *ret, struct error *err)
{
	const char *options = strchr(text, ':');
	struct mount_words p = { .arena = arena, .cwd = "/", .m = { .type = "tmpfs", .source = "tmpfs" }, .on = ON_TMPFS };
	const char *path = options ? arena_strndup(arena, text, (size_t)(options - text)) : text;

	if (mounts_set_destination(arena, &p.m, path, err) < 0)
		return -1;
	if (options && mount_words_apply_all(&p, options + 1, err) < 0)
		return error_frame(err, "tmpfs %s", text);
	*ARRAY_ADD(arena, ret) = p.m;
	return 0;
}

int mounts_parse_device(struct arena *arena, const char *text, struct device_list *ret, struct error *err)
{
	struct strings parts = strings_split(arena, text, ":");
	struct device_node d = { .access = "rwm" };

	if (parts.n > 3 || *parts.v[0] != '/')
		return error_set(err, ERROR_USAGE, "invalid device \"%s\": it must be HOST[:CONTAINER[:PERMISSIONS]]", text);
	d.host = d.container = parts.v[0];
	if (parts.n > 1 && *parts.v[1] == '/')
		d.container = parts.v[1];
	if (parts.n > 1 && *parts.v[parts.n - 1] != '/')
		d.access = parts.v[parts.n - 1];
	if (strspn(d.access, "rwm") != strlen(d.access) || !*d.access)
		return error_set(err, ERROR_USAGE, "invalid device mode: %s", d.access);
	*ARRAY_ADD(arena, ret) = d;
	return 0;
}

static bool mentions(const struct strings *texts, const char *word)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strstr(texts->v[i], word))
			return true;
	return false;
}

bool mounts_may_chown(const struct create_request *r)
{
	return mentions(&r->volumes, ":U") || mentions(&r->volumes, ",U") || mentions(&r->mounts, ",U") || mentions(&r->mounts, "chown");
}
