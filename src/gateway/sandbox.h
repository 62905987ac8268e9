/* gateway/sandbox - what the worker can still do: move bytes between sockets, and make new ones to the outside
 *
 * No capabilities (it has none since before), no file, no process, no other kind of socket: who takes it over by a
 * malformed packet can do what every container can, connect. */
#ifndef BRYO_GATEWAY_SANDBOX_H
#define BRYO_GATEWAY_SANDBOX_H

#include "base/error.h"

/* Of the calling process and those to come: no capabilities, no new ones, nobody looks into it. */
int sandbox_drop_privileges(struct error *err);
/* The list of system calls of the worker. -1 with errno. */
int sandbox_enter(void);

#endif
