#include "store/image.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "store/blob.h"
#include "store/layer.h"
#include "store/stage.h"
#include "sys/fd.h"

#define RECORD_MAX ((size_t)1 << 20)
#define ID_SIZE 64
#define ENCODED_MAX 200		/* so that a suffix still fits into NAME_MAX */
#define LINK_MAX 1024

JSON_SHAPE(image,
	JSON_FIELD(image, id, "id", T_STRING, .required = true),
	JSON_FIELD(image, config_digest, "configDigest", T_STRING),
	JSON_FIELD(image, manifest_digest, "manifestDigest", T_STRING),
	JSON_FIELD(image, manifest_media_type, "manifestMediaType", T_STRING),
	JSON_FIELD(image, layers, "layers", T_STRINGS, .always = true),
	JSON_FIELD(image, digests, "digests", T_STRINGS),
	JSON_FIELD(image, created, "created", T_STRING),
	JSON_FIELD(image, size, "size", T_INT, .always = true),
	JSON_FIELD(image, architecture, "architecture", T_STRING),
	JSON_FIELD(image, os, "os", T_STRING),
	JSON_FIELD(image, variant, "variant", T_STRING),
	JSON_FIELD(image, list, "list", T_BOOL),
	JSON_FIELD(image, sources, "sources", T_MAP));

static bool is_id(const char *s)
{
	return strlen(s) == ID_SIZE && strspn(s, "0123456789abcdef") == ID_SIZE;
}

/* --- names */

static uint64_t fnv1a(const char *s, uint64_t hash)
{
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3u;
	return hash;
}

/* '/' and what else must not be in a file name becomes %XX; a name that is too long keeps its head and gets a hash. The
 * link's text has the name in full and is what counts. */
char *image_name_encode(struct arena *arena, const char *name)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = arena_alloc(arena, 3 * strlen(name) + 1), *at = encoded;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (isalnum(*p) || strchr("_-:@", *p) || (*p == '.' && at != encoded)) {
			*at++ = (char)*p;
			continue;
		}
		*at++ = '%';
		*at++ = digits[*p >> 4];
		*at++ = digits[*p & 15];
	}
	if (at - encoded <= ENCODED_MAX)
		return encoded;
	return arena_printf(arena, "%.160s~%016llx%016llx", encoded,
			    (unsigned long long)fnv1a(name, 0xcbf29ce484222325u),
			    (unsigned long long)fnv1a(name, 0x84222325cbf29ce4u));
}

/* Splits a link's text "ID NAME". false with errno; EINVAL: it is something else. */
static bool read_name_link(int dirfd, const char *file, char text[LINK_MAX], const char **ret_name)
{
	ssize_t n = readlinkat(dirfd, file, text, LINK_MAX - 1);
	bool good = n > ID_SIZE + 1 && text[ID_SIZE] == ' ';

	if (n < 0)
		return false;
	text[n] = '\0';
	if (good) {
		text[ID_SIZE] = '\0';
		*ret_name = text + ID_SIZE + 1;
		good = is_id(text);
	}
	errno = good ? errno : EINVAL;
	return good;
}

char *image_name_lookup(struct arena *arena, const struct store *s, const char *name)
{
	char *path = arena_printf(arena, "images/names/%s", image_name_encode(arena, name));
	char text[LINK_MAX];
	const char *full;

	if (!read_name_link(s->root_fd, path, text, &full) || strcmp(full, name) != 0)
		return NULL;
	return arena_strdup(arena, text);
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

int image_names(struct arena *arena, const struct store *s, struct string_map *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "images/names");
	struct dirent *entry;
	char text[LINK_MAX];
	const char *name;

	*ret = (struct string_map){ 0 };
	if (!dir)
		return error_errno(err, "open %s/images/names", s->path);
	while ((entry = fd_next_entry(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (read_name_link(dirfd(dir), entry->d_name, text, &name))
			*ARRAY_ADD(arena, ret) = (struct pair){ arena_strdup(arena, name), arena_strdup(arena, text) };
		else if (error_is_unread(errno))
			return error_errno(err, "read %s/images/names/%s", s->path, entry->d_name);
	}
	if (errno)
		return error_errno(err, "list %s/images/names", s->path);
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_pairs);
	return 0;
}

void image_names_garbled(struct arena *arena, const struct store *s, struct strings *ret)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "images/names");
	struct dirent *entry;
	char text[LINK_MAX];
	const char *name;

	*ret = (struct strings){ 0 };
	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && !read_name_link(dirfd(dir), entry->d_name, text, &name) && errno == EINVAL)
			strings_add(arena, ret, entry->d_name);
}

