/* engine/save - images out of the store into archives and directories */
#ifndef BRYO_ENGINE_SAVE_H
#define BRYO_ENGINE_SAVE_H

#include "engine/engine.h"
#include "engine/save_target.h"
#include "spec/transport.h"

struct save_request {
	struct strings names;		/* images; docker-archive without `several`: also further names of the first */
	char *format;			/* docker-archive (NULL), oci-archive, oci-dir, docker-dir */
	char *output;			/* NULL: standard output */
	bool several, compress, uncompressed;
};

/* What the request says about itself, before anything is opened. */
int image_save_check(const struct save_request *r, struct error *err);
/* Opens what the request names. Before engine_open: see save_target. */
int image_save_open(struct arena *arena, const struct save_request *r, struct save_target *ret, struct error *err);
/* Writes and commits; the target stays the caller's to be done with. */
int image_save(struct engine *e, const struct save_request *r, struct save_target *target, struct error *err);

/* `push` to a file or directory. family: "oci" or "docker", for the manifest in a dir; NULL: as it is. ret_digest: of the
 * manifest as it was written, or as it is stored where the form has none. */
int image_save_to(struct engine *e, const char *name, const struct transport *to, const char *family, char **ret_digest,
		  struct error *err);

#endif
