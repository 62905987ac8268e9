/* engine/pull - the parts of `pull`: from registries, from files, all tags */
#ifndef BRYO_ENGINE_PULL_H
#define BRYO_ENGINE_PULL_H

#include "engine/image.h"
#include "spec/reference.h"
#include "spec/registries.h"

/* From registries: mirrors and short names as registries.conf says. */
int pull_by_name(struct engine *e, const struct pull_request *r, struct image *ret, struct error *err);
/* Every tag of a repository. */
int pull_tags(struct engine *e, const struct pull_request *r, struct images *ret, struct error *err);
/* "linux/arm64/v8" from --platform or its parts; NULL: this machine's. */
int pull_platform(struct engine *e, const struct pull_request *r, char **ret, struct error *err);

#endif
