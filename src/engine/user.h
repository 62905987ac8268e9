/* engine/user - who a container's process is: --user and the image's passwd and group files, read in the root */
#ifndef BRYO_ENGINE_USER_H
#define BRYO_ENGINE_USER_H

#include "engine/container.h"
#include "engine/userns_mode.h"
#include "spec/passwd.h"

struct user_files {
	char *passwd, *group;		/* the image's; NULL when it has none */
	char *new_passwd, *new_group;	/* what to mount over them; NULL: the image's stay */
};

/* Resolves `user` ("" means the default: root, or the kept user with keep-id) in the root. Hostile files (FIFOs, links
 * out of the root, absurd sizes) are refused or contained. */
int user_resolve(struct engine *e, int root_fd, const char *user, const struct strings *group_add,
		 const struct userns_user *kept, struct passwd_user *ret, struct user_files *ret_files, struct error *err);
/* Refuses ids that the container's own maps, or without those the rootless namespace's, do not have. */
int user_check(struct engine *e, const struct passwd_user *u, const struct id_maps *own, struct error *err);

#endif
