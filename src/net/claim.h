/* net/claim - the part of net_claim_ports that needs no kernel, for the tests */
#ifndef BRYO_NET_CLAIM_H
#define BRYO_NET_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* The socket inode that listens on the port, by the text of /proc/net/{tcp,udp}{,6}; 0 when none does. */
uint64_t claim_find_inode(struct arena *arena, const char *text, unsigned port, bool tcp);

#endif
