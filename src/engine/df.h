/* engine/df - what takes room in the store, and what of it could go */
#ifndef BRYO_ENGINE_DF_H
#define BRYO_ENGINE_DF_H

#include "engine/engine.h"
#include "base/json.h"

/* Three rows: Type Total Active RawSize RawReclaimable, and Size and Reclaimable for people. Layers that several images
 * share count once. */
int df_summary(struct engine *e, struct json **ret, struct error *err);
/* One row an object. Images: Repository Tag ImageID Created Size SharedSize UniqueSize Containers. Containers:
 * ContainerID Image Command LocalVolumes Size Created Status Names. Volumes: VolumeName Links Size. Sizes are
 * numbers, Created is in ns. */
struct df_details { struct json *images, *containers, *volumes; };
int df_details(struct engine *e, struct df_details *ret, struct error *err);

#endif
