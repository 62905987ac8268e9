/* engine/list_entry - what is added to a manifest list: descriptors of images of the store and of registries */
#ifndef BRYO_ENGINE_LIST_ENTRY_H
#define BRYO_ENGINE_LIST_ENTRY_H

#include "engine/list.h"

struct list_entry {
	struct image_descriptor descriptor;
	char *source;			/* "registry/path"; NULL: its image is in the store */
};
struct list_entries { struct list_entry *v; size_t n; };

/* What an image's name means for a list: one entry, or with r->all each of an index. */
int list_entries_find(struct engine *e, struct transfer *t, const char *text, const struct list_request *r,
		      struct list_entries *ret, struct error *err);
/* What the user says of an entry. */
int list_entry_set(struct engine *e, struct image_descriptor *d, const struct list_request *r, struct error *err);
int list_annotations_add(struct engine *e, struct string_map *map, const struct strings *annotations,
			 struct error *err);

#endif
