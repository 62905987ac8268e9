/* engine/target - one repository at a registry by name, with everything that is needed to talk to it
 *
 * Pushes, and look-ups that are no pulls, go to the place itself, never to a mirror; whether it is blocked or insecure
 * is for registries.conf to say. */
#ifndef BRYO_ENGINE_TARGET_H
#define BRYO_ENGINE_TARGET_H

#include "engine/source.h"
#include "spec/reference.h"

struct target { struct reference name; struct transfer_source source; };

/* text: "[docker://][REGISTRY/]PATH[:TAG][@DIGEST]"; without a registry docker.io is meant, as everywhere, and the tag
 * is "latest" unless something else is said. Places that are no registries ("dir:...") are refused. */
int target_find(struct engine *e, const struct source_options *access, const char *text, struct target *ret,
		struct error *err);
/* The tag or digest. */
char *target_reference(const struct target *t);

#endif
