#include "oci/external_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/inroot.h"

/* --- the configuration's mounts */

static bool is_bind(const struct oci_mount *m)
{
	return str_eq(m->type, "bind") || str_eq(m->type, "rbind") || strings_has(&m->options, "bind") ||
	       strings_has(&m->options, "rbind");
}

/* What of path is after dir: "" when they are the same, NULL when it is elsewhere. */
static const char *below(const char *path, const char *dir)
{
	const char *rest = str_eq(dir, "/") ? path : str_after(path, dir);

	return rest && (*rest == '/' || !*rest) ? rest : NULL;
}

/* Without links, as far as it is there, and without a slash at the end. */
static char *real_path(struct arena *arena, int root, const char *path)
{
	char *left = arena_printf(arena, "/%s", path), *real = NULL, *rest = arena_strdup(arena, "");

	while (*left && !(real = inroot_real_path(arena, root, left))) {
		char *slash = strrchr(left, '/');

		if (slash[1])
			rest = arena_printf(arena, "%s%s", slash, rest);
		*slash = '\0';
	}
	return arena_printf(arena, "%s%s", real && (!str_eq(real, "/") || !*rest) ? real : "", rest);
}

void external_mounts_init(struct external_mounts *e, struct arena *arena, const struct oci_spec *spec, int root)
{
	*e = (struct external_mounts){ .arena = arena, .spec = spec };
	for (size_t i = 0; i < spec->mounts.n; i++)
		strings_add(arena, &e->destinations, real_path(arena, root, spec->mounts.v[i].destination));
}

/* The innermost mount of the configuration that a place is at or below, before the one with number `before`; later ones
 * cover earlier ones. -1: none. */
static ssize_t owner_before(const struct external_mounts *e, const char *place, size_t before)
{
	ssize_t best = -1;

	for (size_t i = 0; i < before; i++)
		if (below(place, e->destinations.v[i]) &&
		    (best < 0 || strlen(e->destinations.v[i]) >= strlen(e->destinations.v[best])))
			best = (ssize_t)i;
	return best;
}

static ssize_t owner(const struct external_mounts *e, const char *place)
{
	return owner_before(e, place, e->destinations.n);
}

/* --- on dump */

/* criu can make it again when it is a file system's root, or a part of one that the container sees. */
static bool is_own(const struct mount_table *table, size_t at)
{
	const struct mount_info *m = &table->v[at];

	if (str_eq(m->root, "/") || str_eq(m->fstype, "cgroup2"))
		return true;
	for (size_t i = 0; i < table->n; i++)
		if (i != at && str_eq(table->v[i].device, m->device) && below(m->root, table->v[i].root) &&
		    !str_eq(table->v[i].root, m->root))
			return true;
	return false;
}

void external_mounts_find(const struct external_mounts *e, const struct mount_table *table, struct strings *ret)
{
	for (size_t i = 0; i < table->n; i++) {
		const char *point = table->v[i].point;
		ssize_t from = owner(e, point);

		if (str_eq(point, "/") || strings_has(ret, point))
			continue;
		if ((from >= 0 && is_bind(&e->spec->mounts.v[from])) || !is_own(table, i))
			strings_add(e->arena, ret, point);
	}
}

/* --- on restore */

void external_mounts_list(const struct external_mounts *e, struct strings *ret)
{
	const struct oci_linux *l = e->spec->linux_;

	for (size_t i = 0; i < e->destinations.n; i++)
		if (is_bind(&e->spec->mounts.v[i]))
			strings_add(e->arena, ret, e->destinations.v[i]);
	strings_add_all(e->arena, ret, &l->masked_paths);
	for (size_t i = 0; i < l->devices.n; i++)
		strings_add(e->arena, ret, l->devices.v[i].path);
	strings_add(e->arena, ret, "/dev/null");	/* the name that runc gives to masks */
}

static const char *of_hierarchy(const struct external_mounts *e, const struct cgroup_views *hierarchies, const char *rest)
{
	for (size_t i = 0; i < hierarchies->n; i++) {
		const char *deeper = *rest ? below(rest + 1, hierarchies->v[i].name) : NULL;

		if (deeper && *hierarchies->v[i].name)
			return arena_printf(e->arena, "%s%s", hierarchies->v[i].path, deeper);
	}
	return NULL;
}

static const char *source_of(const struct external_mounts *e, const struct oci_mount *m, const char *bundle,
			     const char *rest)
{
	if (*m->source == '/')
		return arena_printf(e->arena, "%s%s", str_eq(m->source, "/") ? "" : m->source, rest);
	return arena_printf(e->arena, "%s/%s%s", bundle, m->source, rest);
}

const char *external_mounts_source(const struct external_mounts *e, const char *bundle,
				   const struct cgroup_views *hierarchies, const char *place)
{
	ssize_t from = owner(e, place);
	const struct oci_mount *m = from < 0 ? NULL : &e->spec->mounts.v[from];
	const char *rest = m ? below(place, e->destinations.v[from]) : NULL, *found = NULL;

	if (m && is_bind(m) && m->source)
		return source_of(e, m, bundle, rest);
	if (m && str_eq(m->type, "cgroup"))
		found = of_hierarchy(e, hierarchies, rest);
	if (found)
		return found;
	/* Masks of directories are file systems of their own; device nodes have the host's names. */
	return strings_has(&e->spec->linux_->masked_paths, place) ? "/dev/null" : place;
}

/* --- mount points */

static bool is_directory(const struct oci_mount *m, const char *source)
{
	struct stat st;

	return !is_bind(m) || stat(source, &st) < 0 || S_ISDIR(st.st_mode);
}

static int prepare_one(const struct external_mounts *e, size_t i, int root, const char *bundle, struct error *err)
{
	const struct oci_mount *m = &e->spec->mounts.v[i], *around;
	const char *place = e->destinations.v[i];
	ssize_t outer = owner_before(e, place, i);
	bool directory = is_directory(m, m->source ? source_of(e, m, bundle, "") : "");
	_cleanup_fd_ int base = -1, point = -1;

	if (outer >= 0) {
		around = &e->spec->mounts.v[outer];
		if (!is_bind(around) || !around->source)
			return 0;	/* criu fills it with what it had */
		place = below(place, e->destinations.v[outer]);
		base = open(source_of(e, around, bundle, ""), O_PATH | O_DIRECTORY | O_CLOEXEC);
		root = base;
	}
	point = root < 0 ? -1 : inroot_mountpoint(root, *place ? place : "/", directory);
	if (point >= 0)
		return 0;
	return error_errno(err, ".mounts[%zu].destination: make the mount point %s", i, m->destination);
}

int external_mounts_prepare(const struct external_mounts *e, int root, const char *bundle, struct error *err)
{
	for (size_t i = 0; i < e->destinations.n; i++)
		if (prepare_one(e, i, root, bundle, err) < 0)
			return -1;
	return 0;
}
