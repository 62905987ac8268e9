/* store/layer - one read-only layer of images, keyed by chain ID
 *
 * Owns layers/<chain-id hex>/: layer.json, and what is in the layer in one of two forms or in both. `index` lists it, the
 * contents being in objects/, for the driver objects; diff/ is a tree as overlay takes it, for the other drivers. A layer
 * is invisible until its directory is renamed into place, and so is a form that comes later. Beside the index there may be
 * `recipe` (spec/recipe): then the blob that the layer was unpacked from need not stay. */
#ifndef BRYO_STORE_LAYER_H
#define BRYO_STORE_LAYER_H

#include "base/json.h"
#include "store/store.h"

struct layer {
	char *chain_id;			/* "sha256:..." */
	char *diff_id;
	char *blob_digest;		/* as it came: for push */
	char *blob_media_type;
	int64_t blob_size;
	int64_t size;			/* bytes of files in it */
	uint64_t max_uid, max_gid;	/* largest ids in it */
	bool elsewhere;			/* its blob can be had again: from its registry, or it is what the recipe makes */
};
extern const struct json_shape layer_shape;

enum layer_form { LAYER_INDEX, LAYER_DIFF };

enum layer_form layer_form_of(enum store_driver driver);
/* Is it there, in that form? */
bool layer_has(const struct store *s, const char *chain_id, enum layer_form form);
/* In any form. */
bool layer_exists(const struct store *s, const char *chain_id);
bool layer_has_recipe(const struct store *s, const char *chain_id);
int layer_read(struct arena *arena, const struct store *s, const char *chain_id, struct layer *ret, struct error *err);
/* Makes a stage (tmp/<stage>/diff or tmp/<stage>/index) the layer: writes layer.json, syncs, renames tmp/<stage>. Where
 * the layer is there in the other form, it gets this one besides. Another process having been faster is success. The stage may be a path ("<stage>/0"), so that one stage serves a whole pull; its lock
 * stays with the caller until the layers have an image (see store_lock and store_stage_done). */
int layer_commit(struct arena *arena, struct store *s, const char *stage, const struct layer *layer,
		 struct error *err);
/* Several at once, bottom first: one syncfs for all. */
int layer_commit_all(struct arena *arena, struct store *s, const char *const *stages, const struct layer *layers,
		     size_t n, struct error *err);
/* The same for a layer that is there and damaged in this form: the staged tree or index takes the place of the damaged one at
 * once, and the record is written anew. Nobody may have a tree mounted. */
int layer_replace(struct arena *arena, struct store *s, const char *stage, const struct layer *layer, enum layer_form form,
		  struct error *err);
/* Takes the record of a damaged layer away: for whoever pulls its image next it is missing, and what he brings takes its
 * place. Containers that stand on it keep its tree. */
int layer_disown(struct store *s, const char *chain_id, struct error *err);
/* The same for its recipe alone. */
int layer_replace_recipe(struct store *s, const char *stage, const char *chain_id, struct error *err);
/* Takes a damaged recipe away: whoever pulls the image next brings it, with the blob. */
int layer_drop_recipe(struct store *s, const char *chain_id, struct error *err);
/* From now on its blob stays. */
int layer_keep_blob(struct arena *arena, struct store *s, const char *chain_id, struct error *err);
/* Makes diff/ of the topmost of an image's layers, bottom first, which has its index: copies of the contents, with reflinks
 * where the file system has them. */
int layer_make_diff(struct arena *arena, struct store *s, const struct strings *layers, struct error *err);
/* The chain ID of an entry of layers/. */
char *layer_chain_id(struct arena *arena, const char *directory_name);
char *layer_recipe_path(struct arena *arena, const struct store *s, const char *chain_id);
char *layer_index_path(struct arena *arena, const struct store *s, const char *chain_id);
/* How many of an image's layers, from the bottom, never show: the root of one above them is opaque, which overlay does not
 * look for at the root. */
size_t layer_hidden(const struct store *s, const struct strings *layers);
char *layer_diff_path(struct arena *arena, const struct store *s, const char *chain_id);
int layer_remove(struct store *s, const char *chain_id, struct error *err);

#endif