int image_name_discard(struct store *s, const char *entry, struct error *err)
{
	char path[320];

	snprintf(path, sizeof(path), "images/names/%s", entry);
	return store_discard(s, path, true, err);
}

static void fill_names(struct arena *arena, struct image *image, const struct string_map *names)
{
	image->names = (struct strings){ 0 };
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i].value, image->id) == 0)
			strings_add(arena, &image->names, names->v[i].key);
}

int image_tag(struct arena *arena, struct store *s, const struct image *image, const char *name, struct error *err)
{
	const char *path = arena_printf(arena, "images/names/%s", image_name_encode(arena, name));
	const char *text = arena_printf(arena, "%s %s", image->id, name);

	if (strlen(text) >= LINK_MAX)
		return error_set(err, ERROR_INVALID, "the image name %.60s... is too long", name);
	return store_link(s, text, path, err);
}

int image_unknown(const char *name, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "%s: image not known", name);
	return error_code(err, "no-such-image");
}

int image_untag(struct store *s, const char *name, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *path = arena_printf(arena, "images/names/%s", image_name_encode(arena, name));

	if (unlinkat(s->root_fd, path, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return image_unknown(name, err);
	return error_errno(err, "remove the name %s", name);
}

/* --- records */

static int check_record(const struct image *image, const char *id, struct error *err)
{
	if (strcmp(image->id, id) != 0)
		return error_set(err, ERROR_INVALID, "it names the image %s", image->id);
	if ((image->list ? !image->manifest_digest : !digest_is_valid(image->config_digest)) ||
	    (image->manifest_digest && !digest_is_valid(image->manifest_digest)))
		return error_set(err, ERROR_INVALID, "it has a malformed digest");
	for (size_t i = 0; i < image->layers.n; i++)
		if (!digest_is_valid(image->layers.v[i]))
			return error_set(err, ERROR_INVALID, "it has a malformed chain ID");
	return 0;
}

static int read_record(struct arena *arena, const struct store *s, const char *id, struct image *ret,
		       struct error *err)
{
	char path[128];
	size_t n;
	char *text;

	snprintf(path, sizeof(path), "images/%.64s.json", id);
	text = fd_read_file(arena, s->root_fd, path, RECORD_MAX, &n);
	if (!text && errno == ENOENT)
		return image_unknown(id, err);
	if (!text)
		return error_errno(err, "read %s/%s", s->path, path);
	*ret = (struct image){ 0 };
	if (json_decode(arena, &image_shape, ret, text, n, path, err) == 0 && check_record(ret, id, err) == 0)
		return 0;
	if (err)
		err->kind = ERROR_INVALID;
	error_frame(err, "the record of image %.12s is damaged", id);
	return error_hint(err, "mend it with `bryo system check --repair`, or remove it with `bryo rmi --force %.12s`", id);
}

int image_read(struct arena *arena, const struct store *s, const char *id, struct image *ret, struct error *err)
{
	struct string_map names;

	if (read_record(arena, s, id, ret, err) < 0 || image_names(arena, s, &names, err) < 0)
		return -1;
	fill_names(arena, ret, &names);
	return 0;
}

static int compare_images(const void *a, const void *b)
{
	const struct image *x = a, *y = b;
	int order = strcmp(y->created ? y->created : "", x->created ? x->created : "");

	return order ? order : strcmp(x->id, y->id);
}

int image_ids(struct arena *arena, const struct store *s, struct strings *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "images");
	struct dirent *entry;

	*ret = (struct strings){ 0 };
	if (!dir)
		return error_errno(err, "open %s/images", s->path);
	while ((entry = fd_next_entry(dir))) {
		char *id = str_ends(entry->d_name, ".json") ?
			arena_strndup(arena, entry->d_name, strlen(entry->d_name) - strlen(".json")) : NULL;

		if (id && is_id(id))
			strings_add(arena, ret, id);
	}
	return errno ? error_errno(err, "list %s/images", s->path) : 0;
}

int image_list(struct arena *arena, const struct store *s, struct images *ret, struct error *err)
{
	struct string_map names;
	struct strings ids;

	*ret = (struct images){ 0 };
	if (image_ids(arena, s, &ids, err) < 0 || image_names(arena, s, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct error why = { 0 };
		struct image image;

		if (read_record(arena, s, ids.v[i], &image, &why) == 0) {
			fill_names(arena, &image, &names);
			*ARRAY_ADD(arena, ret) = image;
		} else if (!error_is(&why, ERROR_NOT_FOUND)) {
			strings_add(arena, &ret->broken, ids.v[i]);
		}
	}
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_images);
	return 0;
}

/* --- recording and removing */

static int check_complete(const struct store *s, const struct image *image, struct error *err)
{
	if (!image->id || !is_id(image->id) || !(image->list ? image->manifest_digest : image->config_digest))
		return error_set(err, ERROR_INVALID, "an image needs an id and the digest of its configuration");
	if (!image->list && !blob_exists(s, image->config_digest))
		return error_set(err, ERROR_STATE, "the configuration %s is not in the store", image->config_digest);
	if (image->manifest_digest && !blob_exists(s, image->manifest_digest))
		return error_set(err, ERROR_STATE, "the manifest %s is not in the store", image->manifest_digest);
	for (size_t i = 0; i < image->layers.n; i++)
		if (!layer_exists(s, image->layers.v[i]))
			return error_set(err, ERROR_STATE, "the layer %s is not in the store", image->layers.v[i]);
	return 0;
}

/* The digests that the image was known by stay known. */
static struct strings merged_digests(struct arena *arena, const struct store *s, const struct image *image)
{
	struct strings digests = { 0 };
	struct image old;

	if (read_record(arena, s, image->id, &old, &(struct error){ 0 }) == 0)
		strings_add_all(arena, &digests, &old.digests);
	for (size_t i = 0; i < image->digests.n; i++)
		if (!strings_has(&digests, image->digests.v[i]))
			strings_add(arena, &digests, image->digests.v[i]);
	return digests;
}

/* Blobs that came with new layers are on disk already, and this takes no time. */
static int sync_blobs(struct arena *arena, const struct store *s, const struct image *image, struct error *err)
{
	struct strings digests = { 0 };

	image_blobs(arena, s, image, &digests, NULL);
	for (size_t i = 0; i < digests.n; i++) {
		_cleanup_fd_ int fd = blob_open(s, digests.v[i], NULL);

		if (fd >= 0 && fsync(fd) < 0)
			return error_errno(err, "write blob %s to disk", digests.v[i]);
	}
	return fsync(s->blobs_fd) < 0 ? error_errno(err, "write %s/blobs to disk", s->path) : 0;
}

int image_commit(struct arena *arena, struct store *s, const struct image *image, const char *name, char **ret_old,
		 struct error *err)
{
	_cleanup_fd_ int lock = store_lock(s, LOCK_SHARED, true, err);
	struct image record = *image;
	const char *text;
	char path[128];

	if (ret_old)
		*ret_old = NULL;
	if (lock < 0 || check_complete(s, image, err) < 0 || sync_blobs(arena, s, image, err) < 0)
		return -1;
	record.digests = merged_digests(arena, s, image);
	text = json_print(arena, json_encode(arena, &image_shape, &record), 0);
	snprintf(path, sizeof(path), "images/%s.json", image->id);
	if (store_write(s, path, text, strlen(text), true, err) < 0)
		return -1;
	if (!name)
		return 0;
	if (ret_old)
		*ret_old = image_name_lookup(arena, s, name);
	return image_tag(arena, s, image, name, err);
}

static void add_once(struct arena *arena, struct strings *list, const char *s)
{
	if (s && !strings_has(list, s))
		strings_add(arena, list, s);
}

/* Of "repository@digest" as pulled by: the digest of an index, whose blob may be kept too. */
static void add_pulled_digests(struct arena *arena, const struct image *image, struct strings *ret)
{
	for (size_t i = 0; i < image->digests.n; i++) {
		const char *at = strrchr(image->digests.v[i], '@');

		add_once(arena, ret, at ? at + 1 : NULL);
	}
}

char *image_repository(struct arena *arena, const struct image *image)
{
	for (size_t i = 0; i < image->digests.n; i++) {
		const char *at = strrchr(image->digests.v[i], '@');

		if (at && str_eq(at + 1, image->manifest_digest))
			return arena_strndup(arena, image->digests.v[i], (size_t)(at - image->digests.v[i]));
	}
	return NULL;
}

struct named { enum manifest_kind kind; struct image_manifest manifest; struct image_index index; };

static int read_manifest(struct arena *arena, const struct store *s, const char *digest, struct named *ret,
			 struct error *err)
{
	size_t n;
	char *text = blob_read(arena, s, digest, IMAGE_MANIFEST_MAX, &n, err);

	if (!text)
		return -1;
	return image_manifest_decode(arena, text, n, NULL, &ret->kind, &ret->manifest, &ret->index, err);
}

static void add_named(struct arena *arena, const struct image_manifest *manifest, struct strings *ret)
{
	add_once(arena, ret, manifest->config.digest);
	for (size_t i = 0; i < manifest->layers.n; i++)
		add_once(arena, ret, manifest->layers.v[i].digest);
}

/* What a list names is needed as far as it is here. */
static void add_entries(struct arena *arena, const struct store *s, const struct image_index *index, struct strings *ret)
{
	for (size_t i = 0; i < index->manifests.n; i++) {
		const char *digest = index->manifests.v[i].digest;
		struct named n = { 0 };

		if (!blob_exists(s, digest))
			continue;
		add_once(arena, ret, digest);
		if (read_manifest(arena, s, digest, &n, NULL) == 0 && n.kind == MANIFEST_IMAGE)
			add_named(arena, &n.manifest, ret);
	}
}

int image_blobs(struct arena *arena, const struct store *s, const struct image *image, struct strings *ret,
		struct error *err)
{
	struct named n = { 0 };

	add_once(arena, ret, image->config_digest);
	add_pulled_digests(arena, image, ret);
	if (!image->manifest_digest)
		return 0;
	add_once(arena, ret, image->manifest_digest);
	if (read_manifest(arena, s, image->manifest_digest, &n, err) < 0)
		return error_frame(err, "the manifest of image %.12s", image->id);
	if (n.kind == MANIFEST_INDEX)
		add_entries(arena, s, &n.index, ret);
	else
		add_named(arena, &n.manifest, ret);
	return 0;
}

static int remove_names_of(struct arena *arena, struct store *s, const char *id, struct error *err)
{
	struct string_map names;

	if (image_names(arena, s, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (strcmp(names.v[i].value, id) == 0 && image_untag(s, names.v[i].key, err) < 0 &&
		    !error_is(err, ERROR_NOT_FOUND))
			return -1;
	return 0;
}

int image_remove_broken(struct arena *arena, struct store *s, const char *id, struct strings *ret_removed,
			struct error *err)
{
	char path[128];

	if (remove_names_of(arena, s, id, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "images/%.64s.json", id);
	if (unlinkat(s->root_fd, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove %s/%s", s->path, path);
	return store_sweep(arena, s, ret_removed, err);
}

int image_remove(struct arena *arena, struct store *s, const struct image *image, struct strings *ret_removed,
		 struct error *err)
{
	return image_remove_broken(arena, s, image->id, ret_removed, err);
}
