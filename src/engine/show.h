/* engine/show - files of containers and images at a path where people can see them: mount, unmount
 *
 * Mounts are made in the caller's mount namespace. Whoever is in `bryo unshare` shares that with all commands. */
#ifndef BRYO_ENGINE_SHOW_H
#define BRYO_ENGINE_SHOW_H

#include "engine/container.h"
#include "store/image.h"

int show_container(struct engine *e, const struct container *c, char **ret_path, struct error *err);
/* Nothing being mounted is success. */
int show_container_end(struct engine *e, const struct container *c, struct error *err);
/* Those that are mounted: id Names mountpoint. */
int show_containers(struct engine *e, struct json **ret, struct error *err);
/* The row that tells of one. */
struct json *show_container_row(struct engine *e, const struct container *c, const char *path);

int show_image(struct engine *e, const struct image *image, char **ret_path, struct error *err);
int show_image_end(struct engine *e, const struct image *image, struct error *err);
/* id Names Repositories mountpoint. */
int show_images(struct engine *e, struct json **ret, struct error *err);
struct json *show_image_row(struct engine *e, const struct image *image, const char *path);

#endif
