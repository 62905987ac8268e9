#include "explain/access.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "explain/classify.h"
#include "explain/decision.h"

/* --- operations on what is there */
static void open_for_reading(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path))
		return;
	decision_need_devices(d, n);
	decision_may(d, n, MAY_R, false);
}

static void open_for_writing(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path))
		return;
	if (S_ISDIR(n->mode))
		decision_block(d, n, REASON_IS_DIRECTORY, EISDIR);
	decision_need_devices(d, n);
	if (n->mount && n->mount->super_read_only && S_ISREG(n->mode))
		decision_need_writable(d, n);
	decision_may(d, n, MAY_W, false);
	if (n->append_only && d->f->op != ACCESS_APPEND)
		decision_block(d, n, REASON_APPEND_ONLY, EPERM);
	if (S_ISREG(n->mode))
		decision_need_writable(d, n);
}

static void execute(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;
	const struct access_mount *m = n->mount;

	if (!decision_need_target(d, &d->f->path))
		return;
	if (!S_ISREG(n->mode)) {
		decision_block(d, n, S_ISDIR(n->mode) ? REASON_IS_DIRECTORY : REASON_NO_EXEC_BIT, EACCES);
		return;
	}
	if (m && m->no_exec)
		decision_block(d, n, m->no_exec_cause == CAUSE_LOCKED ? REASON_HOST_MOUNT_NOEXEC : REASON_MOUNT_NOEXEC, EACCES);
	decision_may(d, n, MAY_X, false);
}

static bool need_directory(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path))
		return false;
	if (!n->unseen && !S_ISDIR(n->mode))
		decision_block(d, n, REASON_NOT_A_DIRECTORY, ENOTDIR);
	return n->unseen || S_ISDIR(n->mode);
}

static void list(struct decision *d)
{
	if (need_directory(d))
		decision_may(d, &d->f->path.target, MAY_R, false);
}

static void search(struct decision *d)
{
	if (need_directory(d))
		decision_may(d, &d->f->path.target, MAY_X, false);
}

static void connect_socket(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path))
		return;
	decision_may(d, n, MAY_W, false);
	if (!S_ISSOCK(n->mode))
		decision_block(d, n, REASON_NOT_A_SOCKET, ECONNREFUSED);
}

/* --- making */

/* may_create */
static void may_make_in(struct decision *d, const struct access_node *dir)
{
	decision_may(d, dir, MAY_W | MAY_X, true);
}

static void protect_in_sticky(struct decision *d)
{
	const struct access_node *n = &d->f->path.target, *dir = decision_parent(&d->f->path);
	bool fifo = S_ISFIFO(n->mode);
	int level = fifo ? d->f->protected_fifos : S_ISREG(n->mode) ? d->f->protected_regular : 0;
	const struct access_process *p = &d->f->process;

	if (!level || !(dir->mode & S_ISVTX) || permission_uid(p, n) == permission_uid(p, dir) ||
	    permission_uid(p, n) == p->host_uid)
		return;
	if ((dir->mode & S_IWOTH) || (level >= 2 && (dir->mode & S_IWGRP)))
		decision_block(d, n, fifo ? REASON_PROTECTED_FIFO : REASON_PROTECTED_REGULAR, EACCES);
}

/* open(2) with O_CREAT */
static void create(struct decision *d)
{
	if (decision_exists(&d->f->path)) {
		protect_in_sticky(d);
		open_for_writing(d);
		return;
	}
	decision_need_writable(d, decision_parent(&d->f->path));
	may_make_in(d, decision_parent(&d->f->path));
}

static void make_at(struct decision *d, const struct access_path *path)
{
	if (decision_exists(path))
		decision_block(d, &path->target, REASON_EXISTS, EEXIST);
	decision_need_writable(d, decision_parent(path));
}

