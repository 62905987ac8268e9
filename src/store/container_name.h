/* store/container_name - names of containers: containers/names/<name>, a symbolic link whose text is the id
 *
 * Making the link is the claim. The link is made before the container's directory gets its place, and while the
 * container's stage is locked; a link to a container that is neither there nor being made was left by a killed command
 * and is taken over. */
#ifndef BRYO_STORE_CONTAINER_NAME_H
#define BRYO_STORE_CONTAINER_NAME_H

#include "store/store.h"

int container_name_claim(struct store *s, const char *name, const char *id, struct error *err);
/* The id a name points to; false when there is no such name. */
bool container_name_lookup(const struct store *s, const char *name, char ret_id[65]);
/* Removes the name if it is the container's. */
void container_name_release(struct store *s, const char *name, const char *id);
int container_name_release_all(struct store *s, const char *id);	/* -1: they could not be listed */
/* Entries of containers/names whose container is neither there nor being made; and the removal of one that still is so. */
void container_names_dangling(struct arena *arena, const struct store *s, struct strings *ret);
int container_name_discard(struct store *s, const char *entry, struct error *err);

#endif
