/* net/claim - who has a port that net_claim_ports could not have */
#ifndef BRYO_NET_CLAIM_H
#define BRYO_NET_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* The socket inode that listens on the port, by the text of /proc/net/{tcp,udp}{,6}; 0 when none does. */
uint64_t claim_find_inode(struct arena *arena, const char *text, unsigned port, bool tcp);

/* "NAME (pid N)" of a process that has the port; NULL when it cannot be seen. */
char *claim_owner(struct arena *arena, unsigned port, bool tcp);

#endif
