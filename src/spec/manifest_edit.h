/* spec/manifest_edit - manifests and indexes that are written here: other layers, another family, other entries
 *
 * What is changed is decoded, changed and printed; what is not changed keeps its bytes and is not printed anew. OCI's
 * and Docker's manifests say the same, except that Docker's have neither annotations nor zstd. */
#ifndef BRYO_SPEC_MANIFEST_EDIT_H
#define BRYO_SPEC_MANIFEST_EDIT_H

#include "spec/oci_image.h"

/* "oci"; "docker" and "v2s2" mean Docker's. *ret_docker is not touched for NULL. -1: another word. */
int manifest_family(const char *word, bool *ret_docker, struct error *err);
bool manifest_is_docker(const char *media_type);

/* Gives manifest, configuration and layers the media types of a family. */
int manifest_convert(struct arena *arena, struct image_manifest *m, bool docker, struct error *err);
char *manifest_print(struct arena *arena, const struct image_manifest *m);

/* Of the list alone: the images that it names stay what they are. */
int index_convert(struct arena *arena, struct image_index *index, bool docker, struct error *err);
char *index_print(struct arena *arena, const struct image_index *index);
/* The entry with this digest, or NULL. */
struct image_descriptor *index_find(const struct image_index *index, const char *digest);
/* A new entry, or the one that has this digest. */
struct image_descriptor *index_entry(struct arena *arena, struct image_index *index, const char *digest);
/* false: there was none. */
bool index_remove(struct image_index *index, const char *digest);

#endif
