/* Moves on the host: of the user, and of the administrator */
#include "explain/fix_moves.h"

#include <linux/posix_acl.h>
#include <sys/stat.h>

#include "explain/permission.h"
#include "sys/caps.h"

/* --- commands for owners: ACLs and modes */
static bool needs_bits(const struct trial *t, const struct verdict_block *b, const struct access_node *n)
{
	return b->class != CLASS_NONE && n->host && !(n->mount && (n->mount->fuse || n->mount->own_ids));
}

static bool renew_mask_of(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (b->reason != REASON_ACL_MASK || !trial_is_users(t, n))
		return false;
	for (size_t i = 0; i < n->acl.n; i++) {
		if (n->acl.v[i].tag != ACL_MASK)
			continue;
		n->acl.v[i].perm |= b->wants;
		n->mode |= (mode_t)n->acl.v[i].perm << 3;
		strings_addf(t->arena, &t->host, "setfacl -m m::%s %s", trial_letters(t, n->acl.v[i].perm), trial_quote(t, n->host));
	}
	return true;
}

bool fix_renew_mask(struct trial *t, const struct verdict *v)
{
	if (!trial_change_blocked(t, v, renew_mask_of))
		return false;
	trial_say(t, "what the ACL grants counts again");
	return true;
}

/* A directory to write in is meant with all in it, but for a home. */
static bool is_tree(struct trial *t, const struct access_node *n, unsigned perm)
{
	return S_ISDIR(n->mode) && (perm & MAY_W) && !trial_is_home_or_above(t, n->host);
}

static char *acl_command(struct trial *t, const struct verdict_block *b, const struct access_node *n, unsigned perm)
{
	uint32_t uid = t->facts.process.host_uid;

	if (is_tree(t, n, perm))
		return arena_printf(t->arena, "setfacl -R -m u:%u:rwX -m d:u:%u:rwX,d:u:%u:rwX %s", uid, uid, t->facts.user_uid,
				    trial_quote(t, n->host));
	return arena_printf(t->arena, "setfacl -m u:%u:%s %s", uid, trial_letters(t, perm), trial_quote(t, n->host));
}

static unsigned wanted_perm(const struct verdict_block *b, const struct access_node *n)
{
	return b->wants | (b->wants & MAY_W ? MAY_R : 0) | (S_ISDIR(n->mode) ? MAY_X : 0);
}

static bool grant_by_acl(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!needs_bits(t, b, n) || !trial_is_users(t, n) || b->class == CLASS_OWNER || b->reason == REASON_ACL_MASK ||
	    t->facts.process.host_uid == ID_NONE)
		return false;
	if (!trial_is_covered(t, n->host, is_tree(t, n, b->wants)))
		strings_add(t->arena, &t->host, acl_command(t, b, n, wanted_perm(b, n)));
	trial_grant(t, n, t->facts.process.host_uid, wanted_perm(b, n));
	return true;
}

bool fix_acl(struct trial *t, const struct verdict *v)
{
	if (!trial_change_blocked(t, v, grant_by_acl))
		return false;
	trial_say(t, "the owner stays as it is");
	return true;
}

/* As user N with group 0, which is the user's own. */
static bool grant_to_group(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!needs_bits(t, b, n) || !trial_is_users(t, n) || b->class == CLASS_OWNER || n->acl.n ||
	    permission_gid(&t->facts.process, n) != t->facts.process.host_gid)
		return false;
	strings_addf(t->arena, &t->host, "chmod g+%s%s %s", trial_letters(t, wanted_perm(b, n)),
		     S_ISDIR(n->mode) && (b->wants & MAY_W) ? "s" : "", trial_quote(t, n->host));
	n->mode |= (mode_t)wanted_perm(b, n) << 3;
	return true;
}

bool fix_group_write(struct trial *t, const struct verdict *v)
{
	const struct access_process p = t->facts.process;
	struct verdict now;

	if (!trial_is_in_container(t) || p.uid == 0 || p.gid == 0)
		return false;
	t->request.user = arena_printf(t->arena, "%u:0", p.uid);
	trial_drop_option(t, 'u', "user");
	trial_add_option(t, arena_printf(t->arena, "--user=%s", t->request.user));
	if (!trial_take_process(t))
		return false;
	access_decide(t->arena, &t->facts, &now);
	trial_say(t, "group 0 of the container is your own group");
	return trial_change_blocked(t, &now, grant_to_group) > 0;
}

