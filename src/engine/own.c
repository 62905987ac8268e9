#include "engine/own.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "engine/host_place.h"
#include "engine/walk.h"
#include "sys/errand.h"
#include "sys/fd.h"
#include "sys/outside.h"

#define UNMAPPED 65534		/* what the kernel shows for owners outside the map; and an owner like others in most maps */

struct owning {
	struct engine *e;
	const char *name;
	uid_t uid;
	gid_t gid;
	bool exact;		/* in a namespace where UNMAPPED means nothing else */
	bool all;		/* nothing is right yet: no need to look again */
};

/* What the first walk counts. */
enum { COUNT_WRONG, COUNT_RIGHT, COUNT_DOUBTFUL };

static int refuse(const struct owning *o, const struct walk_entry *entry, const char *what, const char *cure, struct error *err)
{
	const char *path = *entry->path ? arena_printf(o->e->arena, "%s/%s", o->name, entry->path) : o->name;

	error_set(err, ERROR_DENIED, "%s %s: nothing was changed", *entry->path ? entry->path : "it", what);
	return error_hint(err, "%s %s", cure, str_quote(o->e->arena, path));
}

/* " (uid 7)", as far as somebody outside can tell. */
static const char *owner_outside(const struct owning *o, const struct walk_entry *entry, bool uid)
{
	int fd = o->e->outside <= 0 ? -1 : *entry->name ? openat(entry->dir, entry->name, O_PATH | O_NOFOLLOW | O_CLOEXEC) :
		 fcntl(entry->dir, F_DUPFD_CLOEXEC, 3);
	uid_t owner;
	gid_t group;
	bool known = fd >= 0 && outside_owner(o->e->outside, fd, &owner, &group);

	fd_close(&fd);
	return !known ? "" : uid ? arena_printf(o->e->arena, " (uid %u)", owner) : arena_printf(o->e->arena, " (gid %u)", group);
}

static int unmapped(const struct owning *o, const struct walk_entry *entry, bool uid, struct error *err)
{
	const char *who = owner_outside(o, entry, uid);
	const char *what = arena_printf(o->e->arena, uid ? "belongs to a user of the host%s who is neither you nor one of your subordinate "
					"IDs" : "belongs to a group of the host%s that is neither yours nor one of your subordinate IDs", who);

	return refuse(o, entry, what, "take it out of the mounted directory, or have the administrator give it to you: "
		      "chown -hR $USER:", err);
}

static int check_owner(const struct owning *o, const struct walk_entry *entry, struct walk_counts *counts, struct error *err)
{
	bool uid = entry->st.stx_uid == UNMAPPED, gid = entry->st.stx_gid == UNMAPPED;

	if ((uid && (o->exact || idmap_to_outside(&o->e->identity.maps.uid, UNMAPPED) == ID_NONE)) ||
	    (gid && (o->exact || idmap_to_outside(&o->e->identity.maps.gid, UNMAPPED) == ID_NONE)))
		return unmapped(o, entry, uid, err);
	if (o->exact)
		return 0;
	counts->n[COUNT_DOUBTFUL]++;	/* no use in going on: it has to be asked otherwise, of all files */
	return error_set(err, ERROR_STATE, "%s: whose it is cannot be told here", entry->path);
}

