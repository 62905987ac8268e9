/* The moves, in the order in which they are proposed: the least that changes anything for anybody comes first */
#include "explain/fix_trial.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <sys/stat.h>

#include "explain/permission.h"
#include "sys/caps.h"

typedef bool (*block_change)(struct trial *t, const struct verdict_block *b, struct access_node *n);

/* Changes every node that a block is about; counts the blocks for which that was possible. */
static size_t change_blocked(struct trial *t, const struct verdict *v, block_change change)
{
	size_t done = 0;

	for (size_t i = 0; i < v->blocks.n; i++) {
		struct access_node *n = trial_node_of(t, &v->blocks.v[i], 0);

		if (!n || !change(t, &v->blocks.v[i], n))
			continue;
		done++;
		for (size_t k = 1; (n = trial_node_of(t, &v->blocks.v[i], k)); k++) {
			size_t host = t->host.n, admin = t->admin.n;

			change(t, &v->blocks.v[i], n);
			t->host.n = host;	/* said once */
			t->admin.n = admin;
		}
	}
	return done;
}

static bool has_reason(const struct verdict *v, enum reason reason)
{
	for (size_t i = 0; i < v->blocks.n; i++)
		if (v->blocks.v[i].reason == reason)
			return true;
	return false;
}

static char *quoted(struct trial *t, const char *path)
{
	return run_line_quote(t->arena, path);
}

static char *letters(struct trial *t, unsigned perm)
{
	return arena_printf(t->arena, "%s%s%s", perm & MAY_R ? "r" : "", perm & MAY_W ? "w" : "", perm & MAY_X ? "x" : "");
}

static uint32_t owner_of(const struct trial *t, const struct access_node *n)
{
	return permission_uid(&t->facts.process, n);
}

static bool is_users(const struct trial *t, const struct access_node *n)
{
	return n->host && owner_of(t, n) == t->facts.user_uid;
}

/* The user, as root of his namespace, may change what belongs to him or his subordinate ids. */
static bool is_ours(const struct trial *t, const struct access_node *n)
{
	return n->host && idmap_to_inside(&t->facts.rootless.uid, owner_of(t, n)) != ID_NONE &&
	       idmap_to_inside(&t->facts.rootless.gid, permission_gid(&t->facts.process, n)) != ID_NONE;
}

static bool is_in_container(const struct trial *t)
{
	return !t->facts.on_host && t->source->request;
}

/* --- the run line: mounts */
static void set_mounts(struct trial *t, enum reason reason, enum access_cause cause)
{
	for (size_t i = 0; i < t->mounts_n; i++) {
		struct access_mount *m = t->mounts[i];

		if (reason != REASON_MOUNT_NOEXEC && m->read_only && m->read_only_cause == cause)
			m->read_only = m->super_read_only = false;
		if (reason == REASON_MOUNT_NOEXEC && m->no_exec && m->no_exec_cause == cause)
			m->no_exec = false;
	}
}

static bool change_mounts(struct trial *t, const struct verdict *v, enum reason reason, const char *word)
{
	bool any = false;

	for (size_t i = 0; i < v->blocks.n; i++) {
		const struct verdict_block *b = &v->blocks.v[i];
		struct access_node *n = trial_node_of(t, b, 0);
		const char *at = n && n->mount ? n->mount->container : NULL;

		if (b->reason == reason && at)
			any |= trial_change_mount(t, at, word, NULL) || !t->line.words.n;
	}
	set_mounts(t, reason, CAUSE_REQUEST);
	return any;
}

static bool mount_writable(struct trial *t, const struct verdict *v)
{
	if (!is_in_container(t) || !change_mounts(t, v, REASON_MOUNT_RO, "ro"))
		return false;
	trial_say(t, "the container may write to the volume");
	return true;
}

static bool mount_executable(struct trial *t, const struct verdict *v)
{
	return is_in_container(t) && change_mounts(t, v, REASON_MOUNT_NOEXEC, "noexec");
}

static bool root_writable(struct trial *t, const struct verdict *v)
{
	if (!is_in_container(t) || !has_reason(v, REASON_ROOT_RO))
		return false;
	trial_add_option(t, "--read-only=false");
	set_mounts(t, REASON_ROOT_RO, CAUSE_ROOT);
	trial_say(t, "the container writes to its own root file system");
	return true;
}

