#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "sys/fd.h"

#define RECORD_MAX ((size_t)64 << 10)

JSON_SHAPE(layer,
	JSON_FIELD(layer, chain_id, "chainId", T_STRING, .required = true),
	JSON_FIELD(layer, diff_id, "diffId", T_STRING),
	JSON_FIELD(layer, blob_digest, "blobDigest", T_STRING),
	JSON_FIELD(layer, blob_media_type, "blobMediaType", T_STRING),
	JSON_FIELD(layer, blob_size, "blobSize", T_INT),
	JSON_FIELD(layer, size, "size", T_INT, .always = true),
	JSON_FIELD(layer, max_uid, "maxUid", T_UINT),
	JSON_FIELD(layer, max_gid, "maxGid", T_UINT));

/* "layers/<hex>" plus a suffix; empty for what is no chain ID, so that nothing is found there. */
static void layer_path(char *buf, size_t size, const char *chain_id, const char *suffix)
{
	if (chain_id && digest_is_valid(chain_id))
		snprintf(buf, size, "layers/%s%s", digest_hex(chain_id), suffix);
	else
		buf[0] = '\0';
}

bool layer_exists(const struct store *s, const char *chain_id)
{
	char path[192];
	struct stat st;

	layer_path(path, sizeof(path), chain_id, "/layer.json");
	return path[0] && fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
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

/* A directory that cannot be a layer (a damaged disk) makes way; a whole one stays and is what the caller wanted. */
static int make_way(struct store *s, const char *chain_id, const char *path, struct error *err)
{
	return layer_exists(s, chain_id) ? 1 : store_discard(s, path, false, err);
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
		there = make_way(s, chain_id, path, err);
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

static int exchange_trees(struct store *s, const char *stage, const char *path, struct error *err)
{
	char staged[192];

	snprintf(staged, sizeof(staged), "%s/diff", stage);
	if (renameat2(s->tmp_fd, staged, s->root_fd, path, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno == EINVAL && store_discard(s, path, false, err) < 0)		/* a file system that cannot exchange */
		return -1;
	return renameat(s->tmp_fd, staged, s->root_fd, path) < 0 ? error_errno(err, "rename to %s/%s", s->path, path) : 0;
}

/* What lies beside the tree (copies for id maps) stays. */
int layer_replace(struct arena *arena, struct store *s, const char *stage, const struct layer *layer, struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &layer_shape, layer), 0);
	char path[192], tree[192], record[192];
	struct stat st;

	layer_path(path, sizeof(path), layer->chain_id, "");
	layer_path(tree, sizeof(tree), layer->chain_id, "/diff");
	layer_path(record, sizeof(record), layer->chain_id, "/layer.json");
	if (fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode)) {
		if (store_discard(s, path, false, err) < 0)
			return -1;
		return layer_commit(arena, s, stage, layer, err);
	}
	if (syncfs(s->tmp_fd) < 0)
		return error_errno(err, "write the layer to disk");
	if (exchange_trees(s, stage, tree, err) < 0)
		return error_frame(err, "layer %s", layer->chain_id);
	return store_write(s, record, text, strlen(text), true, err);
}

int layer_disown(struct store *s, const char *chain_id, struct error *err)
{
	char path[192];

	layer_path(path, sizeof(path), chain_id, "/layer.json");
	if (path[0] && unlinkat(s->root_fd, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove %s/%s", s->path, path);
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
