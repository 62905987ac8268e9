/* net/firewall - what may pass between the bridges, as text for nft
 *
 * The table "inet bryo" in the rootless network namespace. It is loaded once, with the namespace; a network that is
 * internal or isolated adds its interface to sets there, once, with its bridge. Containers cause no call of nft. Within
 * one bridge everything passes; where the kernel shows bridged packets to the firewall too (br_netfilter) a pair of the
 * same name says so. */
#ifndef BRYO_NET_FIREWALL_H
#define BRYO_NET_FIREWALL_H

#include "base/arena.h"
#include "base/error.h"
#include "spec/network.h"

/* The whole table, replaced when it is there. */
const char *firewall_table(void);
/* What a network adds and takes away again; NULL when it has no restrictions. */
char *firewall_add(struct arena *arena, const struct network *n);
char *firewall_remove(struct arena *arena, const struct network *n);
/* Gives a text to nft in the caller's network namespace. */
int firewall_load(struct arena *arena, const char *text, struct error *err);

#endif