static void make(struct decision *d)
{
	make_at(d, &d->f->path);
	may_make_in(d, decision_parent(&d->f->path));
	if (d->f->op == ACCESS_MKNOD && (S_ISCHR(d->f->new_mode) || S_ISBLK(d->f->new_mode)))
		decision_block(d, &d->f->path.target, REASON_MKNOD_DEVICE, EPERM);
}

/* --- removing */

/* may_delete */
static void may_remove_from(struct decision *d, const struct access_path *path)
{
	const struct access_node *n = &path->target, *dir = decision_parent(path);
	const struct access_process *p = &d->f->process;

	decision_may(d, dir, MAY_W | MAY_X, true);
	if (dir->append_only)
		decision_block(d, dir, REASON_APPEND_ONLY, EPERM)->is_parent = true;
	if (n->unseen) {
		d->unseen = true;
		return;
	}
	if ((dir->mode & S_ISVTX) && permission_uid(p, n) != p->host_uid && permission_uid(p, dir) != p->host_uid &&
	    !permission_is_capable(p, n, CAP_FOWNER))
		decision_block(d, n, REASON_STICKY, EPERM);
	if (n->immutable)
		decision_block(d, n, REASON_IMMUTABLE, EPERM);
	if (n->append_only)
		decision_block(d, n, REASON_APPEND_ONLY, EPERM);
}

static void need_uncovered(struct decision *d, const struct access_node *n)
{
	if (n->covered)
		decision_block(d, n, REASON_BUSY_MOUNT, EBUSY);
}

static void remove_it(struct decision *d)
{
	const struct access_path *path = &d->f->path;
	bool directory = S_ISDIR(path->target.mode);

	decision_need_writable(d, decision_parent(path));
	if (!decision_need_target(d, path))
		return;
	may_remove_from(d, path);
	if (d->f->op == ACCESS_UNLINK && directory)
		decision_block(d, &path->target, REASON_IS_DIRECTORY, EISDIR);
	if (d->f->op == ACCESS_RMDIR && !directory && !path->target.unseen)
		decision_block(d, &path->target, REASON_NOT_A_DIRECTORY, ENOTDIR);
	need_uncovered(d, &path->target);
}

/* --- two paths */
static bool is_one_mount(const struct access_path *a, const struct access_path *b)
{
	return decision_parent(a)->mount == decision_parent(b)->mount;
}

static bool is_one_directory(const struct access_path *a, const struct access_path *b)
{
	return str_eq(decision_parent(a)->container, decision_parent(b)->container) && str_eq(decision_parent(a)->host, decision_parent(b)->host);
}

static void rename_it(struct decision *d)
{
	const struct access_path *from = &d->f->path, *to = &d->f->to;

	if (!decision_walk(d, to))
		return;
	if (!is_one_mount(from, to))
		decision_block(d, &to->target, REASON_CROSS_MOUNT, EXDEV);
	decision_need_writable(d, decision_parent(from));
	if (!decision_need_target(d, from))
		return;
	may_remove_from(d, from);
	if (decision_exists(to))
		may_remove_from(d, to);
	else
		may_make_in(d, decision_parent(to));
	if (decision_exists(to) && S_ISDIR(from->target.mode) && !S_ISDIR(to->target.mode))
		decision_block(d, &to->target, REASON_NOT_A_DIRECTORY, ENOTDIR);
	if (S_ISDIR(to->target.mode) && !S_ISDIR(from->target.mode))
		decision_block(d, &to->target, REASON_IS_DIRECTORY, EISDIR);
	if (S_ISDIR(from->target.mode) && !is_one_directory(from, to))
		decision_may(d, &from->target, MAY_W, false);	/* its ".." changes */
	need_uncovered(d, &from->target);
	need_uncovered(d, &to->target);
}

