#include "hostlib/account.h"

#include <pwd.h>

int account_find(struct arena *arena, const void *who, void *ret_account, struct error *err)
{
	const struct hostlib_who *w = who;
	struct hostlib_account *ret = ret_account;
	const struct passwd *entry = getpwuid((uid_t)w->uid);

	if (entry) {
		ret->name = arena_strdup(arena, entry->pw_name);
		ret->home = arena_strdup(arena, entry->pw_dir);
	}
	return 0;
}
