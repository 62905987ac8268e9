/* store/container_show - a container's file tree at containers/<id>/merged, for people to look at and to change
 *
 * The mount is in the caller's mount namespace (the rootless namespace's, in `bryo unshare`) and stays until it is
 * ended or the container is removed. While it is there a start uses it. With vfs the tree is a plain directory that
 * is always there. */
#ifndef BRYO_STORE_CONTAINER_SHOW_H
#define BRYO_STORE_CONTAINER_SHOW_H

#include "store/container.h"

/* tree: a detached mount of the running container's root; -1: it does not run, its own is mounted. */
int container_show(struct arena *arena, struct store *s, const char *id, int tree, char **ret_path, struct error *err);
/* Is something mounted there? *ret_path gets where. */
bool container_show_is_shown(struct arena *arena, const struct store *s, const char *id, char **ret_path);
void container_show_end(struct store *s, const char *id);

#endif
