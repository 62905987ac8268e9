/* run/seccomp_listener - who answers the calls that a filter notifies about
 *
 * The receiver is a program that listens on a unix stream socket. For each process that gets such a filter it is sent
 * the container process state (runtime-spec, config-linux) and the listener's descriptor over a connection of its own.
 * The parent connects before it makes the process, so that a missing receiver is an error before anything was made;
 * run/seccomp_load does the sending. */
#ifndef BRYO_RUN_SECCOMP_LISTENER_H
#define BRYO_RUN_SECCOMP_LISTENER_H

#include <sys/types.h>

#include "spec/oci_runtime.h"

struct seccomp_listener {
	const char *path;		/* the receiver's socket */
	const char *where;		/* the position of who named it */
	const char *pieces[3];		/* the state as JSON, with the process's id between the pieces */
	size_t pieces_n;
};

/* What the receiver is told. */
struct seccomp_container {
	const char *id, *bundle;	/* NULL: "" */
	const struct string_map *annotations;
	const char *metadata;		/* listenerMetadata; NULL: none */
	pid_t first;			/* of the running container; 0: it is the process that gets the filter */
};

/* The receiver is listener_path, else the annotation run.oci.seccomp.receiver, else RUN_OCI_SECCOMP_RECEIVER in the
 * environment. NULL with an error without one, or when its path is not absolute. `where` is a seccomp_source's. */
struct seccomp_listener *seccomp_listener_new(struct arena *arena, const char *listener_path, const char *where,
					      const struct seccomp_container *container, struct error *err);
/* A connection to the receiver: a descriptor of at least `above`, close-on-exec, that gives up after some seconds. */
int seccomp_listener_connect(const struct seccomp_listener *l, int above, struct error *err);

#endif
