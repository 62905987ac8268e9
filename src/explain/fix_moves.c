#include "explain/fix_moves.h"

const struct move fix_moves[] = {
	{ "writable-mount", false, false, fix_mount_writable },
	{ "executable-mount", false, false, fix_mount_executable },
	{ "writable-root", false, false, fix_root_writable },
	{ "relabel", false, false, fix_relabel },
	{ "keep-groups", false, true, fix_keep_groups },
	{ "keep-id", false, true, fix_keep_id },
	{ "drop-user", false, true, fix_drop_user },
	{ "keep-capability", false, true, fix_keep_capability },
	{ "acl-mask", false, false, fix_renew_mask },
	{ "acl", false, false, fix_acl },
	{ "mode", false, false, fix_mode },
	{ "group-write", false, true, fix_group_write },
	{ "unshare-rm", false, true, fix_unshare_remove },
	{ "unshare-acl", false, false, fix_unshare_acl },
	{ "unshare-chown-back", false, false, fix_unshare_take_back },
	{ "chown-volume", false, false, fix_chown_volume },
	{ "unshare-chown", false, false, fix_unshare_chown },
	{ "cap-add", false, true, fix_add_capability },
	{ "admin-acl", true, false, fix_admin_acl },
	{ "admin-chown", true, false, fix_admin_chown },
	{ "admin-remount", true, false, fix_admin_remount },
	{ "admin-chattr", true, false, fix_admin_chattr },
	{ NULL, false, false, NULL }
};