/* --- the run line: who */
static bool keep_groups(struct trial *t, const struct verdict *v)
{
	if (!is_in_container(t) || !v->subject.dropped_groups.n || t->request.group_add.n)
		return false;
	strings_add(t->arena, &t->request.group_add, "keep-groups");
	trial_add_option(t, "--group-add=keep-groups");
	trial_say(t, "the process keeps all groups that you are in");
	return trial_take_process(t);
}

static bool may_keep_id(const struct trial *t)
{
	return is_in_container(t) && !t->request.uidmap.n && !t->request.gidmap.n && t->facts.process.uid != 0 &&
	       t->facts.process.host_uid != t->facts.user_uid;
}

static bool keep_id(struct trial *t, const struct verdict *v)
{
	const struct access_process p = t->facts.process;

	if (!may_keep_id(t))
		return false;
	t->request.userns = arena_printf(t->arena, "keep-id:uid=%u,gid=%u", p.uid, p.gid);
	trial_drop_option(t, '\0', "userns");
	trial_add_option(t, arena_printf(t->arena, "--userns=%s", t->request.userns));
	trial_say(t, "you are user %u of the container; its files stay yours", p.uid);
	return trial_take_process(t) && t->facts.process.uid == p.uid;
}

static bool drop_user(struct trial *t, const struct verdict *v)
{
	if (!is_in_container(t) || t->facts.process.uid == 0)
		return false;
	t->request.user = "0:0";
	trial_drop_option(t, 'u', "user");
	trial_add_option(t, "--user=0:0");
	trial_say(t, "root of the container is you, with no more rights than you have");
	return trial_take_process(t);
}

/* --- commands for owners: ACLs and modes */
static bool needs_bits(const struct trial *t, const struct verdict_block *b, const struct access_node *n)
{
	return b->class != CLASS_NONE && n->host && !(n->mount && (n->mount->fuse || n->mount->own_ids));
}

static bool renew_mask_of(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (b->reason != REASON_ACL_MASK || !is_users(t, n))
		return false;
	for (size_t i = 0; i < n->acl.n; i++) {
		if (n->acl.v[i].tag != ACL_MASK)
			continue;
		n->acl.v[i].perm |= b->wants;
		n->mode |= (mode_t)n->acl.v[i].perm << 3;
		strings_addf(t->arena, &t->host, "setfacl -m m::%s %s", letters(t, n->acl.v[i].perm), quoted(t, n->host));
	}
	return true;
}

static bool renew_mask(struct trial *t, const struct verdict *v)
{
	if (!change_blocked(t, v, renew_mask_of))
		return false;
	trial_say(t, "what the ACL grants counts again");
	return true;
}

static char *acl_command(struct trial *t, const struct verdict_block *b, const struct access_node *n, unsigned perm)
{
	uint32_t uid = t->facts.process.host_uid;

	if (S_ISDIR(n->mode) && (perm & MAY_W))
		return arena_printf(t->arena, "setfacl -R -m u:%u:rwX -m d:u:%u:rwX,d:u:%u:rwX %s", uid, uid, t->facts.user_uid,
				    quoted(t, n->host));
	return arena_printf(t->arena, "setfacl -m u:%u:%s %s", uid, letters(t, perm), quoted(t, n->host));
}

static unsigned wanted_perm(const struct verdict_block *b, const struct access_node *n)
{
	return b->wants | (b->wants & MAY_W ? MAY_R : 0) | (S_ISDIR(n->mode) ? MAY_X : 0);
}

static bool grant_by_acl(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!needs_bits(t, b, n) || !is_users(t, n) || b->class == CLASS_OWNER || b->reason == REASON_ACL_MASK ||
	    t->facts.process.host_uid == ID_NONE)
		return false;
	strings_add(t->arena, &t->host, acl_command(t, b, n, wanted_perm(b, n)));
	trial_grant(t, n, t->facts.process.host_uid, wanted_perm(b, n));
	return true;
}

static bool acl(struct trial *t, const struct verdict *v)
{
	if (!change_blocked(t, v, grant_by_acl))
		return false;
	trial_say(t, "the owner stays as it is");
	return true;
}

/* As user N with group 0, which is the user's own. */
static bool grant_to_group(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!needs_bits(t, b, n) || !is_users(t, n) || b->class == CLASS_OWNER || n->acl.n ||
	    permission_gid(&t->facts.process, n) != t->facts.process.host_gid)
		return false;
	strings_addf(t->arena, &t->host, "chmod g+%s%s %s", letters(t, wanted_perm(b, n)),
		     S_ISDIR(n->mode) && (b->wants & MAY_W) ? "s" : "", quoted(t, n->host));
	n->mode |= (mode_t)wanted_perm(b, n) << 3;
	return true;
}

