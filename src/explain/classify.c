#include "explain/classify.h"

#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <sys/stat.h>

#include "sys/caps.h"

struct question {
	struct arena *arena;
	const struct access_facts *f;
	const struct access_node *n;
	unsigned want;
	const struct permission *found;
};

static bool lacks_exec_bits(const struct question *q)
{
	return S_ISREG(q->n->mode) && (q->want & MAY_X) && !(q->n->mode & 0111);
}

static bool is_setting(const struct question *q)
{
	return q->n->setting;
}

static bool is_own_subordinate(const struct access_facts *f, const struct access_node *n)
{
	return f->on_host && permission_uid(&f->process, n) != f->process.host_uid &&
	       idmap_to_inside(&f->rootless.uid, permission_uid(&f->process, n)) != ID_NONE;
}

static bool is_subuid_owned(const struct question *q)
{
	return is_own_subordinate(q->f, q->n);
}

static bool is_masked(const struct question *q)
{
	return q->found->unmasked != q->found->has && (q->found->unmasked & q->want) == q->want;
}

static bool is_named(const struct question *q)
{
	return q->found->class == CLASS_ACL_USER || q->found->class == CLASS_ACL_GROUP;
}

/* The number that the entry has is one of the process's in the container, where the kernel sees another. */
static bool names_inner_id(const struct access_process *p, const struct access_acl_entry *a)
{
	if (a->tag == ACL_USER)
		return a->id == p->uid && a->id != p->host_uid;
	if (a->tag != ACL_GROUP || permission_has_group(p, a->id))
		return false;
	for (size_t i = 0; i < p->groups.n; i++)
		if (p->groups.v[i] == a->id)
			return true;
	return a->id == p->gid;
}

static const struct access_acl_entry *wrong_entry(const struct access_facts *f, const struct access_node *n, unsigned want)
{
	if (f->on_host || (n->mount && n->mount->own_ids))
		return NULL;
	for (size_t i = 0; i < n->acl.n; i++)
		if ((n->acl.v[i].perm & want) == want && names_inner_id(&f->process, &n->acl.v[i]))
			return &n->acl.v[i];
	return NULL;
}

static bool has_wrong_entry(const struct question *q)
{
	return wrong_entry(q->f, q->n, q->want) != NULL;
}

/* The first group of the user's that opens it, and that the process does not have; ID_NONE. */
static uint32_t dropped_group(struct arena *arena, const struct access_facts *f, const struct access_node *n, unsigned want)
{
	for (size_t i = 0; !f->on_host && i < f->user_groups.n; i++) {
		struct access_process p = f->process;

		if (permission_has_group(&p, f->user_groups.v[i]))
			continue;
		p.host_groups.v = arena_calloc(arena, p.host_groups.n + 1, sizeof(uint32_t));
		if (f->process.host_groups.n)
			memcpy(p.host_groups.v, f->process.host_groups.v, p.host_groups.n * sizeof(uint32_t));
		p.host_groups.v[p.host_groups.n++] = f->user_groups.v[i];
		if (permission_by_bits(&p, n, want).granted)
			return f->user_groups.v[i];
	}
	return ID_NONE;
}

static bool is_reached_by_dropped_group(const struct question *q)
{
	return dropped_group(q->arena, q->f, q->n, q->want) != ID_NONE;
}

static bool is_of_unmapped_owner(const struct question *q)
{
	return !permission_uid_is_mapped(&q->f->process, q->n);
}

static bool has_inert_capability(const struct question *q)
{
	uint64_t set = CAPS_BIT(CAP_DAC_OVERRIDE);

	if (!(q->want & MAY_W))
		set |= CAPS_BIT(CAP_DAC_READ_SEARCH);
	return (q->f->process.capabilities & set) && !permission_gid_is_mapped(&q->f->process, q->n);
}

static bool is_own(const struct question *q)
{
	return q->found->class == CLASS_OWNER;
}

static bool lacks_capability(const struct question *q)
{
	struct access_process p = q->f->process;

	p.capabilities |= CAPS_BIT(CAP_DAC_OVERRIDE);
	return !q->f->on_host && p.uid == 0 && permission_check(&p, q->n, q->want).granted;
}

static bool is_the_containers(const struct question *q)
{
	return !q->f->on_host && (!q->n->host || (q->n->mount && q->n->mount->own_ids));
}

static bool is_in_a_container(const struct question *q)
{
	return !q->f->on_host;
}

enum reason classify_refusal(struct arena *arena, const struct access_facts *f, const struct access_node *n, unsigned want,
			     const struct permission *found)
{
	static const struct { enum reason reason; bool (*holds)(const struct question *q); } order[] = {
		{ REASON_NO_EXEC_BIT, lacks_exec_bits },
		{ REASON_SYSCTL_DENIED, is_setting },
		{ REASON_SUBUID_OWNED, is_subuid_owned },
		{ REASON_ACL_MASK, is_masked },
		{ REASON_ACL_ENTRY, is_named },
		{ REASON_ACL_WRONG_ID, has_wrong_entry },
		{ REASON_GROUP_DROPPED, is_reached_by_dropped_group },
		{ REASON_UNMAPPED_OWNER, is_of_unmapped_owner },
		{ REASON_CAP_INERT, has_inert_capability },
		{ REASON_CAP_DROPPED, lacks_capability },
		{ REASON_MODE_BITS, is_own },
		{ REASON_MODE_BITS, is_the_containers },
		{ REASON_UID_SHIFT, is_in_a_container },
	};
	const struct question q = { arena, f, n, want, found };

	for (size_t i = 0; i < ELEMENTS(order); i++)
		if (order[i].holds(&q))
			return order[i].reason == REASON_UNMAPPED_OWNER && f->on_host ? REASON_OTHER_OWNER : order[i].reason;
	return REASON_OTHER_OWNER;
}

enum reason classify_owner(const struct access_facts *f, const struct access_node *n, int capability, enum reason otherwise)
{
	bool has = f->process.capabilities & CAPS_BIT(capability);

	if (is_own_subordinate(f, n))
		return REASON_SUBUID_OWNED;
	if (f->on_host)
		return otherwise;
	if (!permission_uid_is_mapped(&f->process, n))
		return REASON_UNMAPPED_OWNER;
	if (has && !permission_gid_is_mapped(&f->process, n))
		return REASON_CAP_INERT;
	return !has && f->process.uid == 0 ? REASON_CAP_DROPPED : otherwise;
}

char *classify_detail(struct arena *arena, const struct access_facts *f, const struct access_node *n, unsigned want,
		      enum reason reason)
{
	const struct access_process *p = &f->process;
	const struct access_acl_entry *a;

	switch (reason) {
	case REASON_ACL_WRONG_ID:
		a = wrong_entry(f, n, want);
		return a->tag == ACL_USER ?
		       arena_printf(arena, "the ACL names user %u; the kernel sees %u", a->id, p->host_uid) :
		       arena_printf(arena, "the ACL names group %u, which is none of the process's on the host", a->id);
	case REASON_GROUP_DROPPED:
		return arena_printf(arena, "group %u of the host, which you are a member of, would let you in",
				    dropped_group(arena, f, n, want));
	case REASON_UNMAPPED_OWNER:
		return arena_printf(arena, "it belongs to %u of the host, whom no user of this container is", permission_uid(p, n));
	case REASON_CAP_INERT:
		return arena_printf(arena, "group %u of the host is not mapped, so the capability does not count",
				    permission_gid(p, n));
	default:
		return NULL;
	}
}
