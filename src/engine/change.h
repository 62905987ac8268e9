/* engine/change - `--change 'CMD ["sh"]'`: single instructions that change an image's configuration (import, commit) */
#ifndef BRYO_ENGINE_CHANGE_H
#define BRYO_ENGINE_CHANGE_H

#include "spec/oci_image.h"

/* CMD ENTRYPOINT ENV EXPOSE LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR, in either case. */
int change_apply(struct arena *arena, struct image_container_config *config, const char *instruction,
		 struct error *err);

#endif
