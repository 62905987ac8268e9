#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "spec/layer_merge.h"
#include "spec/oci_image.h"
#include "store/layer_indexes.h"
#include "store/tree_maker.h"
#include "sys/fd.h"
#include "sys/whiteout.h"

#define RECORD_MAX ((size_t)64 << 10)

JSON_SHAPE(layer,
	JSON_FIELD(layer, chain_id, "chainId", T_STRING, .required = true),
	JSON_FIELD(layer, diff_id, "diffId", T_STRING),
	JSON_FIELD(layer, blob_digest, "blobDigest", T_STRING),
	JSON_FIELD(layer, blob_media_type, "blobMediaType", T_STRING),
	JSON_FIELD(layer, blob_size, "blobSize", T_INT),
	JSON_FIELD(layer, size, "size", T_INT, .always = true),
	JSON_FIELD(layer, max_uid, "maxUid", T_UINT),
	JSON_FIELD(layer, max_gid, "maxGid", T_UINT),
	JSON_FIELD(layer, elsewhere, "blobElsewhere", T_BOOL));

/* "layers/<hex>" plus a suffix; empty for what is no chain ID, so that nothing is found there. */
static void layer_path(char *buf, size_t size, const char *chain_id, const char *suffix)
{
	if (chain_id && digest_is_valid(chain_id))
		snprintf(buf, size, "layers/%s%s", digest_hex(chain_id), suffix);
	else
		buf[0] = '\0';
}

static const char *const form_names[] = { [LAYER_INDEX] = "index", [LAYER_DIFF] = "diff" };

enum layer_form layer_form_of(enum store_driver driver)
{
	return driver == DRIVER_OBJECTS ? LAYER_INDEX : LAYER_DIFF;
}

static bool has_file(const struct store *s, const char *chain_id, const char *suffix)
{
	char path[192];
	struct stat st;

	layer_path(path, sizeof(path), chain_id, suffix);
	return path[0] && fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
}

