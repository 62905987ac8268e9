/* engine/diff - what a container or an image has changed against what it stands on, or against another one */
#ifndef BRYO_ENGINE_DIFF_H
#define BRYO_ENGINE_DIFF_H

#include "engine/container.h"
#include "store/changes.h"

enum diff_kind { DIFF_ANY, DIFF_CONTAINER, DIFF_IMAGE };

/* other NULL: a container against its image, an image against the layers below its topmost. Otherwise name's files
 * against other's. Mount points that the engine made are no changes. */
int diff_objects(struct engine *e, enum diff_kind kind, const char *name, const char *other, struct changes *ret,
		 struct error *err);

#endif
