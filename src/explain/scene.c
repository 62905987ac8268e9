#include "explain/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/posix_acl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "explain/acl.h"
#include "sys/fd.h"
#include "sys/inroot.h"

#define OVERFLOW_ID 65534
#define CIFS_MAGIC 0xFF534D42
#define SMB2_MAGIC 0xFE534D42

/* --- mounts of the host */
static const struct mount_info *find_mount(struct scene *s, uint64_t id)
{
	if (!s->table_is_read) {
		s->table_is_read = true;
		mount_read_table(s->arena, "/proc/self/mountinfo", &s->table, NULL);
	}
	for (size_t i = 0; i < s->table.n; i++)
		if ((uint64_t)s->table.v[i].id == id)
			return &s->table.v[i];
	return NULL;
}

static void read_fuse(struct scene *s, uint64_t id, struct access_mount *m)
{
	const struct mount_info *info = find_mount(s, id);
	struct strings options = strings_split(s->arena, info ? info->super_options : "", ",");

	m->fuse = true;
	m->fuse_others = strings_has(&options, "allow_other");
	m->fuse_checks = strings_has(&options, "default_permissions");
	m->fuse_uid = m->fuse_gid = ID_NONE;
	for (size_t i = 0; i < options.n; i++) {
		const char *uid = str_after(options.v[i], "user_id="), *gid = str_after(options.v[i], "group_id=");

		if (uid)
			str_to_u32(uid, &m->fuse_uid);
		if (gid)
			str_to_u32(gid, &m->fuse_gid);
	}
}

static bool is_super_read_only(struct scene *s, uint64_t id)
{
	const struct mount_info *info = find_mount(s, id);
	struct strings options = strings_split(s->arena, info ? info->super_options : "", ",");

	return strings_has(&options, "ro");
}

/* Flags that the host's mount has are locked: no option of a container takes them away. */
static void read_mount(struct scene *s, int fd, uint64_t id, struct access_mount *m)
{
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return;
	if (st.f_flags & ST_RDONLY) {
		m->read_only = true;
		m->read_only_cause = m->own_ids ? m->read_only_cause : CAUSE_LOCKED;
		m->super_read_only = is_super_read_only(s, id);
	}
	if (st.f_flags & ST_NOEXEC) {
		m->no_exec = true;
		m->no_exec_cause = CAUSE_LOCKED;
	}
	m->no_dev |= (st.f_flags & ST_NODEV) != 0;
	m->no_set_id |= (st.f_flags & ST_NOSUID) != 0;
	m->network |= st.f_type == NFS_SUPER_MAGIC || (unsigned)st.f_type == CIFS_MAGIC || (unsigned)st.f_type == SMB2_MAGIC;
	if (st.f_type == FUSE_SUPER_MAGIC)
		read_fuse(s, id, m);
}

/* --- places */
static uint64_t mount_id_of(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) == 0 ? st.stx_mnt_id : 0;
}

static char *resolved(struct scene *s, const char *at)
{
	struct access_path path;

	if (!s->places.n)
		return "";
	scene_walk(s, at, true, &path);
	return path.target.container && strcmp(path.target.container, "/") != 0 ? path.target.container : "";
}

struct scene_place *scene_add(struct scene *s, const char *at, int fd, const char *host, struct access_mount *mount)
{
	char *where = resolved(s, at);
	struct scene_place *p = ARRAY_ADD(s->arena, &s->places);

	*p = (struct scene_place){ .at = where, .host = arena_strdup(s->arena, host), .root = fd, .mount_id = mount_id_of(fd),
				   .mount = mount };
	read_mount(s, fd, p->mount_id, mount);
	mount->container = *where ? where : "/";
	mount->host = p->host;
	return p;
}

struct scene_place *scene_add_made(struct scene *s, const char *at, mode_t mode, struct access_mount *mount)
{
	char *where = resolved(s, at);
	struct scene_place *p = ARRAY_ADD(s->arena, &s->places);

	*p = (struct scene_place){ .at = where, .root = -1, .mount = mount, .made = { .mode = mode, .mount = mount } };
	mount->own_ids = true;
	mount->container = where;
	return p;
}

void scene_done(struct scene *s)
{
	for (size_t i = 0; i < s->places.n; i++)
		fd_close(&s->places.v[i].root);
}

const char *scene_below(const char *path, const char *at)
{
	const char *rest = str_after(path, at);

	return rest && (!*rest || *rest == '/') ? rest : NULL;
}

/* Of mounts at one place the last one shows. */
const struct scene_place *scene_place_of(const struct scene *s, const char *path, const char **ret_rest)
{
	const struct scene_place *best = NULL;

	for (size_t i = 0; i < s->places.n; i++) {
		const char *rest = scene_below(path, s->places.v[i].at);

		if (rest && (!best || strlen(s->places.v[i].at) >= strlen(best->at))) {
			best = &s->places.v[i];
			*ret_rest = rest;
		}
	}
	return best;
}

const struct scene_place *scene_place_under(const struct scene *s, const struct scene_place *top, const char *path,
					    const char **ret_rest)
{
	struct scene without = *s;

	without.places.n = (size_t)(top - s->places.v);
	return scene_place_of(&without, path, ret_rest);
}

/* --- inodes */
static uint32_t to_host(const struct id_map *map, uint32_t id)
{
	return !map->n ? id : id == OVERFLOW_ID ? ID_NONE : idmap_to_outside(map, id);
}

static uint32_t to_container(const struct id_map *own, uint32_t id)
{
	return own->n ? idmap_to_inside(own, id) : id;
}

