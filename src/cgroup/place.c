#include "cgroup/place.h"

#include <string.h>

#define PATH_FIELD ".linux.cgroupsPath"
#define SUBGROUP "run.oci.systemd.subgroup"
#define UNIT_MAX 255
/* systemd.unit(5), "valid unit names", without the "@" of templates. */
#define UNIT_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_."

/* "a/b" out of "/a//b/./", NULL with what is wrong. */
static char *clean(struct arena *arena, const char *path, const char **ret_why)
{
	struct strings parts = strings_split(arena, path, "/"), kept = { 0 };

	*ret_why = NULL;
	for (size_t i = 0; i < parts.n; i++) {
		const char *part = parts.v[i];

		if (str_eq(part, ".."))
			*ret_why = "\"..\" is not possible in the path of a cgroup";
		else if (strlen(part) > 255)
			*ret_why = "a name in it is longer than 255 bytes";
		else if (*part && !str_eq(part, "."))
			strings_add(arena, &kept, part);
		for (const char *c = part; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 127)
				*ret_why = "it has a control character";
	}
	return *ret_why ? NULL : strings_join(arena, &kept, "/");
}

static int choose_path(struct arena *arena, const struct cgroup_host *host, const char *id, const char *wanted,
		       struct place *ret, struct error *err)
{
	const char *why;
	char *path;

	if (str_is_empty(wanted))
		wanted = arena_printf(arena, "bryo-%s", id);
	path = clean(arena, wanted, &why);
	if (path && !*path)
		why = "the root of the hierarchy cannot be a container's cgroup";
	if (why)
		return error_set(err, ERROR_INVALID, PATH_FIELD ": %s", why);
	ret->path = *wanted == '/' || host->privileged ? arena_printf(arena, "/%s", path) : path;
	return 0;
}

/* What no unit's name can have becomes \xNN, as systemd-escape(1) writes it. */
static char *unit_name(struct arena *arena, const char *text)
{
	_cleanup_buffer_ struct buffer b = BUFFER(4 * UNIT_MAX);

	for (; *text; text++)
		if (strchr(UNIT_CHARACTERS, *text))
			buffer_add(&b, text, 1);
		else
			buffer_printf(&b, "\\x%02x", (unsigned char)*text);
	return b.size > UNIT_MAX || b.size == 0 ? NULL : arena_strdup(arena, b.data);
}

/* "a-b.slice" is below "a.slice"; "-.slice" is the root. An empty part between the dashes names nothing. */
static bool is_slice(const char *name)
{
	if (str_eq(name, "-.slice"))
		return true;
	return str_ends(name, ".slice") && *name != '.' && *name != '-' && !strstr(name, "--") && !strstr(name, "-.slice") &&
	       strspn(name, UNIT_CHARACTERS "\\") == strlen(name) && strlen(name) <= UNIT_MAX;
}

static char *slice_name(struct arena *arena, const struct cgroup_host *host, const char *wanted)
{
	if (!*wanted)
		return host->privileged ? "system.slice" : "user.slice";
	return str_eq(wanted, "-") ? "-.slice" : arena_strdup(arena, wanted);
}

static int choose_scope(struct arena *arena, const struct cgroup_host *host, const char *id, const char *wanted,
			struct place *ret, struct error *err)
{
	struct strings parts;

	if (str_is_empty(wanted))
		wanted = arena_printf(arena, ":bryo:%s", id);
	parts = strings_split(arena, wanted, ":");
	if (parts.n != 3 || !*parts.v[2])
		return error_set(err, ERROR_INVALID, PATH_FIELD ": expected slice:prefix:name for the systemd cgroup manager, "
				 "got \"%s\"", str_printable(arena, wanted, 128));
	if (str_ends(parts.v[2], ".slice"))
		return error_set(err, ERROR_UNSUPPORTED, PATH_FIELD ": a slice has no processes of its own, so no container");
	ret->slice = slice_name(arena, host, parts.v[0]);
	if (!is_slice(ret->slice))
		return error_set(err, ERROR_INVALID, PATH_FIELD ": \"%s\" is no name of a slice",
				 str_printable(arena, ret->slice, 128));
	ret->scope = unit_name(arena, arena_printf(arena, "%s%s%s.scope", parts.v[1], *parts.v[1] ? "-" : "", parts.v[2]));
	return ret->scope ? 0 : error_set(err, ERROR_INVALID, PATH_FIELD ": the name is too long for a systemd unit");
}

/* The annotation as a path below the cgroup; `unset` when there is none. */
static int annotation(struct arena *arena, const struct oci_spec *spec, const char *name, char *unset, char **ret,
		      struct error *err)
{
	const char *text = map_get(&spec->annotations, name), *why;

	*ret = text ? clean(arena, text, &why) : unset;
	return text && !*ret ? error_set(err, ERROR_INVALID, ".annotations[\"%s\"]: %s", name, why) : 0;
}

int place_choose(struct arena *arena, const struct cgroup_host *host, const char *id, const struct oci_spec *spec,
		 struct place *ret, struct error *err)
{
	const char *wanted = spec->linux_ ? spec->linux_->cgroups_path : NULL;
	bool systemd = host->manager == CGROUP_SYSTEMD;
	struct place p = { .demanded = !str_is_empty(wanted) };

	if ((systemd ? choose_scope : choose_path)(arena, host, id, wanted, &p, err) < 0)
		return -1;
	if (annotation(arena, spec, SUBGROUP, host->unified ? "container" : "", &p.subgroup, err) < 0 ||
	    annotation(arena, spec, CGROUP_LEAF, NULL, &p.leaf, err) < 0)
		return -1;
	if (!systemd)
		p.subgroup = "";
	if (!host->unified || str_is_empty(p.leaf))
		p.leaf = NULL;
	*ret = p;
	return 0;
}