static bool group_write(struct trial *t, const struct verdict *v)
{
	const struct access_process p = t->facts.process;
	struct verdict now;

	if (!is_in_container(t) || p.uid == 0 || p.gid == 0)
		return false;
	t->request.user = arena_printf(t->arena, "%u:0", p.uid);
	trial_drop_option(t, 'u', "user");
	trial_add_option(t, arena_printf(t->arena, "--user=%s", t->request.user));
	if (!trial_take_process(t))
		return false;
	access_decide(t->arena, &t->facts, &now);
	trial_say(t, "group 0 of the container is your own group");
	return change_blocked(t, &now, grant_to_group) > 0;
}

/* The mode refuses its owner, or everybody who would execute it. */
static bool grant_to_owner(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	bool exec = b->reason == REASON_NO_EXEC_BIT && S_ISREG(n->mode);
	const char *as = is_users(t, n) ? "" : "bryo unshare ";

	if ((b->reason != REASON_MODE_BITS && !exec) || (!exec && b->class != CLASS_OWNER) || !is_ours(t, n))
		return false;
	if (exec)
		n->mode |= 0111;
	else
		n->mode |= (mode_t)b->wants << 6;
	strings_addf(t->arena, &t->host, "%schmod %s%s %s", as, exec ? "+" : "u+", exec ? "x" : letters(t, b->wants),
		     quoted(t, n->host));
	return true;
}

static bool mode(struct trial *t, const struct verdict *v)
{
	return change_blocked(t, v, grant_to_owner) > 0;
}

/* --- changing owners */
static bool is_home_or_above(const struct trial *t, const char *host)
{
	const char *rest = t->source->home ? str_after(t->source->home, host) : NULL;

	return strcmp(host, "/") == 0 || (rest && (!*rest || *rest == '/'));
}

static bool is_wholly_ours(struct trial *t, const struct access_mount *m)
{
	size_t n = trial_nodes(t, NULL);
	struct access_node **nodes = arena_new_array(t->arena, struct access_node *, n);

	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->mount == m && nodes[i]->mode && !is_ours(t, nodes[i]))
			return false;
	return true;
}

static void give_all(struct trial *t, const struct access_mount *m)
{
	size_t n = trial_nodes(t, NULL);
	struct access_node **nodes = arena_new_array(t->arena, struct access_node *, n);

	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->mount == m) {
			nodes[i]->uid = t->facts.process.host_uid;
			nodes[i]->gid = t->facts.process.host_gid;
		}
}

static const struct access_mount *mount_of_block(struct trial *t, const struct verdict *v)
{
	for (size_t i = 0; i < v->blocks.n; i++) {
		struct access_node *n = trial_node_of(t, &v->blocks.v[i], 0);

		if (n && n->host && n->mount && n->mount->host && n->mount->container && !n->mount->own_ids)
			return n->mount;
	}
	return NULL;
}

static bool chown_volume(struct trial *t, const struct verdict *v)
{
	const struct access_mount *m = is_in_container(t) ? mount_of_block(t, v) : NULL;

	if (!m || is_home_or_above(t, m->host) || !is_wholly_ours(t, m) || t->facts.process.host_uid == t->facts.user_uid ||
	    (!trial_change_mount(t, m->container, NULL, "U") && t->line.words.n))
		return false;
	give_all(t, m);
	trial_say(t, "all of %s belongs to %u from then on, and you lose write access to it; undo: bryo unshare chown -R 0:0 %s",
		  m->host, t->facts.process.host_uid, m->host);
	return true;
}

static bool give_to_process(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	const struct access_process *p = &t->facts.process;
	uint32_t uid = idmap_to_inside(&t->facts.rootless.uid, p->host_uid), gid = idmap_to_inside(&t->facts.rootless.gid, p->host_gid);
	bool file = S_ISREG(n->mode) || b->reason != REASON_UID_SHIFT;

	if (!is_ours(t, n) || (n->mount && n->mount->own_ids) || uid == ID_NONE || gid == ID_NONE || owner_of(t, n) == p->host_uid ||
	    is_home_or_above(t, n->host))
		return false;
	strings_addf(t->arena, &t->host, "bryo unshare chown %s%u:%u %s", file ? "" : "-R ", uid, gid, quoted(t, n->host));
	n->uid = p->host_uid;
	n->gid = p->host_gid;
	return true;
}

