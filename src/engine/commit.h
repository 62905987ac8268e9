/* engine/commit - a container becomes an image: what it changed is one layer over its image's */
#ifndef BRYO_ENGINE_COMMIT_H
#define BRYO_ENGINE_COMMIT_H

#include "engine/container.h"

struct commit_request {
	char *name;			/* of the new image; NULL: none */
	char *author, *message, *format, *iidfile;	/* format "oci" (NULL) or "docker" */
	struct strings changes;		/* instructions, see engine/change */
	bool pause, squash, include_volumes, quiet;
};

/* pause: a running container's processes stand still while its files are read. squash: one layer with everything. */
int container_commit(struct engine *e, struct container *c, const struct commit_request *r, char **ret_id,
		     struct error *err);

/* The configuration of the new image as JSON: the base's with what the container was started with, the changes, and
 * one more step in the history. base_name and now (RFC 3339) are told there. */
int commit_config(struct arena *arena, const struct container *c, const struct image_config *base,
		  const struct commit_request *r, const char *diff_id, const char *now, char **ret, struct error *err);

#endif