static void read_ids_inside(struct scene *s, const struct statx *st, struct access_node *n)
{
	bool own = n->mount->own_ids;

	n->uid = own ? to_container(&s->own.uid, st->stx_uid) : to_host(&s->rootless->uid, st->stx_uid);
	n->gid = own ? to_container(&s->own.gid, st->stx_gid) : to_host(&s->rootless->gid, st->stx_gid);
	for (size_t i = 0; i < n->acl.n; i++) {
		const struct id_map *map = n->acl.v[i].tag == ACL_GROUP ? &s->rootless->gid : &s->rootless->uid;
		const struct id_map *inner = n->acl.v[i].tag == ACL_GROUP ? &s->own.gid : &s->own.uid;
		uint32_t id = n->acl.v[i].id;

		n->acl.v[i].id = id == ID_NONE ? id : own ? to_container(inner, id) : to_host(map, id);
	}
}

static void read_acl(struct scene *s, int fd, struct access_node *n)
{
	char value[ACL_VALUE_MAX], path[32];
	ssize_t size = S_ISLNK(n->mode) ? -1 : getxattr(fd_path(fd, path), "system.posix_acl_access", value, sizeof(value));

	if (size > 0)
		n->acl = acl_parse(s->arena, value, (size_t)size);
}

static void read_label(struct scene *s, int fd, struct access_node *n)
{
	char value[256], path[32];
	ssize_t size = S_ISLNK(n->mode) ? -1 : getxattr(fd_path(fd, path), "security.selinux", value, sizeof(value) - 1);

	if (size > 0)
		n->label = arena_strndup(s->arena, value, strnlen(value, (size_t)size));
}

/* Outside the user sees more owners; the same inode it must be. */
static void read_ids_outside(struct scene *s, const struct statx *st, struct access_node *n)
{
	struct outside_view view;

	if (!n->host || n->mount->own_ids)
		return;
	outside_look(s->outside, s->arena, n->host, &view);
	if (view.sys || view.ino != st->stx_ino || view.dev != makedev(st->stx_dev_major, st->stx_dev_minor))
		return;
	n->uid = view.uid;
	n->gid = view.gid;
	if (view.acl.n)
		n->acl = view.acl;
}

static const struct access_mount *mount_of(struct scene *s, const struct scene_place *p, int fd, uint64_t id)
{
	struct access_mount *m;

	if (id == p->mount_id || id == 0)
		return p->mount;
	for (size_t i = 0; i < s->mounts.n; i++)
		if (s->mounts.v[i].id == id && s->mounts.v[i].place == p)
			return s->mounts.v[i].mount;
	m = arena_new_one(s->arena, struct access_mount);
	read_mount(s, fd, id, m);
	*ARRAY_ADD(s->arena, &s->mounts) = (struct scene_mount){ p, id, m };
	return m;
}

/* Of the ipc namespace, which is the container's: its root may write them. */
static bool is_ipc_setting(const char *path)
{
	static const char *const names[] = { "kernel/shm", "kernel/msg", "kernel/sem", "kernel/auto_msgmni", "fs/mqueue/" };
	const char *rest = str_after(path, "/proc/sys/");

	for (size_t i = 0; rest && i < ELEMENTS(names); i++)
		if (str_starts(rest, names[i]))
			return true;
	return false;
}

/* What will be true by the time the process runs. */
static void adjust(struct scene *s, const struct scene_place *p, const char *path, struct access_node *n)
{
	if (p->chown) {
		n->uid = s->chown_uid;
		n->gid = s->chown_gid;
	}
	n->setting = p->settings && S_ISREG(n->mode) && str_starts(path, "/proc/sys/");
	if (!n->setting)
		return;
	n->uid = n->gid = ID_NONE;
	if (is_ipc_setting(path)) {
		n->uid = idmap_to_outside(&s->rootless->uid, s->own.uid.n ? idmap_to_outside(&s->own.uid, 0) : 0);
		n->gid = idmap_to_outside(&s->rootless->gid, s->own.gid.n ? idmap_to_outside(&s->own.gid, 0) : 0);
	}
	if (s->net_admin && str_starts(path, "/proc/sys/net/"))
		n->mode = (n->mode & ~(mode_t)077) | (n->mode >> 3 & 070) | (n->mode >> 6 & 7);
}

int scene_look(struct scene *s, const struct scene_place *p, const char *rest, const char *path, struct access_node *n,
	       int *ret_fd)
{
	struct statx st;
	const char *name = *rest ? rest + 1 : ".";

	*ret_fd = -1;
	*n = p->made;
	n->mount = p->mount;
	n->container = s->on_host ? NULL : *path ? arena_strdup(s->arena, path) : "/";
	if (p->root < 0) {
		errno = ENOENT;
		return *rest ? -1 : 0;
	}
	if (p->host)
		n->host = arena_printf(s->arena, "%s%s", strcmp(p->host, "/") == 0 && *rest ? "" : p->host, rest);
	*ret_fd = *rest ? inroot_open(p->root, name, O_PATH | O_NOFOLLOW, 0) : fcntl(p->root, F_DUPFD_CLOEXEC, 3);
	if (*ret_fd < 0 || statx(*ret_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) < 0)
		return -1;
	n->mode = st.stx_mode;
	n->immutable = st.stx_attributes & STATX_ATTR_IMMUTABLE;
	n->append_only = st.stx_attributes & STATX_ATTR_APPEND;
	n->covered = *rest && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
	n->mount = mount_of(s, p, *ret_fd, st.stx_mnt_id);
	read_acl(s, *ret_fd, n);
	read_label(s, *ret_fd, n);
	read_ids_inside(s, &st, n);
	read_ids_outside(s, &st, n);
	adjust(s, p, path, n);
	return 0;
}