static bool unshare_chown(struct trial *t, const struct verdict *v)
{
	if (!is_in_container(t) || !change_blocked(t, v, give_to_process))
		return false;
	trial_say(t, "it belongs to %u from then on, and you lose write access to it", t->facts.process.host_uid);
	return true;
}

/* --- capabilities */
static int capability_for(const struct trial *t, const struct verdict *v)
{
	if (t->facts.op == ACCESS_CHOWN && v->sys == EPERM)
		return CAP_CHOWN;
	return v->sys == EPERM ? CAP_FOWNER : CAP_DAC_OVERRIDE;
}

static bool add_capability(struct trial *t, const struct verdict *v)
{
	const char *name = str_after(caps_name(capability_for(t, v)), "CAP_");

	if (!is_in_container(t))
		return false;
	for (size_t i = 0; i < t->request.cap_drop.n; i++)
		if (caps_number(t->request.cap_drop.v[i]) == capability_for(t, v))
			return false;
	strings_add(t->arena, &t->request.cap_add, name);
	trial_add_option(t, arena_printf(t->arena, "--cap-add=%s", name));
	trial_say(t, "the process passes over %s of all users of this container", capability_for(t, v) == CAP_DAC_OVERRIDE ?
		  "the modes" : "the ownership");
	return trial_take_process(t);
}

static bool keep_capability(struct trial *t, const struct verdict *v)
{
	const char *name = caps_name(capability_for(t, v));
	struct strings kept = { 0 };

	if (!is_in_container(t) || !t->request.cap_drop.n)
		return false;
	for (size_t i = 0; i < t->request.cap_drop.n; i++) {
		char *word = t->request.cap_drop.v[i];

		if (caps_number(word) == caps_number(name))
			run_line_drop(t->arena, &t->line, '\0', "cap-drop", word, &t->drop);
		else
			strings_add(t->arena, &kept, word);
	}
	if (kept.n == t->request.cap_drop.n)
		return false;
	t->request.cap_drop = kept;
	trial_say(t, "root keeps %s", name);
	return trial_take_process(t);
}

/* --- labels */
static bool relabel(struct trial *t, const struct verdict *v)
{
	const struct access_mount *m = is_in_container(t) && has_reason(v, REASON_SELINUX_LABEL) ? mount_of_block(t, v) : NULL;
	size_t n = trial_nodes(t, NULL);
	struct access_node **nodes = arena_new_array(t->arena, struct access_node *, n);

	if (!m || is_home_or_above(t, m->host) || (!trial_change_mount(t, m->container, NULL, "z") && t->line.words.n))
		return false;
	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->mount == m)
			nodes[i]->label = NULL;
	trial_say(t, "%s gets a label that all containers may use", m->host);
	return true;
}

/* --- the host's side */
static bool unshare_remove(struct trial *t, const struct verdict *v)
{
	struct access_process *p = &t->facts.process;
	bool removes = t->facts.op == ACCESS_UNLINK || t->facts.op == ACCESS_RMDIR;

	if (!t->facts.on_host || !removes || has_reason(v, REASON_IS_DIRECTORY) || !t->facts.path.target.host)
		return false;
	*p = (struct access_process){ .host_uid = t->facts.user_uid, .host_gid = t->facts.user_gid, .maps = t->facts.rootless,
				      .host_groups = p->host_groups, .capabilities = CAPS_ALL };
	strings_addf(t->arena, &t->host, "bryo unshare %s %s", t->facts.op == ACCESS_RMDIR ? "rm -rf" : "rm -f",
		     quoted(t, t->facts.path.target.host));
	trial_say(t, "you are root over your subordinate ids in there");
	return true;
}

static bool take_back(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!t->facts.on_host || owner_of(t, n) == t->facts.user_uid || !is_ours(t, n))
		return false;
	n->uid = t->facts.user_uid;
	n->gid = t->facts.user_gid;
	strings_addf(t->arena, &t->host, "bryo unshare chown %s0:0 %s", S_ISDIR(n->mode) ? "-R " : "", quoted(t, n->host));
	return true;
}

static bool unshare_take_back(struct trial *t, const struct verdict *v)
{
	if (!change_blocked(t, v, take_back))
		return false;
	trial_say(t, "it is yours again; with --userns=keep-id:uid=,gid= what the container makes is yours from the start");
	return true;
}

