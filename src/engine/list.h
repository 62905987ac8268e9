/* engine/list - manifest lists: one name for the images of several platforms
 *
 * A list is a record of the store (store/image.h) whose manifest is an OCI index. Each change writes the index anew and
 * keeps the list's id. An entry's image is in the store, or the record says which repository has it. Two commands
 * that change a list at the same time both count: the index is read and written under the lock `lists.lock` of the
 * store, and registries are asked before it is taken. */
#ifndef BRYO_ENGINE_LIST_H
#define BRYO_ENGINE_LIST_H

#include "engine/push.h"

struct list_request {
	struct source_options access;
	bool all;			/* each entry of an index that is added, not one */
	bool amend;			/* create: a list that is there is added to */
	bool index;			/* annotate: the list itself */
	char *os, *arch, *variant, *os_version;	/* of the entries; of an index that is added they choose */
	struct strings annotations;	/* "key=value" */
	struct strings features, os_features;
};

/* Images by name: "containers-storage:" for those of the store alone, "docker://" for those of registries alone. All
 * that change a list answer its id. */
int list_create(struct engine *e, const char *name, const struct strings *images, const struct list_request *r,
		char **ret_id, struct error *err);
int list_add(struct engine *e, const char *name, const struct strings *images, const struct list_request *r,
	     char **ret_id, struct error *err);
/* entry: a digest, or the name of an image that is in the list; NULL with r->index. */
int list_annotate(struct engine *e, const char *name, const char *entry, const struct list_request *r, char **ret_id,
		  struct error *err);
int list_remove(struct engine *e, const char *name, const char *entry, char **ret_id, struct error *err);
/* The index as it is, of the store or of a registry. A single image's manifest is answered, too. */
int list_inspect(struct engine *e, const char *name, const struct source_options *access, struct json **ret,
		 struct error *err);
/* ERROR_NOT_FOUND when there is no such list; what is an image is none. */
int list_find(struct engine *e, const char *name, struct image *ret, struct error *err);

int list_read_index(struct engine *e, const struct image *list, struct image_index *ret, struct error *err);
/* The image of the store that a list means for a platform (NULL: this machine's). */
int list_choose(struct engine *e, const struct image *list, const char *platform, struct image *ret, struct error *err);
/* The image of the store with this manifest: 1, 0, -1. */
int list_image_of(struct engine *e, const char *manifest_digest, struct image *ret, struct error *err);

int list_push(struct engine *e, const struct push_request *r, const struct target *target, const struct image *list,
	      char **ret_digest, struct error *err);

#endif
