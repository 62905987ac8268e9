/* engine/network_list - networks as people and programs see them: rows, filters, inspect */
#ifndef BRYO_ENGINE_NETWORK_LIST_H
#define BRYO_ENGINE_NETWORK_LIST_H

#include "engine/container.h"
#include "store/network.h"

/* Those that match all filters; damaged ones are named in a warning. containers: all there are, for the next ones. */
int network_select(struct engine *e, const struct strings *filters, struct networks *ret, struct containers *ret_containers,
		   struct error *err);
/* Does "NAME", "ID" or "NAME:OPTIONS" of --network mean it? */
bool network_is_named(const struct network *n, const char *text);
/* Is the container on this network when it runs? */
bool network_is_used_by(const struct network *n, const struct container *c);
/* ids of the containers that do. */
struct strings network_users(struct engine *e, const struct network *n, const struct containers *all);

/* The records, with Podman's member names. */
int network_rows(struct engine *e, const struct strings *filters, struct json **ret, struct error *err);
/* The record with the containers that are on the network now. */
int network_inspect(struct engine *e, const char *name, struct json **ret, struct error *err);
/* The same with the names that templates of Podman and of Docker use. */
struct json *network_view(struct arena *arena, const struct json *record);

#endif
