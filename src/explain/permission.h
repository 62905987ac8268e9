/* explain/permission - may this process do that with this inode? As the kernel's generic_permission
 *
 * Pure. One class is picked and decides alone: owner, named user of the ACL, groups, others. What it refuses a capability may
 * still grant, where both ids of the inode are mapped in the process's user namespace. */
#ifndef BRYO_EXPLAIN_PERMISSION_H
#define BRYO_EXPLAIN_PERMISSION_H

#include "explain/access.h"

#define MAY_X 1u
#define MAY_W 2u
#define MAY_R 4u

struct permission {
	bool granted;
	enum verdict_class class;
	uint8_t has;			/* what the class has, after the mask */
	uint8_t unmasked;		/* and before it */
	bool by_capability;
};

struct permission permission_check(const struct access_process *p, const struct access_node *n, unsigned want);
/* Without capabilities. */
struct permission permission_by_bits(const struct access_process *p, const struct access_node *n, unsigned want);

/* The host's ids of an inode; ID_NONE where the container's number has none. */
uint32_t permission_uid(const struct access_process *p, const struct access_node *n);
uint32_t permission_gid(const struct access_process *p, const struct access_node *n);
bool permission_uid_is_mapped(const struct access_process *p, const struct access_node *n);
bool permission_gid_is_mapped(const struct access_process *p, const struct access_node *n);
bool permission_has_group(const struct access_process *p, uint32_t host_gid);
/* capable_wrt_inode_uidgid: it has the capability, and it counts for this inode. */
bool permission_is_capable(const struct access_process *p, const struct access_node *n, int capability);
/* inode_owner_or_capable: FOWNER counts where the owner alone is mapped. */
bool permission_is_owner(const struct access_process *p, const struct access_node *n);

#endif