static bool grant_to_user(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!t->facts.on_host || owner_of(t, n) == t->facts.user_uid || !is_ours(t, n) || b->class == CLASS_NONE)
		return false;
	strings_addf(t->arena, &t->host, "bryo unshare setfacl %s-m u:0:%s %s", S_ISDIR(n->mode) ? "-R " : "",
		     S_ISDIR(n->mode) ? "rwX" : letters(t, wanted_perm(b, n)), quoted(t, n->host));
	trial_grant(t, n, t->facts.user_uid, wanted_perm(b, n));
	return true;
}

static bool unshare_acl(struct trial *t, const struct verdict *v)
{
	if (!change_blocked(t, v, grant_to_user))
		return false;
	trial_say(t, "the container's users keep it");
	return true;
}

/* --- the administrator */
static bool admin_grant(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!needs_bits(t, b, n) || b->class == CLASS_OWNER || is_users(t, n) || t->facts.process.host_uid == ID_NONE)
		return false;
	strings_addf(t->arena, &t->admin, "setfacl -m u:%u:%s %s", t->facts.process.host_uid, letters(t, wanted_perm(b, n)),
		     quoted(t, n->host));
	trial_grant(t, n, t->facts.process.host_uid, wanted_perm(b, n));
	return true;
}

static bool admin_acl(struct trial *t, const struct verdict *v)
{
	return change_blocked(t, v, admin_grant) > 0;
}

static bool admin_give(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	const struct access_process *p = &t->facts.process;

	if (!n->host || is_ours(t, n) || (n->mount && n->mount->own_ids) || p->host_uid == ID_NONE)
		return false;
	strings_addf(t->arena, &t->admin, "chown %u:%u %s", p->host_uid, p->host_gid, quoted(t, n->host));
	n->uid = p->host_uid;
	n->gid = p->host_gid;
	return true;
}

static bool admin_chown(struct trial *t, const struct verdict *v)
{
	return change_blocked(t, v, admin_give) > 0;
}

static bool admin_remount(struct trial *t, const struct verdict *v)
{
	bool ro = has_reason(v, REASON_HOST_MOUNT_RO), noexec = has_reason(v, REASON_HOST_MOUNT_NOEXEC);
	const struct access_mount *m = ro || noexec ? mount_of_block(t, v) : NULL;

	if (!m)
		return false;
	strings_addf(t->arena, &t->admin, "mount -o remount%s%s \"$(findmnt -no TARGET -T %s)\"", ro ? ",rw" : "", noexec ? ",exec" : "",
		     quoted(t, m->host));
	for (size_t i = 0; i < t->mounts_n; i++)
		if (t->mounts[i] == m) {
			t->mounts[i]->read_only &= !ro;
			t->mounts[i]->super_read_only &= !ro;
			t->mounts[i]->no_exec &= !noexec;
		}
	trial_say(t, "then: bryo system migrate, so that your namespace sees the mount anew");
	return true;
}

static bool clear_flags(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if ((b->reason != REASON_IMMUTABLE && b->reason != REASON_APPEND_ONLY) || !n->host)
		return false;
	strings_addf(t->arena, &t->admin, "chattr -%s %s", b->reason == REASON_IMMUTABLE ? "i" : "a", quoted(t, n->host));
	n->immutable &= b->reason != REASON_IMMUTABLE;
	n->append_only &= b->reason != REASON_APPEND_ONLY;
	return true;
}

static bool admin_chattr(struct trial *t, const struct verdict *v)
{
	return change_blocked(t, v, clear_flags) > 0;
}

const struct move fix_moves[] = {
	{ "writable-mount", false, false, mount_writable },
	{ "executable-mount", false, false, mount_executable },
	{ "writable-root", false, false, root_writable },
	{ "relabel", false, false, relabel },
	{ "keep-groups", false, true, keep_groups },
	{ "keep-id", false, true, keep_id },
	{ "drop-user", false, true, drop_user },
	{ "keep-capability", false, true, keep_capability },
	{ "acl-mask", false, false, renew_mask },
	{ "acl", false, false, acl },
	{ "mode", false, false, mode },
	{ "group-write", false, true, group_write },
	{ "unshare-rm", false, true, unshare_remove },
	{ "unshare-acl", false, false, unshare_acl },
	{ "unshare-chown-back", false, false, unshare_take_back },
	{ "chown-volume", false, false, chown_volume },
	{ "unshare-chown", false, false, unshare_chown },
	{ "cap-add", false, true, add_capability },
	{ "admin-acl", true, false, admin_acl },
	{ "admin-chown", true, false, admin_chown },
	{ "admin-remount", true, false, admin_remount },
	{ "admin-chattr", true, false, admin_chattr },
	{ NULL, false, false, NULL }
};
