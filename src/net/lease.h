/* net/lease - which container has which address
 *
 * networks/NETWORK/ADDRESS in the runtime directory is a symbolic link whose text is the container's id: made whole or
 * not at all by one system call, which fails when the address is taken, so that any number of parallel starts needs no
 * database. Leases are taken with the lock of net/rootless held, and those of the dead are taken away with it held
 * alone. The latest address of a subnet is remembered, so that one that was just given back is not given again at once. */
#ifndef BRYO_NET_LEASE_H
#define BRYO_NET_LEASE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/string.h"
#include "spec/network.h"

/* Takes the address that is wanted, or (NULL) the next free one of the subnet. ERROR_IN_USE when it is
 * another's, ERROR_NO_SPACE when none is free. */
int lease_take(int run_fd, const char *network, const struct network_subnet *s, const struct ip_address *wanted,
	       const char *id, struct ip_address *ret, struct error *err);
/* Gives one back, if it is this container's. */
void lease_give_back(int run_fd, const char *network, const char *address, const char *id);

struct lease_search {
	const char *id;			/* counts as dead; NULL: nobody */
	bool (*lives)(void *context, const char *id);
	void *context;
	size_t enough;			/* the search ends with so many that live; 0: it sees all */
};
struct lease_census { size_t living, dead; };
/* Takes away those of containers that do not live. */
struct lease_census lease_collect(int run_fd, const struct lease_search *search);
/* The same, but takes nothing away. */
struct lease_census lease_count(int run_fd, const struct lease_search *search);

#endif