static bool has_form(const struct store *s, const char *chain_id, enum layer_form form)
{
	char path[192];

	if (form == LAYER_INDEX)
		return has_file(s, chain_id, "/index");
	layer_path(path, sizeof(path), chain_id, "/diff");
	return path[0] && faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool layer_has(const struct store *s, const char *chain_id, enum layer_form form)
{
	return has_file(s, chain_id, "/layer.json") && has_form(s, chain_id, form);
}

bool layer_exists(const struct store *s, const char *chain_id)
{
	return layer_has(s, chain_id, LAYER_INDEX) || layer_has(s, chain_id, LAYER_DIFF);
}

char *layer_chain_id(struct arena *arena, const char *directory_name)
{
	/* hex digits alone, whose number tells the algorithm */
	return arena_printf(arena, "%s:%s", strlen(directory_name) == 128 ? "sha512" : "sha256", directory_name);
}

int layer_read(struct arena *arena, const struct store *s, const char *chain_id, struct layer *ret, struct error *err)
{
	char path[192];
	size_t n;
	char *text;

	layer_path(path, sizeof(path), chain_id, "/layer.json");
	text = fd_read_file(arena, s->root_fd, path, RECORD_MAX, &n);
	if (!text && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "layer %s is not in the store", chain_id);
	if (!text)
		return error_errno(err, "read %s/%s", s->path, path);
	*ret = (struct layer){ 0 };
	return json_decode(arena, &layer_shape, ret, text, n, path, err);
}

bool layer_has_recipe(const struct store *s, const char *chain_id)
{
	return has_file(s, chain_id, "/recipe");
}

static int write_record(struct arena *arena, struct store *s, const char *stage, const struct layer *layer,
			struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &layer_shape, layer), 0);
	_cleanup_fd_ int dir = openat(s->tmp_fd, stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_fd_ int fd = -1;

	if (dir < 0)
		return error_errno(err, "open %s/tmp/%s", s->path, stage);
	fd = openat(dir, "layer.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		return error_errno(err, "write %s/tmp/%s/layer.json", s->path, stage);
	return 0;
}

static int sync_layers(const struct store *s)
{
	_cleanup_fd_ int fd = openat(s->root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : fsync(fd);
}

static enum layer_form staged_form(const struct store *s, const char *stage)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/index", stage);
	return faccessat(s->tmp_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? LAYER_INDEX : LAYER_DIFF;
}

/* The staged form beside what the layer has. An index that is empty, as after a power failure, is none. */
static int add_form(const struct store *s, const char *stage, const char *chain_id, enum layer_form form)
{
	char from[256], suffix[16], to[192];
	unsigned flags = form == LAYER_INDEX ? 0 : RENAME_NOREPLACE;

	snprintf(from, sizeof(from), "%s/%s", stage, form_names[form]);
	snprintf(suffix, sizeof(suffix), "/%s", form_names[form]);
	layer_path(to, sizeof(to), chain_id, suffix);
	if (renameat2(s->tmp_fd, from, s->root_fd, to, flags) == 0)
		return 0;
	return errno == EEXIST ? 0 : -1;
}

/* Objects that only the recipe names are there: they came with it. */
static int add_recipe(const struct store *s, const char *stage, const char *chain_id)
{
	char from[256], to[192];

	snprintf(from, sizeof(from), "%s/recipe", stage);
	layer_path(to, sizeof(to), chain_id, "/recipe");
	return renameat(s->tmp_fd, from, s->root_fd, to) < 0 && errno != ENOENT ? -1 : 0;
}

/* A directory that cannot be a layer (a damaged disk) makes way; a whole one stays and is what the caller wanted, or
 * lacks no more than this form. */
static int make_way(struct store *s, const char *stage, const char *chain_id, const char *path, struct error *err)
{
	enum layer_form form = staged_form(s, stage);

	if (layer_has(s, chain_id, form))
		return layer_has_recipe(s, chain_id) || add_recipe(s, stage, chain_id) == 0 ? 1 :
		       error_errno(err, "complete %s", path);
	if (!has_file(s, chain_id, "/layer.json"))
		return store_discard(s, path, false, err);
	if (add_form(s, stage, chain_id, form) == 0 && add_recipe(s, stage, chain_id) == 0)
		return 1;
	return errno == ENOENT ? 0 : error_errno(err, "complete %s", path);
}

static int put_in_place(struct store *s, const char *stage, const char *chain_id, struct error *err)
{
	char path[192];

	layer_path(path, sizeof(path), chain_id, "");
	for (int tries = 0; tries < 3; tries++) {
		int there;

		if (renameat(s->tmp_fd, stage, s->root_fd, path) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
		there = make_way(s, stage, chain_id, path, err);
		if (there)
			return there < 0 ? -1 : 0;
	}
	return error_errno(err, "rename to %s/%s", s->path, path);
}

int layer_commit_all(struct arena *arena, struct store *s, const char *const *stages, const struct layer *layers,
		     size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!layers[i].chain_id || !digest_is_valid(layers[i].chain_id))
			return error_set(err, ERROR_INVALID, "\"%s\" is not a chain ID",
					 layers[i].chain_id ? layers[i].chain_id : "");
		if (write_record(arena, s, stages[i], &layers[i], err) < 0)
			return error_frame(err, "layer %s", layers[i].chain_id);
	}
	if (n > 0 && syncfs(s->tmp_fd) < 0)
		return error_errno(err, "write the layers to disk");
	for (size_t i = 0; i < n; i++)
		if (put_in_place(s, stages[i], layers[i].chain_id, err) < 0)
			return error_frame(err, "layer %s", layers[i].chain_id);
	if (n > 0 && sync_layers(s) < 0)
		return error_errno(err, "write %s/layers to disk", s->path);
	return 0;
}

int layer_commit(struct arena *arena, struct store *s, const char *stage, const struct layer *layer, struct error *err)
{
	return layer_commit_all(arena, s, &stage, layer, 1, err);
}

static int replace_form(struct store *s, const char *stage, const char *path, enum layer_form form, struct error *err)
{
	char staged[192];

	snprintf(staged, sizeof(staged), "%s/%s", stage, form_names[form]);
	if (renameat2(s->tmp_fd, staged, s->root_fd, path, form == LAYER_DIFF ? RENAME_EXCHANGE : 0) == 0)
		return 0;
	/* Where there is nothing to exchange with, or a file system cannot; or something else is in the way of an index. */
	if (faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && store_discard(s, path, false, err) < 0)
		return -1;
	return renameat(s->tmp_fd, staged, s->root_fd, path) < 0 ? error_errno(err, "rename to %s/%s", s->path, path) : 0;
}

/* What lies beside the tree (copies for id maps) stays. */
int layer_replace(struct arena *arena, struct store *s, const char *stage, const struct layer *layer, enum layer_form form,
		  struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &layer_shape, layer), 0);
	char path[192], place[192], record[192];
	struct stat st;

	layer_path(path, sizeof(path), layer->chain_id, "");
	layer_path(place, sizeof(place), layer->chain_id, form == LAYER_DIFF ? "/diff" : "/index");
	layer_path(record, sizeof(record), layer->chain_id, "/layer.json");
	if (fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		if (store_discard(s, path, false, err) < 0)
			return -1;
		return layer_commit(arena, s, stage, layer, err);
	}
	if (syncfs(s->tmp_fd) < 0)
		return error_errno(err, "write the layer to disk");
	if (replace_form(s, stage, place, form, err) < 0 || layer_replace_recipe(s, stage, layer->chain_id, err) < 0)
		return error_frame(err, "layer %s", layer->chain_id);
	return store_write(s, record, text, strlen(text), true, err);
}