/* The mode refuses its owner, or everybody who would execute it. */
static bool grant_to_owner(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	bool exec = b->reason == REASON_NO_EXEC_BIT && S_ISREG(n->mode);
	const char *as = trial_is_users(t, n) ? "" : "bryo unshare ";

	if ((b->reason != REASON_MODE_BITS && !exec) || (!exec && b->class != CLASS_OWNER) || !trial_is_ours(t, n))
		return false;
	if (exec)
		n->mode |= 0111;
	else
		n->mode |= (mode_t)b->wants << 6;
	strings_addf(t->arena, &t->host, "%schmod %s%s %s", as, exec ? "+" : "u+", exec ? "x" : trial_letters(t, b->wants),
		     trial_quote(t, n->host));
	return true;
}

bool fix_mode(struct trial *t, const struct verdict *v)
{
	return trial_change_blocked(t, v, grant_to_owner) > 0;
}

/* --- changing owners */
static bool give_to_process(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	const struct access_process *p = &t->facts.process;
	uint32_t uid = idmap_to_inside(&t->facts.rootless.uid, p->host_uid), gid = idmap_to_inside(&t->facts.rootless.gid, p->host_gid);
	bool file = S_ISREG(n->mode) || b->reason != REASON_UID_SHIFT;

	if (!trial_is_ours(t, n) || (n->mount && n->mount->own_ids) || uid == ID_NONE || gid == ID_NONE || trial_owner_of(t, n) == p->host_uid ||
	    trial_is_home_or_above(t, n->host))
		return false;
	if (!trial_is_covered(t, n->host, !file))
		strings_addf(t->arena, &t->host, "bryo unshare chown %s%u:%u %s", file ? "" : "-R ", uid, gid, trial_quote(t, n->host));
	n->uid = p->host_uid;
	n->gid = p->host_gid;
	return true;
}

bool fix_unshare_chown(struct trial *t, const struct verdict *v)
{
	if (!trial_is_in_container(t) || !trial_change_blocked(t, v, give_to_process))
		return false;
	trial_say(t, "it belongs to %u from then on, and you lose write access to it", t->facts.process.host_uid);
	return true;
}

/* --- the host's side */
bool fix_unshare_remove(struct trial *t, const struct verdict *v)
{
	struct access_process *p = &t->facts.process;
	bool removes = t->facts.op == ACCESS_UNLINK || t->facts.op == ACCESS_RMDIR;

	if (!t->facts.on_host || !removes || trial_has_reason(v, REASON_IS_DIRECTORY) || !t->facts.path.target.host)
		return false;
	*p = (struct access_process){ .host_uid = t->facts.user_uid, .host_gid = t->facts.user_gid, .maps = t->facts.rootless,
				      .host_groups = p->host_groups, .capabilities = CAPS_ALL };
	strings_addf(t->arena, &t->host, "bryo unshare %s %s", t->facts.op == ACCESS_RMDIR ? "rm -rf" : "rm -f",
		     trial_quote(t, t->facts.path.target.host));
	trial_say(t, "you are root over your subordinate ids in there");
	return true;
}

static bool take_back(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!t->facts.on_host || trial_owner_of(t, n) == t->facts.user_uid || !trial_is_ours(t, n))
		return false;
	n->uid = t->facts.user_uid;
	n->gid = t->facts.user_gid;
	if (!trial_is_covered(t, n->host, S_ISDIR(n->mode)))
		strings_addf(t->arena, &t->host, "bryo unshare chown %s0:0 %s", S_ISDIR(n->mode) ? "-R " : "", trial_quote(t, n->host));
	return true;
}

bool fix_unshare_take_back(struct trial *t, const struct verdict *v)
{
	if (!trial_change_blocked(t, v, take_back))
		return false;
	trial_say(t, "it is yours again; with --userns=keep-id:uid=,gid= what the container makes is yours from the start");
	return true;
}

