/* oci/preserved - the descriptors that a caller hands to a container
 *
 * --preserve-fds N are 3 to N+2, and after them those of socket activation, which LISTEN_FDS counts (sd_listen_fds(3));
 * the container is told of the latter. */
#ifndef BRYO_OCI_PRESERVED_H
#define BRYO_OCI_PRESERVED_H

#include "spec/oci_runtime.h"

struct preserved {
	int fds[128];
	size_t n;
};

/* Adds LISTEN_FDS and LISTEN_PID to env when the caller has them; env NULL: without socket activation. */
int preserved_list(struct arena *arena, int64_t n, struct strings *env, struct preserved *ret, struct error *err);

#endif