/* The first walk: may all of it be changed, and is there anything to change? */
static int look(const void *context, const struct walk_entry *entry, struct walk_counts *counts, struct error *err)
{
	const struct owning *o = context;
	bool right = entry->st.stx_uid == o->uid && entry->st.stx_gid == o->gid;

	if (*entry->path && entry->st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return refuse(o, entry, "is another file system, mounted there", "mount a directory that does not contain", err);
	if ((entry->st.stx_uid == UNMAPPED || entry->st.stx_gid == UNMAPPED) && check_owner(o, entry, counts, err) < 0)
		return -1;
	if (!right && entry->st.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return refuse(o, entry, "cannot be changed by anybody", "the administrator can allow it: chattr -i -a", err);
	counts->n[right ? COUNT_RIGHT : COUNT_WRONG]++;
	return 0;
}

/* The second one. */
static int change(const void *context, const struct walk_entry *entry, struct walk_counts *counts, struct error *err)
{
	const struct owning *o = context;
	int flags = AT_SYMLINK_NOFOLLOW | (*entry->name ? 0 : AT_EMPTY_PATH);

	if (!o->all && entry->st.stx_uid == o->uid && entry->st.stx_gid == o->gid)
		return 0;
	if (fchownat(entry->dir, entry->name, o->uid, o->gid, flags) == 0 || errno == ENOENT)
		return 0;
	return error_errno(err, "change the owner of %s", *entry->path ? entry->path : "it");
}

/* --- is UNMAPPED an owner whom no container can have, or nobody? Another namespace calls nobody differently. */

/* An extent may not reach over several of the outer namespace. */
static void add_shifted(struct arena *arena, struct id_map *map, const struct id_map *own)
{
	for (size_t i = 0; i < own->n; i++) {
		uint32_t first = own->v[i].inside, count = own->v[i].count;
		uint32_t below = first >= UNMAPPED ? 0 : UNMAPPED - first < count ? UNMAPPED - first : count;

		if (below)
			idmap_add(arena, map, first, first, below);
		if (count > below)
			idmap_add(arena, map, first + below + 1, first + below, count - below);
	}
}

struct doubt { struct owning o; int top, namespace; };

static int look_there(void *context, struct error *err)
{
	struct doubt *d = context;
	struct walk_counts counts = { 0 };

	if (setns(d->namespace, CLONE_NEWUSER) < 0)
		return error_errno(err, "join a user namespace");
	return walk_tree(d->top, look, &d->o, WALK_STAT | WALK_ALONE, &counts, err);
}

static int look_exactly(const struct owning *o, int top, struct error *err)
{
	struct doubt d = { .o = *o, .top = top };
	struct id_maps shifted = { 0 };
	int result;

	add_shifted(o->e->arena, &shifted.uid, &o->e->identity.maps.uid);
	add_shifted(o->e->arena, &shifted.gid, &o->e->identity.maps.gid);
	d.o.exact = true;
	d.namespace = idmap_namespace(&shifted);
	if (d.namespace < 0)
		return error_errno(err, "make a user namespace");
	result = errand_run(look_there, &d, err);
	close(d.namespace);
	return result;
}

/* --- what is refused as a whole */

static bool is_same(const struct stat *st, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static int check_top(struct engine *e, int top, const char *name, struct error *err)
{
	const char *own = host_place_of_user(e, top);
	struct statvfs fs;

	if (own) {
		error_set(err, ERROR_USAGE, "volume option U would give all of %s to the container's user, with %s in it", name, own);
		return error_hint(err, "mount a directory below it");
	}
	if (fstatvfs(top, &fs) < 0)
		return error_errno(err, "stat %s", name);
	if (fs.f_flag & ST_RDONLY) {
		error_set(err, ERROR_USAGE, "volume option U: %s is on a file system that is mounted read-only", name);
		return error_hint(err, "leave U out, or mount it for writing on the host");
	}
	return 0;
}

static int check_mount_point(const char *name, struct error *err)
{
	struct statx st;

	if (statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) < 0 || !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	error_set(err, ERROR_USAGE, "volume option U would give the whole file system that is mounted at %s to the container's user", name);
	return error_hint(err, "mount a directory below it: mkdir %s/data", name);
}

/* The mount of an overlay, or of a part of a volume, is bryo's own. */
static bool is_on_host(int top, const char *name)
{
	struct stat st;

	return fstat(top, &st) == 0 && is_same(&st, name);
}

/* Whether all may be changed; *ret_wrong: whether anything has to be. */
static int look_at_all(struct owning *o, int top, bool *ret_wrong, struct error *err)
{
	struct walk_counts counts = { 0 };
	int result = walk_tree(top, look, o, WALK_STAT, &counts, err);

	*ret_wrong = counts.n[COUNT_WRONG] > 0;
	o->all = counts.n[COUNT_RIGHT] == 0;
	if (counts.n[COUNT_DOUBTFUL] == 0)
		return result;
	error_clear(err);
	*ret_wrong = true;	/* some may be: the second walk tells */
	o->all = false;
	return look_exactly(o, top, err);
}

int own_check(struct engine *e, int top, const char *name, struct error *err)
{
	struct owning o = { .e = e, .name = name, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	bool wrong;

	return look_at_all(&o, top, &wrong, err);
}

int own_tree(struct engine *e, int top, const char *name, uid_t uid, gid_t gid, struct error *err)
{
	struct owning o = { .e = e, .name = name, .uid = uid, .gid = gid };
	struct walk_counts counts;
	bool wrong;

	if (check_top(e, top, name, err) < 0 || (is_on_host(top, name) && check_mount_point(name, err) < 0))
		return -1;
	if (look_at_all(&o, top, &wrong, err) < 0)
		return error_frame(err, "volume option U on %s", name);
	if (wrong && walk_tree(top, change, &o, o.all ? 0 : WALK_STAT, &counts, err) < 0)
		return error_frame(err, "volume option U on %s", name);
	return 0;
}
