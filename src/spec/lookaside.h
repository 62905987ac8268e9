/* spec/lookaside - registries.d: where the signatures of images lie, see containers-registries.d(5)
 *
 * The files are YAML, which is read elsewhere; here are their documents. As Podman does, a section that does not say
 * where signatures lie leaves the answer to the next more general one. */
#ifndef BRYO_SPEC_LOOKASIDE_H
#define BRYO_SPEC_LOOKASIDE_H

#include "base/json.h"

struct lookaside_section {
	char *scope;			/* "" is default-docker */
	char *where;			/* the file */
	char *url, *staging;		/* to read from, to write to; NULL */
	bool *attachments;		/* signatures lie beside the image in its registry; NULL: not said */
};

struct lookaside { ARRAY(struct lookaside_section) sections; };

/* Adds a file's document. The same section in two files is an error. */
int lookaside_add(struct arena *arena, struct lookaside *l, const struct json *document, const char *where,
		  struct error *err);
/* For an image with these scopes (see reference_scopes). NULL: nothing is said, the built-in place holds. */
const char *lookaside_url(const struct lookaside *l, const struct strings *scopes);
const char *lookaside_staging(const struct lookaside *l, const struct strings *scopes);
bool lookaside_attachments(const struct lookaside *l, const struct strings *scopes);

#endif
