#include "explain/decision.h"

#include <errno.h>
#include <sys/stat.h>

#include "explain/classify.h"

#define NOBODY 65534

/* --- what is in the way */
static uint32_t seen_inside(const struct id_map *map, uint32_t host)
{
	uint32_t id = map->n ? idmap_to_inside(map, host) : host;

	return id == ID_NONE ? NOBODY : id;
}

struct verdict_block *decision_block(struct decision *d, const struct access_node *n, enum reason reason, int sys)
{
	const struct access_process *p = &d->f->process;
	struct verdict_block *b = ARRAY_ADD(d->arena, &d->v->blocks);

	*b = (struct verdict_block){ .reason = reason, .sys = sys, .certain = true, .host_uid = ID_NONE, .host_gid = ID_NONE,
				     .uid = NOBODY, .gid = NOBODY };
	if (!n)
		return b;
	b->container = n->container;
	b->host = n->host;
	b->mode = n->mode;
	if (n->mode) {
		b->host_uid = permission_uid(p, n);
		b->host_gid = permission_gid(p, n);
		b->uid = seen_inside(&p->maps.uid, b->host_uid);
		b->gid = seen_inside(&p->maps.gid, b->host_gid);
	}
	return b;
}

static bool is_same_node(const struct verdict_block *b, const struct access_node *n)
{
	return str_eq(b->container, n->container) && str_eq(b->host, n->host);
}

/* One directory that neither lets through nor be written is one thing in the way. */
static struct verdict_block *refused_before(struct decision *d, const struct access_node *n, enum reason reason)
{
	for (size_t i = 0; i < d->v->blocks.n; i++)
		if (d->v->blocks.v[i].reason == reason && is_same_node(&d->v->blocks.v[i], n))
			return &d->v->blocks.v[i];
	return NULL;
}

/* --- one inode */
static bool is_private_fuse(const struct access_facts *f, const struct access_node *n)
{
	const struct access_mount *m = n->mount;

	return m && m->fuse && !m->fuse_others && (f->process.host_uid != m->fuse_uid || f->process.host_gid != m->fuse_gid);
}

/* "user:role:type:level" */
static bool is_containers_label(const char *label)
{
	return strstr(label, ":container_") != NULL;
}

static void check_label(struct decision *d, const struct access_node *n)
{
	const struct access_facts *f = d->f;

	if (f->on_host || !f->selinux_enforcing || !f->process.selinux_label || !n->label || is_containers_label(n->label) ||
	    (n->mount && n->mount->own_ids) || refused_before(d, n, REASON_SELINUX_LABEL))
		return;
	struct verdict_block *b = decision_block(d, n, REASON_SELINUX_LABEL, EACCES);
	b->certain = false;
	b->detail = arena_printf(d->arena, "its label is %s", n->label);
}

static void refuse(struct decision *d, const struct access_node *n, unsigned want, const struct permission *r, bool parent)
{
	enum reason reason = classify_refusal(d->arena, d->f, n, want, r);
	struct verdict_block *b = refused_before(d, n, reason);

	if (n->mount && n->mount->network && d->f->process.host_uid != d->f->user_uid)
		reason = REASON_NETWORK_OWNER;
	if (b) {
		b->wants |= want;
		return;
	}
	b = decision_block(d, n, reason, EACCES);
	b->is_parent = parent;
	b->class = r->class;
	b->has = r->has;
	b->wants = want;
	b->certain = reason != REASON_NETWORK_OWNER;
	b->detail = classify_detail(d->arena, d->f, n, want, reason);
}

/* inode_permission without its questions about read-only file systems. */
void decision_may(struct decision *d, const struct access_node *n, unsigned want, bool parent)
{
	struct permission r = permission_check(&d->f->process, n, want);

	if (n->unseen) {
		d->unseen = true;
		return;
	}
	if ((want & MAY_W) && n->immutable && !refused_before(d, n, REASON_IMMUTABLE))
		decision_block(d, n, REASON_IMMUTABLE, EPERM)->is_parent = parent;
	if (is_private_fuse(d->f, n)) {
		if (!refused_before(d, n, REASON_FUSE_PRIVATE))
			decision_block(d, n, REASON_FUSE_PRIVATE, EACCES)->is_parent = parent;
	} else if (n->mount && n->mount->fuse && !n->mount->fuse_checks) {
		d->unseen |= !r.granted;	/* the server of the file system decides */
	} else if (!r.granted) {
		refuse(d, n, want, &r, parent);
	} else if (r.by_capability && n->mount && n->mount->network) {
		d->unseen = true;
	}
	check_label(d, n);
}

/* --- mounts */
static enum reason read_only_reason(const struct access_mount *m)
{
	static const enum reason reasons[] = {
		[CAUSE_REQUEST] = REASON_MOUNT_RO, [CAUSE_LOCKED] = REASON_HOST_MOUNT_RO, [CAUSE_ROOT] = REASON_ROOT_RO,
		[CAUSE_MASKED] = REASON_MASKED_PATH, [CAUSE_READONLY_PATH] = REASON_READONLY_PATH,
	};

	return reasons[m->read_only_cause];
}

void decision_need_writable(struct decision *d, const struct access_node *n)
{
	const struct access_mount *m = n->mount;

	if (m && (m->read_only || m->super_read_only) && !refused_before(d, n, read_only_reason(m)))
		decision_block(d, n, read_only_reason(m), EROFS);
}

static bool is_device(const struct access_node *n)
{
	return S_ISCHR(n->mode) || S_ISBLK(n->mode);
}

void decision_need_devices(struct decision *d, const struct access_node *n)
{
	if (is_device(n) && n->mount && (n->mount->no_dev || n->mount->in_user_namespace))
		decision_block(d, n, REASON_NODEV, EACCES);
}

/* --- the way there */
static bool is_sticky_for_all(const struct access_node *dir)
{
	return (dir->mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
}

static void check_link(struct decision *d, const struct access_path *path)
{
	const struct access_process *p = &d->f->process;

	if (!path->link || !d->f->protected_symlinks || !is_sticky_for_all(path->link_parent) ||
	    permission_uid(p, path->link) == p->host_uid ||
	    permission_uid(p, path->link) == permission_uid(p, path->link_parent))
		return;
	decision_block(d, path->link, REASON_PROTECTED_SYMLINK, EACCES);
}

static int errno_of_broken(enum reason reason)
{
	return reason == REASON_NOT_A_DIRECTORY ? ENOTDIR : reason == REASON_LINK_LOOP ? ELOOP : ENOENT;
}

/* false: the path leads nowhere. */
bool decision_walk(struct decision *d, const struct access_path *path)
{
	for (size_t i = 0; i < path->searched.n; i++)
		decision_may(d, &path->searched.v[i], MAY_X, true);
	check_link(d, path);
	if (path->broken == REASON_NONE)
		return true;
	struct verdict_block *b = decision_block(d, NULL, path->broken, errno_of_broken(path->broken));
	b->container = path->broken_at;
	b->detail = path->broken_text;
	return false;
}

const struct access_node *decision_parent(const struct access_path *path)
{
	return path->searched.n ? &path->searched.v[path->searched.n - 1] : &path->target;
}

bool decision_exists(const struct access_path *path)
{
	return path->target.mode != 0 || path->target.unseen;
}

bool decision_need_target(struct decision *d, const struct access_path *path)
{
	if (decision_exists(path))
		return true;
	decision_block(d, &path->target, path->lost_link ? REASON_ABSOLUTE_LINK : REASON_MISSING, ENOENT)->detail = path->lost_link;
	return false;
}
