/* store/network - networks: networks/<name>.json, one record a network (spec/network)
 *
 * A record appears and changes whole. Subnets and interfaces are unique among all networks: who makes or changes one holds
 * network_lock from his first look at the others until he has written. The default network needs no file until it is
 * changed. */
#ifndef BRYO_STORE_NETWORK_H
#define BRYO_STORE_NETWORK_H

#include "spec/network.h"
#include "store/store.h"

struct networks { struct network *v; size_t n; struct strings broken; };	/* names of damaged ones */

/* Of all networks; close the descriptor to unlock. */
int network_lock(const struct store *s, enum lock_mode mode, struct error *err);
/* By its name. ERROR_NOT_FOUND, or ERROR_INVALID for a damaged record. */
int network_read(struct arena *arena, const struct store *s, const char *name, struct network *ret, struct error *err);
/* By name, id, or the unique beginning of an id. */
int network_find(struct arena *arena, const struct store *s, const char *name_or_id, struct network *ret, struct error *err);
/* All, by name; the default network among them. */
int network_list(struct arena *arena, const struct store *s, struct networks *ret, struct error *err);
/* Checks the record and writes it, over an older one too. */
int network_write(struct arena *arena, struct store *s, struct network *n, struct error *err);
/* Whole or damaged. */
int network_discard(struct store *s, const char *name, struct error *err);

#endif
