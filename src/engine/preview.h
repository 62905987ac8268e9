/* engine/preview - a container that is decided and never started: for who asks what would be
 *
 * Everything that create and start decide is decided; nothing of it stays: no record, no volume that was not there, no line
 * in the event log, nothing is pulled. */
#ifndef BRYO_ENGINE_PREVIEW_H
#define BRYO_ENGINE_PREVIEW_H

#include "engine/oci_config.h"

struct preview {
	const struct container *c;
	const struct oci_spec *spec;
	const struct id_maps *maps;	/* over the rootless namespace; empty: none */
	int root;			/* its root file system, mounted nowhere */
};

/* look answers 0, or -1 with err; so does this. What it is shown lives until it returns. */
int container_preview(struct engine *e, const struct create_request *r,
		      int (*look)(void *context, const struct preview *p, struct error *err), void *context, struct error *err);
/* The same of a container that is there and does not run. */
int container_preview_again(struct engine *e, struct container *c,
			    int (*look)(void *context, const struct preview *p, struct error *err), void *context,
			    struct error *err);
/* Goes one step further: everything stands as at a start, and the first process waits before it becomes the command, which
 * it never does. work may look around in the namespaces of that process. The first use of a volume does happen. */
int container_rehearse(struct engine *e, const struct create_request *r,
		       int (*work)(void *context, pid_t pid, struct error *err), void *context, struct error *err);

#endif