/* may_linkat: what is one's own, or a plain file that one may read and write. */
static bool is_safe_to_link(const struct access_process *p, const struct access_node *n)
{
	if (permission_is_owner(p, n))
		return true;
	return S_ISREG(n->mode) && !(n->mode & S_ISUID) && (n->mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
	       permission_check(p, n, MAY_R | MAY_W).granted && !n->immutable;
}

static void link_it(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path) || !decision_walk(d, &d->f->to))
		return;
	make_at(d, &d->f->to);
	if (!is_one_mount(&d->f->path, &d->f->to))
		decision_block(d, &d->f->to.target, REASON_CROSS_MOUNT, EXDEV);
	if (d->f->protected_hardlinks && !is_safe_to_link(&d->f->process, n))
		decision_block(d, n, REASON_PROTECTED_HARDLINK, EPERM);
	may_make_in(d, decision_parent(&d->f->to));
	if (n->immutable || n->append_only)
		decision_block(d, n, n->immutable ? REASON_IMMUTABLE : REASON_APPEND_ONLY, EPERM);
	if (S_ISDIR(n->mode))
		decision_block(d, n, REASON_IS_DIRECTORY, EPERM);
}

/* --- attributes */
static void need_changeable(struct decision *d, const struct access_node *n)
{
	if (n->immutable || n->append_only)
		decision_block(d, n, n->immutable ? REASON_IMMUTABLE : REASON_APPEND_ONLY, EPERM);
}

static void change_as_owner(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path))
		return;
	decision_need_writable(d, n);
	need_changeable(d, n);
	if (!permission_is_owner(&d->f->process, n))
		decision_block(d, n, classify_owner(d->f, n, CAP_FOWNER, REASON_NOT_OWNER), EPERM);
}

static void touch(struct decision *d)
{
	const struct access_node *n = &d->f->path.target;

	if (!decision_need_target(d, &d->f->path))
		return;
	decision_need_writable(d, n);
	if (permission_is_owner(&d->f->process, n)) {
		if (n->immutable)
			decision_block(d, n, REASON_IMMUTABLE, EPERM);
		return;
	}
	decision_may(d, n, MAY_W, false);
}

/* The host's id of a new owner; ID_NONE: there is none. */
static uint32_t new_id(const struct id_map *map, uint32_t id)
{
	return map->n ? idmap_to_outside(map, id) : id;
}

/* chown_ok, chgrp_ok */
static bool may_give(const struct access_facts *f, const struct access_node *n)
{
	const struct access_process *p = &f->process;
	uint32_t uid = new_id(&p->maps.uid, f->new_uid), gid = new_id(&p->maps.gid, f->new_gid);
	bool owner = permission_uid(p, n) == p->host_uid;

	if (permission_is_capable(p, n, CAP_CHOWN))
		return true;
	if (f->new_uid != ID_NONE && (!owner || uid != permission_uid(p, n)))
		return false;
	return f->new_gid == ID_NONE || (owner && (permission_has_group(p, gid) || gid == permission_gid(p, n)));
}

/* Set-id bits go with the old owner, and that is a change of mode. */
static bool loses_set_id(const struct access_process *p, const struct access_node *n)
{
	if (S_ISDIR(n->mode))
		return false;
	return (n->mode & S_ISUID) || ((n->mode & S_ISGID) && ((n->mode & S_IXGRP) ||
	       (!permission_has_group(p, permission_gid(p, n)) && !permission_is_capable(p, n, CAP_FSETID))));
}

static void give_away(struct decision *d)
{
	const struct access_facts *f = d->f;
	const struct access_node *n = &f->path.target;
	const struct id_maps *maps = &f->process.maps;

	if (!decision_need_target(d, &f->path))
		return;
	decision_need_writable(d, n);
	if ((f->new_uid != ID_NONE && new_id(&maps->uid, f->new_uid) == ID_NONE) ||
	    (f->new_gid != ID_NONE && new_id(&maps->gid, f->new_gid) == ID_NONE))
		decision_block(d, n, REASON_CHOWN_UNMAPPED, EINVAL);
	need_changeable(d, n);
	if (!may_give(f, n))
		decision_block(d, n, classify_owner(f, n, CAP_CHOWN, REASON_CHOWN_DENIED), EPERM);
	else if (loses_set_id(&f->process, n) && !permission_is_owner(&f->process, n))
		decision_block(d, n, classify_owner(f, n, CAP_FOWNER, REASON_NOT_OWNER), EPERM)->detail =
			"it has a set-id bit, which would go, and that needs the capability FOWNER as well";
}

