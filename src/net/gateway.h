/* net/gateway - the way out of the rootless network namespace: the program bryo-gateway, started, found and ended
 *
 * One gateway serves the namespace and all bridges in it. It makes the interface out0 there with the default routes, the
 * rule and the routing table that deliver packets of transparent sockets locally, and switches on forwarding; its
 * firewall rules are a text for the caller, who loads them together with his own, so that nft runs once. Connections are
 * made by the gateway in the host's network namespace, first; only then does the container's succeed. A supervising
 * process starts the working one again when it dies; where both are dead, gateway_start makes new ones.
 * Its addresses are in sys/gateway.h, the reasons in doc/design/gateway.md. */
#ifndef BRYO_NET_GATEWAY_H
#define BRYO_NET_GATEWAY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "sys/gateway.h"

/* For `nft -f -`, in the namespace: the table "inet bryo_gateway", replaced whole. Before or after gateway_start. It also
 * delivers what belongs to anybody else's transparent sockets there: those of published ports. */
const char *gateway_rules(void);

/* Starts it unless it runs, and comes back when packets can flow. netns is the namespace, made by the user namespace in
 * which the caller is uid 0; the caller stands in the host's network namespace and holds a lock of his own. runtime_dir is
 * the namespace's: the record "gateway" (pid and start time) lies there. */
int gateway_start(struct arena *arena, int netns, const char *runtime_dir, struct error *err);
bool gateway_is_running(const char *runtime_dir);
/* The namespace that it serves, from the gateway itself; -1 when it does not run. */
int gateway_open_namespace(const char *runtime_dir);
/* Ends the gateway of that record, and waits for its end; nothing happens when there is none. The namespace stays. */
void gateway_stop(const char *runtime_dir);

#endif