/* Without one in the stage the layer's own stays. */
int layer_replace_recipe(struct store *s, const char *stage, const char *chain_id, struct error *err)
{
	return add_recipe(s, stage, chain_id) < 0 ? error_errno(err, "replace the recipe of layer %s", chain_id) : 0;
}

int layer_drop_recipe(struct store *s, const char *chain_id, struct error *err)
{
	char path[192];

	layer_path(path, sizeof(path), chain_id, "/recipe");
	if (path[0] && unlinkat(s->root_fd, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove %s/%s", s->path, path);
	return 0;
}

int layer_keep_blob(struct arena *arena, struct store *s, const char *chain_id, struct error *err)
{
	char path[192], *text;
	struct layer layer;

	layer_path(path, sizeof(path), chain_id, "/layer.json");
	if (layer_read(arena, s, chain_id, &layer, err) < 0)
		return -1;
	if (!layer.elsewhere)
		return 0;
	layer.elsewhere = false;
	text = json_print(arena, json_encode(arena, &layer_shape, &layer), 0);
	return store_write(s, path, text, strlen(text), true, err);
}

int layer_disown(struct store *s, const char *chain_id, struct error *err)
{
	char path[192];

	layer_path(path, sizeof(path), chain_id, "/layer.json");
	if (path[0] && unlinkat(s->root_fd, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove %s/%s", s->path, path);
	return 0;
}

/* --- from one form to the other */

/* A directory that the layer only implies has the attributes that lower layers give it: the merged image, read side by
 * side with the layer, has them at the same path. */
static int complete(struct layer_merge *image, struct layer_entry *e, struct error *err)
{
	const struct layer_entry *seen;
	const bool opaque = e->opaque;
	int more;

	while ((more = layer_merge_next(image, &seen, NULL, err)) > 0 && strcmp(seen->path, e->path) != 0)
		;
	if (more <= 0)
		return more < 0 ? -1 : error_set(err, ERROR_INVALID, "/%s is not in the image that its layer implies it in", e->path);
	*e = *seen;
	e->opaque = opaque;
	return 0;
}

static int fill_diff(struct tree_maker *m, struct layer_index *layer, struct layer_merge *image, struct error *err)
{
	const struct layer_entry *next;
	int more;

	while ((more = layer_index_next(layer, &next, err)) > 0) {
		struct layer_entry e = *next;

		if ((e.implied && complete(image, &e, err) < 0) || tree_maker_add(m, &e) < 0)
			return -1;
	}
	return more;
}

static int make_diff(struct arena *arena, const struct store *s, const struct strings *layers, int root,
		     struct error *err)
{
	const struct strings top = { .v = &layers->v[layers->n - 1], .n = 1 };
	struct tree_maker m = { .arena = arena, .root = root, .objects = s->objects_fd, .single_id = s->single_id };
	struct strings known = { 0 };
	struct layer_indexes all, own;
	int result;

	for (size_t i = 0; i < layers->n; i++)
		if (layer_has(s, layers->v[i], LAYER_INDEX))
			strings_add(arena, &known, layers->v[i]);
	if (layer_indexes_open(arena, s, &known, &all, err) < 0)
		return -1;
	if (layer_indexes_open(arena, s, &top, &own, err) < 0) {
		layer_indexes_close(&all);
		return -1;
	}
	tree_maker_begin(&m, err);
	result = tree_maker_end(&m, fill_diff(&m, own.v[0], layer_merge_open(arena, all.v, all.n), err) < 0);
	layer_indexes_close(&own);
	layer_indexes_close(&all);
	return result;
}

int layer_make_diff(struct arena *arena, struct store *s, const struct strings *layers, struct error *err)
{
	const char *chain_id = layers->v[layers->n - 1];
	char *stage, *place;
	int lock, root, result;
	struct layer layer;

	if (layer_read(arena, s, chain_id, &layer, err) < 0 || (lock = store_stage(arena, s, &stage, err)) < 0)
		return -1;
	place = arena_printf(arena, "%s/layer", stage);
	root = fd_mkdirs(s->tmp_fd, arena_printf(arena, "%s/diff", place), 0755) < 0 ? -1 :
	       fd_open_dir(s->tmp_fd, arena_printf(arena, "%s/diff", place));
	result = root < 0 ? error_errno(err, "make %s/tmp/%s", s->path, place) : make_diff(arena, s, layers, root, err);
	fd_close(&root);
	if (result == 0)
		result = layer_commit(arena, s, place, &layer, err);
	store_stage_done(s, stage, &lock);
	return result < 0 ? error_frame(err, "layer %s", chain_id) : 0;
}

char *layer_recipe_path(struct arena *arena, const struct store *s, const char *chain_id)
{
	return arena_printf(arena, "%s/layers/%s/recipe", s->path, digest_hex(chain_id));
}

char *layer_index_path(struct arena *arena, const struct store *s, const char *chain_id)
{
	return arena_printf(arena, "%s/layers/%s/index", s->path, digest_hex(chain_id));
}

static bool is_opaque(const struct store *s, const char *chain_id)
{
	char path[192];
	_cleanup_fd_ int diff = -1;

	layer_path(path, sizeof(path), chain_id, "/diff");
	diff = fd_open_dir(s->root_fd, path);
	return diff >= 0 && whiteout_is_opaque(diff);
}

size_t layer_hidden(const struct store *s, const struct strings *layers)
{
	for (size_t i = layers->n; i > 1; i--)
		if (is_opaque(s, layers->v[i - 1]))
			return i - 1;
	return 0;
}

char *layer_diff_path(struct arena *arena, const struct store *s, const char *chain_id)
{
	return arena_printf(arena, "%s/layers/%s/diff", s->path, digest_hex(chain_id));
}

int layer_remove(struct store *s, const char *chain_id, struct error *err)
{
	char path[192];

	layer_path(path, sizeof(path), chain_id, "");
	return path[0] ? store_discard(s, path, false, err) : 0;
}
