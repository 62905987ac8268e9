#include "explain/permission.h"

#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <sys/stat.h>

#include "sys/caps.h"

static bool is_mapped(const struct id_map *map, uint32_t id)
{
	return id != ID_NONE && (!map->n || idmap_to_inside(map, id) != ID_NONE);
}

static uint32_t host_id(const struct access_node *n, const struct id_map *map, uint32_t id)
{
	return n->mount && n->mount->own_ids && map->n ? idmap_to_outside(map, id) : id;
}

uint32_t permission_uid(const struct access_process *p, const struct access_node *n)
{
	return host_id(n, &p->maps.uid, n->uid);
}

uint32_t permission_gid(const struct access_process *p, const struct access_node *n)
{
	return host_id(n, &p->maps.gid, n->gid);
}

bool permission_uid_is_mapped(const struct access_process *p, const struct access_node *n)
{
	return is_mapped(&p->maps.uid, permission_uid(p, n));
}

bool permission_gid_is_mapped(const struct access_process *p, const struct access_node *n)
{
	return is_mapped(&p->maps.gid, permission_gid(p, n));
}

bool permission_has_group(const struct access_process *p, uint32_t host_gid)
{
	if (host_gid == ID_NONE || host_gid == p->host_gid)
		return host_gid != ID_NONE;
	for (size_t i = 0; i < p->host_groups.n; i++)
		if (p->host_groups.v[i] == host_gid)
			return true;
	return false;
}

bool permission_is_capable(const struct access_process *p, const struct access_node *n, int capability)
{
	return (p->capabilities & CAPS_BIT(capability)) && permission_uid_is_mapped(p, n) && permission_gid_is_mapped(p, n);
}

bool permission_is_owner(const struct access_process *p, const struct access_node *n)
{
	return permission_uid(p, n) == p->host_uid ||
	       ((p->capabilities & CAPS_BIT(CAP_FOWNER)) && permission_uid_is_mapped(p, n));
}

/* --- which class, and what it has */
static uint8_t mask_of(const struct access_acl *acl)
{
	for (size_t i = 0; i < acl->n; i++)
		if (acl->v[i].tag == ACL_MASK)
			return acl->v[i].perm;
	return MAY_R | MAY_W | MAY_X;
}

/* The owning group and the named ones: any that grants it all, else the last that the process is in. */
static bool by_acl_groups(const struct access_process *p, const struct access_node *n, unsigned want,
			  struct permission *ret)
{
	uint8_t mask = mask_of(&n->acl);
	bool found = false;

	for (size_t i = 0; i < n->acl.n; i++) {
		const struct access_acl_entry *a = &n->acl.v[i];
		bool owning = a->tag == ACL_GROUP_OBJ;
		uint32_t gid = owning ? permission_gid(p, n) : host_id(n, &p->maps.gid, a->id);

		if ((!owning && a->tag != ACL_GROUP) || !permission_has_group(p, gid))
			continue;
		found = true;
		ret->class = owning ? CLASS_GROUP : CLASS_ACL_GROUP;
		ret->unmasked = a->perm;
		ret->has = a->perm & mask;
		if ((a->perm & want) == want)
			break;
	}
	return found;
}

static bool by_acl_user(const struct access_process *p, const struct access_node *n, struct permission *ret)
{
	for (size_t i = 0; i < n->acl.n; i++) {
		const struct access_acl_entry *a = &n->acl.v[i];

		if (a->tag != ACL_USER || host_id(n, &p->maps.uid, a->id) != p->host_uid)
			continue;
		ret->class = CLASS_ACL_USER;
		ret->unmasked = a->perm;
		ret->has = a->perm & mask_of(&n->acl);
		return true;
	}
	return false;
}

static void by_mode(const struct access_node *n, enum verdict_class class, unsigned shift, struct permission *ret)
{
	ret->class = class;
	ret->has = ret->unmasked = n->mode >> shift & 7;
}

struct permission permission_by_bits(const struct access_process *p, const struct access_node *n, unsigned want)
{
	struct permission r = { 0 };

	/* An ACL whose mask is empty is not looked at. */
	if (permission_uid(p, n) == p->host_uid)
		by_mode(n, CLASS_OWNER, 6, &r);
	else if (n->acl.n && (n->mode & S_IRWXG)) {
		if (!by_acl_user(p, n, &r) && !by_acl_groups(p, n, want, &r))
			by_mode(n, CLASS_OTHER, 0, &r);
	} else if (permission_has_group(p, permission_gid(p, n)))
		by_mode(n, CLASS_GROUP, 3, &r);
	else
		by_mode(n, CLASS_OTHER, 0, &r);
	r.granted = (r.has & want) == want;
	return r;
}

static bool by_capability(const struct access_process *p, const struct access_node *n, unsigned want)
{
	bool directory = S_ISDIR(n->mode);

	if (n->setting)		/* asks for its namespace's root, or for NET_ADMIN */
		return false;
	if ((directory ? !(want & MAY_W) : want == MAY_R) && permission_is_capable(p, n, CAP_DAC_READ_SEARCH))
		return true;
	/* Without any x nobody executes a file. */
	return (directory || !(want & MAY_X) || (n->mode & 0111)) && permission_is_capable(p, n, CAP_DAC_OVERRIDE);
}

struct permission permission_check(const struct access_process *p, const struct access_node *n, unsigned want)
{
	struct permission r = permission_by_bits(p, n, want);

	if (!r.granted && by_capability(p, n, want))
		r.granted = r.by_capability = true;
	return r;
}
