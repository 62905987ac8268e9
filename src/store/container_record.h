/* store/container_record - containers/<id>/rootfs.json: what a container's root file system was made of, and how
 *
 * It keeps the driver, so that a container starts with the same one even when the store's default has changed since.
 * The function container_store_layers is here. */
#ifndef BRYO_STORE_CONTAINER_RECORD_H
#define BRYO_STORE_CONTAINER_RECORD_H

#include "store/container.h"

struct container_record {
	char *driver;
	struct strings layers;		/* chain IDs, bottom first */
	char *shifted;			/* the tree that stands for them, with shifted owners (below the store); NULL */
	char *uid_map, *gid_map;	/* objects: the ids that the image's tree is shown with; NULL: its own */
};

/* ERROR_NOT_FOUND: it has none; ERROR_INVALID: what is there cannot be used. */
int container_record_read(struct arena *arena, const struct store *s, const char *id, struct container_record *ret,
			  struct error *err);
/* The same, and which driver it names. */
int container_record_driver(struct arena *arena, const struct store *s, const char *id, struct container_record *ret,
			    enum store_driver *ret_driver, struct error *err);
const char *container_record_print(struct arena *arena, const struct container_record *r);
bool container_record_has_objects(const struct container_record *r);
/* The layers of one whose record is damaged or lost: config.json names them as well. */
int container_record_config_layers(struct arena *arena, const struct store *s, const char *id, struct strings *ret,
				   struct error *err);

#endif
