/* Moves of the run line: mounts, who the process is, capabilities, labels */
#include "explain/fix_moves.h"

#include <errno.h>
#include <linux/capability.h>

#include "explain/permission.h"
#include "sys/caps.h"

/* --- mounts */
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
			any |= trial_change_mount(t, at, word, NULL);
	}
	set_mounts(t, reason, CAUSE_REQUEST);
	return any;
}

bool fix_mount_writable(struct trial *t, const struct verdict *v)
{
	if (!trial_is_in_container(t) || !change_mounts(t, v, REASON_MOUNT_RO, "ro"))
		return false;
	trial_say(t, "the container may write to the volume");
	return true;
}

bool fix_mount_executable(struct trial *t, const struct verdict *v)
{
	return trial_is_in_container(t) && change_mounts(t, v, REASON_MOUNT_NOEXEC, "noexec");
}

bool fix_root_writable(struct trial *t, const struct verdict *v)
{
	if (!trial_is_in_container(t) || !trial_has_reason(v, REASON_ROOT_RO))
		return false;
	trial_add_option(t, "--read-only=false");
	set_mounts(t, REASON_ROOT_RO, CAUSE_ROOT);
	trial_say(t, "the container writes to its own root file system");
	return true;
}

/* --- labels */
bool fix_relabel(struct trial *t, const struct verdict *v)
{
	const struct access_mount *m = trial_is_in_container(t) && trial_has_reason(v, REASON_SELINUX_LABEL) ? trial_mount_of_block(t, v) : NULL;
	size_t n = trial_nodes(t, NULL);
	struct access_node **nodes = arena_new_array(t->arena, struct access_node *, n);

	if (!m || trial_is_home_or_above(t, m->host) || !trial_change_mount(t, m->container, NULL, "z"))
		return false;
	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->mount == m)
			nodes[i]->label = NULL;
	trial_say(t, "%s gets a label that all containers may use", m->host);
	return true;
}

/* --- :U */
static bool is_wholly_ours(struct trial *t, const struct access_mount *m)
{
	size_t n = trial_nodes(t, NULL);
	struct access_node **nodes = arena_new_array(t->arena, struct access_node *, n);

	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->mount == m && nodes[i]->mode && !trial_is_ours(t, nodes[i]))
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

bool fix_chown_volume(struct trial *t, const struct verdict *v)
{
	const struct access_mount *m = trial_is_in_container(t) ? trial_mount_of_block(t, v) : NULL;

	if (!m || trial_is_home_or_above(t, m->host) || !is_wholly_ours(t, m) || t->facts.process.host_uid == t->facts.user_uid ||
	    !trial_change_mount(t, m->container, NULL, "U"))
		return false;
	give_all(t, m);
	trial_say(t, "all of %s belongs to %u from then on, and you lose write access to it; undo: bryo unshare chown -R 0:0 %s",
		  m->host, t->facts.process.host_uid, m->host);
	return true;
}

/* --- who */
bool fix_keep_groups(struct trial *t, const struct verdict *v)
{
	if (!trial_is_in_container(t) || !v->subject.dropped_groups.n || t->request.group_add.n)
		return false;
	strings_add(t->arena, &t->request.group_add, "keep-groups");
	trial_add_option(t, "--group-add=keep-groups");
	trial_say(t, "the process keeps all groups that you are in");
	return trial_take_process(t);
}

static bool may_keep_id(const struct trial *t)
{
	return trial_is_in_container(t) && !t->request.uidmap.n && !t->request.gidmap.n && t->facts.process.uid != 0 &&
	       t->facts.process.host_uid != t->facts.user_uid;
}

bool fix_keep_id(struct trial *t, const struct verdict *v)
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

bool fix_drop_user(struct trial *t, const struct verdict *v)
{
	if (!trial_is_in_container(t) || t->facts.process.uid == 0)
		return false;
	t->request.user = "0:0";
	trial_drop_option(t, 'u', "user");
	trial_add_option(t, "--user=0:0");
	trial_say(t, "root of the container is you, with no more rights than you have");
	return trial_take_process(t);
}

/* --- capabilities */
static int capability_for(const struct trial *t, const struct verdict *v)
{
	if (t->facts.op == ACCESS_CHOWN && v->sys == EPERM)
		return CAP_CHOWN;
	return v->sys == EPERM ? CAP_FOWNER : CAP_DAC_OVERRIDE;
}

bool fix_add_capability(struct trial *t, const struct verdict *v)
{
	const char *name = str_after(caps_name(capability_for(t, v)), "CAP_");

	if (!trial_is_in_container(t))
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

bool fix_keep_capability(struct trial *t, const struct verdict *v)
{
	const char *name = caps_name(capability_for(t, v));
	struct strings kept = { 0 };

	if (!trial_is_in_container(t) || !t->request.cap_drop.n)
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
