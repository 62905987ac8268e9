/* net/names - names of containers on networks: aardvark-dns, what it is told, and its life
 *
 * names/zones/NETWORK in the runtime directory is what aardvark-dns reads: the addresses of the bridge, where it listens,
 * and a line for each container. One process serves all networks, in the rootless network namespace; what it does not know
 * it asks the gateway's forwarder, or the network's own servers. It is started with the first name, kept running and told of
 * changes by net/names_keeper; names/lock orders those who change anything. See doc/design/names.md. */
#ifndef BRYO_NET_NAMES_H
#define BRYO_NET_NAMES_H

#include "net/bridge.h"

#define NAMES_DOMAIN "dns.podman"	/* the search domain that aardvark-dns takes off again; Podman's users know it */

struct names_entry {
	const char *id;
	const struct bridge_endpoint *endpoint;
	const struct strings *names;
	const struct strings *servers;	/* --dns: asked for this container in place of the network's */
};

/* The program, or NULL: it is not installed. */
char *names_program(struct arena *arena);
/* Does somebody answer for names on this network? Without a gateway there is nobody to ask. */
bool names_are_served(const struct network *n);
/* The network's bridge stands. Starts aardvark-dns when it does not run. */
int names_add(struct arena *arena, const struct rootless *r, const struct network *n, const struct names_entry *e, struct error *err);
/* Starts aardvark-dns again when somebody is named and it does not run. */
int names_heal(struct arena *arena, const struct rootless *r, struct error *err);
bool names_are_healthy(struct arena *arena, const struct rootless_home *home);
/* The namespace in which they are answered; -1 when they are not. */
int names_open_namespace(struct arena *arena, const struct rootless_home *home);
/* Waits until the name is answered on the network; ERROR_FAILED after two seconds. */
int names_await(const struct rootless *r, const struct network *n, const struct bridge_endpoint *e, const char *name,
		struct error *err);
/* Forgets a container on a network (NULL: on all). */
void names_remove(struct arena *arena, const struct rootless_home *home, const char *network, const char *id);
/* The network's own servers were changed. */
int names_change_servers(struct arena *arena, const struct rootless_home *home, const struct network *n, struct error *err);
/* It ends together with the namespace; so does all that it was told. */
void names_stop(struct arena *arena, const struct rootless_home *home);

/* The pure part: the text of a zone in which `id` has this line (NULL: none), and nobody who is dead. head: the first line. */
char *names_zone(struct arena *arena, const char *text, const char *head, const char *id, const char *line,
		 bool (*lives)(void *context, const char *id), void *context);
/* "10.89.0.1,fd00::1" and what is asked for other names. */
char *names_head(struct arena *arena, const struct network *n);
char *names_line(struct arena *arena, const struct names_entry *e);

#endif