/* --- */
static const struct { const char *name; bool follows; void (*decide)(struct decision *d); } operations[ACCESS_COUNT] = {
	[ACCESS_READ] = { "read", true, open_for_reading },
	[ACCESS_WRITE] = { "write", true, open_for_writing },
	[ACCESS_APPEND] = { "append", true, open_for_writing },
	[ACCESS_EXEC] = { "exec", true, execute },
	[ACCESS_LIST] = { "list", true, list },
	[ACCESS_SEARCH] = { "search", true, search },
	[ACCESS_CONNECT] = { "connect", true, connect_socket },
	[ACCESS_CREATE] = { "create", true, create },
	[ACCESS_MKDIR] = { "mkdir", false, make },
	[ACCESS_SYMLINK] = { "symlink", false, make },
	[ACCESS_MKNOD] = { "mknod", false, make },
	[ACCESS_LINK] = { "link", false, link_it },
	[ACCESS_UNLINK] = { "unlink", false, remove_it },
	[ACCESS_RMDIR] = { "rmdir", false, remove_it },
	[ACCESS_RENAME] = { "rename", false, rename_it },
	[ACCESS_CHMOD] = { "chmod", true, change_as_owner },
	[ACCESS_CHOWN] = { "chown", true, give_away },
	[ACCESS_UTIMES] = { "utimes", true, change_as_owner },
	[ACCESS_TOUCH] = { "touch", true, touch },
};

const char *access_op_name(enum access_op op)
{
	return op < ACCESS_COUNT ? operations[op].name : "";
}

enum access_op access_op_find(const char *name)
{
	enum access_op op = 0;

	while (op < ACCESS_COUNT && !str_eq(operations[op].name, name))
		op++;
	return op;
}

bool access_op_follows(enum access_op op)
{
	return operations[op].follows;
}

static void describe(struct arena *arena, const struct access_facts *f, struct verdict *v)
{
	const struct access_process *p = &f->process;

	v->access = arena_strdup(arena, access_op_name(f->op));
	v->path = f->path.text;
	v->host_path = f->path.target.host;
	v->subject = (struct verdict_subject){
		.on_host = f->on_host, .uid = p->uid, .gid = p->gid, .host_uid = p->host_uid, .host_gid = p->host_gid,
		.groups = p->groups, .host_groups = p->host_groups, .capabilities = p->capabilities, .maps = p->maps,
		.user_uid = f->user_uid, .user_gid = f->user_gid, .rootless = f->rootless };
	for (size_t i = 0; i < f->user_groups.n; i++)
		if (!permission_has_group(p, f->user_groups.v[i]))
			*ARRAY_ADD(arena, &v->subject.dropped_groups) = f->user_groups.v[i];
}

static void conclude(struct decision *d)
{
	struct verdict *v = d->v;
	size_t sure = 0;

	while (sure < v->blocks.n && !v->blocks.v[sure].certain)
		sure++;
	v->kind = sure < v->blocks.n ? VERDICT_DENIED : d->unseen || v->blocks.n ? VERDICT_UNKNOWN : VERDICT_ALLOWED;
	if (v->blocks.n) {
		v->reason = v->blocks.v[0].reason;
		v->sys = v->blocks.v[0].sys;
	} else {
		v->reason = d->unseen ? REASON_CANNOT_TELL : REASON_NONE;
	}
}

void access_decide(struct arena *arena, const struct access_facts *facts, struct verdict *ret)
{
	struct decision d = { .arena = arena, .f = facts, .v = ret };

	*ret = (struct verdict){ 0 };
	describe(arena, facts, ret);
	if (decision_walk(&d, &facts->path))
		operations[facts->op].decide(&d);
	conclude(&d);
}
