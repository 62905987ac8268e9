/* store/image - images by id (the configuration's digest) and the names that point to them
 *
 * Owns images/<id hex>.json (record) and images/names/<encoded name> (a symbolic link a name whose text is "ID NAME":
 * replaced by rename, so a tag moves atomically, and never empty after a power failure). An image without names is dangling.
 * A manifest list is a record of its own kind: its id is a number of its own, its manifest an index, which changes, and
 * it has neither configuration nor layers; what its index names and the store has is kept for it. */
#ifndef BRYO_STORE_IMAGE_H
#define BRYO_STORE_IMAGE_H

#include "base/json.h"
#include "store/store.h"

struct image {
	char *id;			/* 64 hex digits of the configuration's digest */
	char *config_digest, *manifest_digest, *manifest_media_type;
	struct strings layers;		/* chain IDs, bottom first */
	struct strings digests;		/* "repository@sha256:..." it was pulled by */
	char *created;			/* RFC 3339, from the configuration */
	int64_t size;			/* bytes of all layers' files */
	char *architecture, *os, *variant;
	bool list;			/* a manifest list: config_digest is NULL */
	struct string_map sources;	/* list: an entry's digest: "registry/path", where its image is when it is not here */
	struct strings names;		/* filled on reading, not stored in the record */
};
extern const struct json_shape image_shape;

/* `broken`: ids whose record cannot be read; they disturb nobody else and can be removed. */
struct images { struct image *v; size_t n; struct strings broken; };

/* Records an image (its blobs and layers are in place) and, with a name, points the name to it. `ret_old` gets the id
 * the name pointed to before, or NULL. */
int image_commit(struct arena *arena, struct store *s, const struct image *image, const char *name, char **ret_old,
		 struct error *err);
int image_list(struct arena *arena, const struct store *s, struct images *ret, struct error *err);
/* By full name, id or unique id prefix (>= 1 digit, "sha256:" allowed), or short name ("busybox" meaning
 * localhost/busybox or any registry's .../busybox:latest, as Podman resolves locally). ERROR_NOT_FOUND otherwise. */
int image_find(struct arena *arena, const struct store *s, const char *name, struct image *ret, char **ret_name,
	       struct error *err);
int image_tag(struct arena *arena, struct store *s, const struct image *image, const char *name, struct error *err);
int image_untag(struct store *s, const char *name, struct error *err);
/* Removes the record and its names, then all layers and blobs that no other image and no container needs. The caller has checked that
 * nothing uses it. Removed layers' chain IDs go to *ret_removed. */
int image_remove(struct arena *arena, struct store *s, const struct image *image, struct strings *ret_removed,
		 struct error *err);

/* The same for an image whose record is damaged. */
int image_remove_broken(struct arena *arena, struct store *s, const char *id, struct strings *ret_removed,
			struct error *err);
/* The record of an id; ERROR_NOT_FOUND, or ERROR_INVALID when it is damaged. names are filled. */
int image_read(struct arena *arena, const struct store *s, const char *id, struct image *ret, struct error *err);
/* Digests of every blob that the image needs: configuration, manifest, and what the manifest names. */
int image_blobs(struct arena *arena, const struct store *s, const struct image *image, struct strings *ret,
		struct error *err);
/* The error of an image that is not here, in Podman's words; -1. */
int image_unknown(const char *name, struct error *err);
/* "registry/path" that it was pulled from, or pushed to, by its manifest's digest; NULL. */
char *image_repository(struct arena *arena, const struct image *image);
/* All ids that have a record, readable or not; all names (key) with the ids (value) they point to, sorted. */
int image_ids(struct arena *arena, const struct store *s, struct strings *ret, struct error *err);
int image_names(struct arena *arena, const struct store *s, struct string_map *ret, struct error *err);
/* Entries of images/names that are no name of an image: damaged ones; and the removal of one. */
void image_names_garbled(struct arena *arena, const struct store *s, struct strings *ret);
int image_name_discard(struct store *s, const char *entry, struct error *err);
/* The id that a full name points to, or NULL. */
char *image_name_lookup(struct arena *arena, const struct store *s, const char *name);
/* File name of an image name below images/names. */
char *image_name_encode(struct arena *arena, const char *name);

#endif
