/* net/lease - which container has which address
 *
 * networks/NETWORK/ADDRESS in the runtime directory is a symbolic link whose text is the container's id: made whole or
 * not at all by one system call, which fails when the address is taken, so that any number of parallel starts needs no
 * database. Leases are taken with the lock of net/rootless held shared, and those of the dead are found and taken away
 * with it held alone. */
#ifndef BRYO_NET_LEASE_H
#define BRYO_NET_LEASE_H

#include "base/arena.h"
#include "base/error.h"
#include "spec/ip.h"

struct network;

/* Takes the address that was asked for, or (family IP_NONE) the next free one after the latest of the subnet's range. */
int lease_take(struct arena *arena, int run_fd, const struct network *n, size_t subnet, const struct ip_address *wanted,
	       const char *id, struct ip_address *ret, struct error *err);
/* Gives back what this container has on a network (NULL: on all). */
void lease_give_back(int run_fd, const char *network, const char *id);
/* Takes those away whose container does not live or is `id` (NULL: none). Answers how many are left. */
size_t lease_collect(int run_fd, const char *id, bool (*lives)(void *context, const char *id), void *context);
/* Who has addresses on this network: ids, each once. */
void lease_holders(struct arena *arena, int run_fd, const char *network, struct strings *ret);

#endif
