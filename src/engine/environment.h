/* engine/environment - a container's variables: defaults, proxies, image, host, files, -e, in Podman's order */
#ifndef BRYO_ENGINE_ENVIRONMENT_H
#define BRYO_ENGINE_ENVIRONMENT_H

#include "engine/container.h"

/* Sets KEY to value in a list of KEY=VALUE texts, replacing an earlier one. */
void environment_set(struct arena *arena, struct strings *env, const char *key, const char *value);
const char *environment_get(const struct strings *env, const char *key);
void environment_unset(struct strings *env, const char *key);
/* One -e text: KEY=VALUE, KEY (copied from the host) or PREFIX* (all of them). */
int environment_add(struct arena *arena, struct strings *env, const char *text, struct error *err);
int environment_add_file(struct arena *arena, struct strings *env, const char *path, struct error *err);
/* Everything but HOME, HOSTNAME and TERM, which are known at start. */
int environment_build(struct arena *arena, const struct create_request *r, const struct image_container_config *image,
		      struct strings *ret, struct error *err);

#endif