static bool grant_to_user(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!t->facts.on_host || trial_owner_of(t, n) == t->facts.user_uid || !trial_is_ours(t, n) || b->class == CLASS_NONE)
		return false;
	if (!trial_is_covered(t, n->host, S_ISDIR(n->mode)))
		strings_addf(t->arena, &t->host, "bryo unshare setfacl %s-m u:0:%s %s", S_ISDIR(n->mode) ? "-R " : "",
			     S_ISDIR(n->mode) ? "rwX" : trial_letters(t, wanted_perm(b, n)), trial_quote(t, n->host));
	trial_grant(t, n, t->facts.user_uid, wanted_perm(b, n));
	return true;
}

bool fix_unshare_acl(struct trial *t, const struct verdict *v)
{
	if (!trial_change_blocked(t, v, grant_to_user))
		return false;
	trial_say(t, "the container's users keep it");
	return true;
}

/* --- the administrator */

/* The system's own directories are nobody's to give away. */
static bool is_systems(const char *host)
{
	static const char *const whole[] = { "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys", "/run",
					     "/root" };
	static const char *const tops[] = { "/", "/home", "/var", "/tmp", "/var/tmp", "/srv", "/opt", "/mnt", "/media" };

	for (size_t i = 0; i < ELEMENTS(whole); i++) {
		const char *rest = str_after(host, whole[i]);

		if (rest && (!*rest || *rest == '/'))
			return true;
	}
	for (size_t i = 0; i < ELEMENTS(tops); i++)
		if (strcmp(host, tops[i]) == 0)
			return true;
	return false;
}

static bool admin_grant(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	if (!needs_bits(t, b, n) || b->class == CLASS_OWNER || trial_is_users(t, n) || t->facts.process.host_uid == ID_NONE ||
	    is_systems(n->host))
		return false;
	strings_addf(t->arena, &t->admin, "setfacl -m u:%u:%s %s", t->facts.process.host_uid, trial_letters(t, wanted_perm(b, n)),
		     trial_quote(t, n->host));
	trial_grant(t, n, t->facts.process.host_uid, wanted_perm(b, n));
	return true;
}

bool fix_admin_acl(struct trial *t, const struct verdict *v)
{
	return trial_change_blocked(t, v, admin_grant) > 0;
}

static bool admin_give(struct trial *t, const struct verdict_block *b, struct access_node *n)
{
	const struct access_process *p = &t->facts.process;

	if (!n->host || is_systems(n->host) || trial_is_ours(t, n) || (n->mount && n->mount->own_ids) || p->host_uid == ID_NONE)
		return false;
	strings_addf(t->arena, &t->admin, "chown %u:%u %s", p->host_uid, p->host_gid, trial_quote(t, n->host));
	n->uid = p->host_uid;
	n->gid = p->host_gid;
	return true;
}

bool fix_admin_chown(struct trial *t, const struct verdict *v)
{
	return trial_change_blocked(t, v, admin_give) > 0;
}

bool fix_admin_remount(struct trial *t, const struct verdict *v)
{
	bool ro = trial_has_reason(v, REASON_HOST_MOUNT_RO), noexec = trial_has_reason(v, REASON_HOST_MOUNT_NOEXEC);
	const struct access_mount *m = ro || noexec ? trial_mount_of_block(t, v) : NULL;

	if (!m)
		return false;
	strings_addf(t->arena, &t->admin, "mount -o remount%s%s \"$(findmnt -no TARGET -T %s)\"", ro ? ",rw" : "", noexec ? ",exec" : "",
		     trial_quote(t, m->host));
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
	strings_addf(t->arena, &t->admin, "chattr -%s %s", b->reason == REASON_IMMUTABLE ? "i" : "a", trial_quote(t, n->host));
	n->immutable &= b->reason != REASON_IMMUTABLE;
	n->append_only &= b->reason != REASON_APPEND_ONLY;
	return true;
}

bool fix_admin_chattr(struct trial *t, const struct verdict *v)
{
	return trial_change_blocked(t, v, clear_flags) > 0;
}
