/* The facts of a container that would be: what create and start decide, put together as a scene */
#include "explain/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/volume.h"
#include "run/mount_options.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/inroot.h"

struct staging {
	struct engine *e;
	const struct preview *p;
	struct scene *s;
	const struct access_process *process;
};

/* --- the process */
static void take_groups(struct engine *e, const struct preview *p, struct access_process *ret)
{
	const struct oci_user *u = &p->spec->process->user;
	const char *keep = map_get(&p->spec->annotations, "run.oci.keep_original_groups");

	/* Kept as they are; and where setgroups is denied nobody can drop them. */
	if (str_eq(keep, "1") || e->identity.single_id)
		for (size_t i = 0; i < e->identity.groups.n; i++)
			*ARRAY_ADD(e->arena, &ret->host_groups) = e->identity.groups.v[i];
	if (str_eq(keep, "1") || e->identity.single_id)
		return;
	for (size_t i = 0; i < u->additional_gids.n; i++) {
		uint32_t gid = (uint32_t)u->additional_gids.v[i];

		*ARRAY_ADD(e->arena, &ret->groups) = gid;
		*ARRAY_ADD(e->arena, &ret->host_groups) = idmap_to_outside(&ret->maps.gid, gid);
	}
}

static void take_process(struct engine *e, const struct preview *p, struct access_process *ret)
{
	const struct oci_process *process = p->spec->process;

	*ret = (struct access_process){ .uid = (uint32_t)process->user.uid, .gid = (uint32_t)process->user.gid,
					.maps = facts_host_maps(e->arena, p->maps, &e->identity.maps),
					.no_new_privileges = process->no_new_privileges,
					.selinux_label = process->selinux_label, .apparmor = process->apparmor_profile };
	ret->host_uid = idmap_to_outside(&ret->maps.uid, ret->uid);
	ret->host_gid = idmap_to_outside(&ret->maps.gid, ret->gid);
	for (size_t i = 0; i < process->capabilities->effective.n; i++)
		ret->capabilities |= CAPS_BIT(caps_number(process->capabilities->effective.v[i]));
	take_groups(e, p, ret);
}

int facts_process_of(struct engine *e, const struct preview *p, const struct create_request *r, struct access_process *ret,
		     struct error *err)
{
	struct container c = *p->c;
	struct oci_capabilities capabilities;
	struct oci_process process = *p->spec->process;
	struct oci_spec spec = { .process = &process };
	struct preview changed = { .c = &c, .spec = &spec, .root = p->root };
	struct userns_user kept;
	struct passwd_user user;
	struct user_files files;
	struct id_maps maps;

	c.request = *r;
	c.uid_map = c.gid_map = NULL;	/* those of the other request */
	if (userns_mode_maps(e, &c, &maps, &kept, err) < 0 ||
	    user_resolve(e, p->root, r->user ? r->user : c.image.user, &r->group_add, &kept, &user, &files, err) < 0 ||
	    user_check(e, &user, &maps, err) < 0 || oci_config_capabilities(e->arena, r, user.uid, &capabilities, err) < 0)
		return -1;
	changed.maps = &maps;
	process.user = (struct oci_user){ .uid = user.uid, .gid = user.gid };
	for (size_t i = 0; i < user.groups.n; i++)
		*ARRAY_ADD(e->arena, &process.user.additional_gids) = user.groups.v[i];
	process.capabilities = &capabilities;
	if (r->group_add.n == 1 && str_eq(r->group_add.v[0], "keep-groups"))
		map_set(e->arena, &spec.annotations, "run.oci.keep_original_groups", "1");
	take_process(e, &changed, ret);
	return 0;
}

/* --- mounts */
static struct access_mount *new_mount(struct staging *g, const struct oci_mount *m, const struct mount_options *o)
{
	struct access_mount *ret = arena_new_one(g->e->arena, struct access_mount);
	uint64_t set = o->set | o->set_tree;

	ret->fstype = m->type;
	ret->read_only = set & MOUNT_ATTR_RDONLY;
	ret->no_exec = set & MOUNT_ATTR_NOEXEC;
	ret->no_dev = set & MOUNT_ATTR_NODEV;
	ret->no_set_id = set & MOUNT_ATTR_NOSUID;
	return ret;
}

static const struct container_mount *asked_for(const struct staging *g, const struct oci_mount *m)
{
	for (size_t i = 0; i < g->p->c->mounts.n; i++)
		if (str_eq(g->p->c->mounts.v[i].destination, m->destination))
			return &g->p->c->mounts.v[i];
	return NULL;
}

static bool is_unused_volume(struct staging *g, const struct container_mount *m)
{
	struct volume v;

	return m && m->name && volume_read(g->e->arena, &g->e->store, m->name, &v, NULL) == 0 && v.needs_chown;
}

