/* net/rootless - the network namespace of a user in which his bridges live
 *
 * An ordinary user cannot put an interface into the host's network, so all his bridges, the containers' ends of veth pairs
 * and the firewall live in a network namespace of the rootless user namespace. It is kept by a bind mount,
 * netns/rootless in the runtime directory and in the mount namespace of the holder, so that it outlives every process.
 * It is made by the first container on a bridge, with its way out (net/gateway); where that cannot work the error is
 * ERROR_UNSUPPORTED (net/ability). Both are taken away a moment after the
 * last container has given its address back (net/lease).
 *
 * The lock netns/lock orders all of this. Shared: the namespace stays, until what relies on it has a lease. Exclusive:
 * the namespace, a bridge in it, the firewall's table or the leases of the dead are changed. It is held for
 * milliseconds, never while a container sets itself up. */
#ifndef BRYO_NET_ROOTLESS_H
#define BRYO_NET_ROOTLESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "sys/lock.h"

#define ROOTLESS_DIR "netns"		/* in the runtime directory: lock, the mount, and what the gateway keeps */
#define ROOTLESS_LOCK ROOTLESS_DIR "/lock"

/* Where it is, and who knows: what the engine tells. */
struct rootless_home {
	int run_fd;			/* the runtime directory */
	const char *run_path;
	int (*open_holder)(void *context);	/* a pidfd of the holder; -1. NULL: the caller sees the holder's mounts */
	bool (*lives)(void *context, const char *id);	/* does a container run, or is it being started? */
	void *context;
};

struct rootless {
	const struct rootless_home *home;
	int ns;				/* the namespace */
	int socket;			/* netlink in it, once somebody needed it; -1 */
	int lock;
};

/* Opens it with the lock held; makes it, and heals its way out, when needed (then it is held alone). The caller is uid 0
 * of the rootless user namespace and stands in the host's network namespace. */
int rootless_open(struct arena *arena, const struct rootless_home *home, enum lock_mode mode, struct rootless *ret,
		  struct error *err);
/* The same only when it is there, or containers live that need it: -1 with an empty error when it is not. */
int rootless_find(struct arena *arena, const struct rootless_home *home, enum lock_mode mode, struct rootless *ret,
		  struct error *err);
/* Holds it alone from now on. Meanwhile it may have been made anew: what was found in it is to be looked for again. */
int rootless_alone(struct arena *arena, struct rootless *r, struct error *err);
/* Opens the socket, unless it is. */
int rootless_socket(struct rootless *r, struct error *err);
/* Frees the lock; namespace and socket stay open. */
void rootless_unlock(struct rootless *r);
void rootless_close(struct rootless *r);

/* Makes good what living containers have lost of it: the mount, the way out, the names. Best effort; cheap when all is
 * well. */
void rootless_heal(struct arena *arena, const struct rootless_home *home);
/* Has anybody left something that rootless_release(NULL) would take away? Of many leases only some are looked at when the
 * rest was a moment ago, unless the answer is to be thorough. */
bool rootless_is_littered(const struct rootless_home *home, bool thorough);
/* Takes back the leases of this container (NULL: of none) and of all that do not live; when none is left, the namespace and
 * its helpers go too, after a moment (net/rootless_linger). */
void rootless_release(struct arena *arena, const struct rootless_home *home, const char *id);
/* The same after somebody gave his leases back: quick when others have some. */
void rootless_settle(struct arena *arena, const struct rootless_home *home);
/* At once, with the leases of all: the user namespace ends, too. */
void rootless_end(struct arena *arena, const struct rootless_home *home);

#endif
