/* engine/user_entries - lines of /etc/passwd and /etc/group for users that the image does not know
 *
 * The user of keep-id, of --user N and those of --hostuser, as Podman writes them, in copies that are mounted over the
 * image's files; --passwd-entry and --group-entry say otherwise, --passwd=false leaves both files alone. */
#ifndef BRYO_ENGINE_USER_ENTRIES_H
#define BRYO_ENGINE_USER_ENTRIES_H

#include "engine/user.h"

/* Sets files->new_passwd and new_group, and u->home to that of a line that was added for it. */
int user_entries_add(struct engine *e, const struct container *c, struct passwd_user *u, const struct userns_user *kept,
		     struct user_files *files, struct error *err);
/* Are --passwd-entry, --group-entry and --hostuser what can be written? */
int user_entries_check(struct engine *e, const struct create_request *r, struct error *err);

#endif
