/* explain/fix_moves - what can be done: the moves, in the order in which they are proposed
 *
 * What changes least for anybody comes first; the administrator's come last. */
#ifndef BRYO_EXPLAIN_FIX_MOVES_H
#define BRYO_EXPLAIN_FIX_MOVES_H

#include "explain/fix_trial.h"

/* fix_run */
bool fix_mount_writable(struct trial *t, const struct verdict *v);
bool fix_mount_executable(struct trial *t, const struct verdict *v);
bool fix_root_writable(struct trial *t, const struct verdict *v);
bool fix_relabel(struct trial *t, const struct verdict *v);
bool fix_keep_groups(struct trial *t, const struct verdict *v);
bool fix_keep_id(struct trial *t, const struct verdict *v);
bool fix_drop_user(struct trial *t, const struct verdict *v);
bool fix_keep_capability(struct trial *t, const struct verdict *v);
bool fix_chown_volume(struct trial *t, const struct verdict *v);
bool fix_add_capability(struct trial *t, const struct verdict *v);

/* fix_host */
bool fix_renew_mask(struct trial *t, const struct verdict *v);
bool fix_acl(struct trial *t, const struct verdict *v);
bool fix_mode(struct trial *t, const struct verdict *v);
bool fix_group_write(struct trial *t, const struct verdict *v);
bool fix_unshare_remove(struct trial *t, const struct verdict *v);
bool fix_unshare_acl(struct trial *t, const struct verdict *v);
bool fix_unshare_take_back(struct trial *t, const struct verdict *v);
bool fix_unshare_chown(struct trial *t, const struct verdict *v);
bool fix_admin_acl(struct trial *t, const struct verdict *v);
bool fix_admin_chown(struct trial *t, const struct verdict *v);
bool fix_admin_remount(struct trial *t, const struct verdict *v);
bool fix_admin_chattr(struct trial *t, const struct verdict *v);

#endif
