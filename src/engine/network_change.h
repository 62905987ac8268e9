/* engine/network_change - networks that a container joins and leaves after it was created, also while it runs */
#ifndef BRYO_ENGINE_NETWORK_CHANGE_H
#define BRYO_ENGINE_NETWORK_CHANGE_H

#include "engine/container.h"

/* text: "NAME" or "NAME:ip=...,mac=...,alias=...,interface_name=...", as after --network. */
int network_connect(struct engine *e, const char *container, const char *text, struct error *err);
/* force: of a container that runs and cannot be disconnected properly, the record changes all the same. */
int network_disconnect(struct engine *e, const char *container, const char *network, bool force, struct error *err);

#endif