/* A volume that was never used begins as what the image has there. */
static bool add_image_of_volume(struct staging *g, const struct oci_mount *m, struct access_mount *mount)
{
	int fd = inroot_open(g->p->root, m->destination, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return false;
	mount->own_ids = true;
	scene_add(g->s, m->destination, fd, NULL, mount);
	return true;
}

static void add_bind(struct staging *g, const struct oci_mount *m, struct access_mount *mount)
{
	const struct container_mount *asked = asked_for(g, m);
	bool unused = is_unused_volume(g, asked);
	int fd = unused && add_image_of_volume(g, m, mount) ? -1 : open(m->source, O_PATH | O_CLOEXEC);
	struct scene_place *place;

	if (fd < 0)
		return;
	place = scene_add(g->s, m->destination, fd, m->source, mount);
	place->chown = unused || (asked && asked->chown);
	place->settings = str_eq(m->destination, "/proc");
	if (scene_below(m->source, g->e->run_path))	/* hosts, resolv.conf: not the user's to change */
		place->host = NULL;
}

static mode_t mode_of_tmpfs(const struct mount_options *o)
{
	for (size_t i = 0; i < o->data.n; i++) {
		const char *mode = str_after(o->data.v[i], "mode=");

		if (mode)
			return (mode_t)strtoul(mode, NULL, 8) & 07777;
	}
	return 01777;
}

/* Writes to :O go to an upper directory of the container's; who may do what is as below. */
static void add_overlay(struct staging *g, const struct oci_mount *m, struct access_mount *mount)
{
	for (size_t i = 0; i < m->options.n; i++) {
		const char *lower = str_after(m->options.v[i], "lowerdir=");
		int fd = lower ? open(lower, O_PATH | O_CLOEXEC) : -1;

		if (fd < 0)
			continue;
		scene_add(g->s, m->destination, fd, lower, mount);
		mount->read_only = mount->no_exec = false;
		mount->in_user_namespace = true;
	}
}

static void add_mount(struct staging *g, const struct oci_mount *m)
{
	struct mount_options o;
	struct access_mount *mount;

	mount_options_parse(g->e->arena, &m->options, &o);
	mount = new_mount(g, m, &o);
	if (str_eq(m->type, "bind") || o.bind || o.bind_tree) {
		add_bind(g, m, mount);
	} else if (str_eq(m->type, "overlay")) {
		add_overlay(g, m, mount);
	} else if (str_eq(m->type, "proc") || str_eq(m->type, "sysfs") || str_eq(m->type, "cgroup")) {
		const char *host = str_eq(m->type, "proc") ? "/proc" : m->destination;

		add_bind(g, &(struct oci_mount){ .destination = m->destination, .source = (char *)host }, mount);
		mount->in_user_namespace = true;
	} else {
		mount->in_user_namespace = true;
		scene_add_made(g->s, m->destination, S_IFDIR | mode_of_tmpfs(&o), mount);
	}
}

/* --- what the runtime adds */
static void add_devices(struct staging *g)
{
	static const char *const nodes[] = { "null", "zero", "full", "tty", "random", "urandom" };

	for (size_t i = 0; i < ELEMENTS(nodes); i++) {
		char *path = arena_printf(g->e->arena, "/dev/%s", nodes[i]);

		scene_add_made(g->s, path, S_IFCHR | 0666, arena_new_one(g->e->arena, struct access_mount));
	}
}

/* The inode that shows at a path before something is laid over it. */
static bool open_shown(struct staging *g, const char *path, int *ret_fd, const struct scene_place **ret_place,
		       struct access_node *n)
{
	const char *rest;

	*ret_place = scene_place_of(g->s, path, &rest);
	return *ret_place && scene_look(g->s, *ret_place, rest, path, n, ret_fd) == 0 && *ret_fd >= 0;
}

static void add_guard(struct staging *g, const char *path, enum access_cause cause)
{
	struct access_mount *m = arena_new_one(g->e->arena, struct access_mount);
	const struct scene_place *under;
	struct scene_place *p;
	struct access_node n;
	int fd = -1;

	if (!open_shown(g, path, &fd, &under, &n)) {
		fd_close(&fd);
		return;
	}
	if (cause == CAUSE_MASKED) {
		fd_close(&fd);
		p = scene_add_made(g->s, path, S_ISDIR(n.mode) ? S_IFDIR | 0755 : S_IFCHR | 0666, m);
	} else {
		p = scene_add(g->s, path, fd, n.host, m);
		p->settings = str_starts(path, "/proc/sys");
	}
	m->read_only = m->no_exec = true;
	m->read_only_cause = cause;
	m->super_read_only = false;
	p->mount = m;
}

static int add_root(struct staging *g, struct error *err)
{
	struct access_mount *m = arena_new_one(g->e->arena, struct access_mount);
	int fd = fcntl(g->p->root, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return error_errno(err, "look into the root file system");
	m->fstype = "overlay";
	if (g->p->c->rootfs) {		/* a directory of the host's, with its own owners */
		scene_add(g->s, "/", fd, g->p->c->rootfs, m);
	} else {
		m->own_ids = m->in_user_namespace = true;
		scene_add(g->s, "/", fd, NULL, m);
		m->read_only = m->no_exec = m->no_dev = false;
	}
	if (!g->p->spec->root->readonly)
		return 0;
	m->read_only = true;
	m->read_only_cause = CAUSE_ROOT;
	return 0;
}

int facts_of_preview(struct engine *e, const struct outside *o, const struct preview *p, struct scene *ret_scene,
		     struct access_process *ret, struct error *err)
{
	struct staging g = { e, p, ret_scene, ret };

	take_process(e, p, ret);
	*ret_scene = (struct scene){ .arena = e->arena, .outside = o, .rootless = &e->identity.maps, .own = *p->maps,
				     .chown_uid = ret->host_uid, .chown_gid = ret->host_gid,
				     .net_admin = ret->capabilities & CAPS_BIT(CAP_NET_ADMIN) };
	if (add_root(&g, err) < 0)
		return -1;
	for (size_t i = 0; i < p->spec->mounts.n; i++) {
		add_mount(&g, &p->spec->mounts.v[i]);
		if (str_eq(p->spec->mounts.v[i].destination, "/dev"))
			add_devices(&g);
	}
	for (size_t i = 0; i < p->spec->linux_->masked_paths.n; i++)
		add_guard(&g, p->spec->linux_->masked_paths.v[i], CAUSE_MASKED);
	for (size_t i = 0; i < p->spec->linux_->readonly_paths.n; i++)
		add_guard(&g, p->spec->linux_->readonly_paths.v[i], CAUSE_READONLY_PATH);
	return 0;
}
