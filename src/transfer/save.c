/* The operation `save`: images out of blobs/ into a docker-archive, an OCI layout (as a tar or a directory) or a plain
 * directory of blobs. Descriptor: a file or pipe that is open for writing, or a directory.
 *
 * The same images in the same order give the same bytes. Everything is checked against its digest once more on the way:
 * what a disk has damaged is not handed on. */
#include "transfer/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "spec/manifest_edit.h"
#include "sys/fd.h"
#include "transfer/found.h"
#include "transfer/inflate.h"
#include "transfer/remake.h"
#include "transfer/repack.h"

enum { BLOCK = 1 << 17 };

/* --- what is to be saved */

static char *read_blob(struct work *w, const char *digest, size_t limit, size_t *ret_size, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct image_descriptor d = { .digest = (char *)(uintptr_t)digest, .size = -1 };
	char *text;

	if (found_is_stored(digest, err) < 0)
		return NULL;
	fd = sink_open_blob(&w->places, digest);
	if (fd < 0) {
		error_errno(err, "open the blob %.19s", digest);
		return NULL;
	}
	text = fd_read_regular(w->arena, fd, limit, ret_size);
	if (!text)
		error_errno(err, "read the blob %.19s", digest);
	else if (found_check(&d, text, *ret_size, err) == 0)
		return text;
	return NULL;
}

static int read_image(struct save *s, const struct transfer_image *asked, struct error *err)
{
	struct save_image image = { .asked = asked };
	struct image_index index;
	enum manifest_kind kind;

	image.manifest = read_blob(s->work, asked->manifest_digest, IMAGE_MANIFEST_MAX, &image.manifest_size, err);
	if (!image.manifest || image_manifest_decode(s->work->arena, image.manifest, image.manifest_size,
						     asked->manifest_media_type, &kind, &image.m, &index, err) < 0)
		return -1;
	if (kind != MANIFEST_IMAGE)
		return error_set(err, ERROR_INVALID, "its manifest is an index");
	image.config = read_blob(s->work, image.m.config.digest, IMAGE_CONFIG_MAX, &image.config_size, err);
	if (!image.config || image_config_decode(s->work->arena, image.config, image.config_size, &image.c, err) < 0)
		return -1;
	if (image.m.layers.n != image.c.rootfs.diff_ids.n)
		return error_set(err, ERROR_INVALID, "its manifest has %zu layers, its configuration %zu diff IDs",
				 image.m.layers.n, image.c.rootfs.diff_ids.n);
	if (hash_chain_ids(s->work->arena, &image.c.rootfs.diff_ids, &image.chain_ids, err) < 0)
		return -1;
	*ARRAY_ADD(s->work->arena, &s->images) = image;
	return 0;
}

static int read_images(struct save *s, struct error *err)
{
	for (size_t i = 0; i < s->request->images.n; i++) {
		const struct transfer_image *asked = &s->request->images.v[i];

		if (read_image(s, asked, err) == 0)
			continue;
		error_frame(err, "image %.12s", asked->id);
		return error_hint(err, "pull or load it again: bryo rmi --force %.12s removes what is left of it", asked->id);
	}
	return s->images.n ? 0 : error_set(err, ERROR_USAGE, "no image is to be saved");
}

/* --- layers */

static int open_layer(struct save *s, const struct image_descriptor *d, struct error *err)
{
	int fd;

	for (size_t i = 0; i < s->repacked.n; i++)
		if (str_eq(s->repacked.v[i].digest, d->digest)) {
			fd = fcntl(s->repacked.v[i].fd, F_DUPFD_CLOEXEC, 3);
			return fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ? error_errno(err, "read a compressed layer") : fd;
		}
	fd = found_is_stored(d->digest, err) < 0 ? -1 : sink_open_blob(&s->work->places, d->digest);

	if (fd >= 0 || (err && err->kind))
		return fd;
	if (errno != ENOENT)
		return error_errno(err, "open the blob of a layer");
	error_set(err, ERROR_NOT_FOUND, "its blob is not in the store any more");
	return error_hint(err, "pull or load the image again");
}

static int layer_failed(const struct image_descriptor *d, struct error *err)
{
	return error_frame(err, "layer %.19s", d->digest);
}

static int pour_stored(struct save *s, int fd, const struct image_descriptor *d, char *block, struct hash *hash,
		       struct error *err)
{
	struct progress progress;
	int64_t done = 0;
	ssize_t n;

	progress_init(&progress, s->work->channel, d->digest, d->size);
	while ((n = read(fd, block, BLOCK)) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		progress_note(&progress, "Saving", done += n);
		hash_add(hash, block, (size_t)n);
		if (bundle_writer_data(&s->out, block, (size_t)n, err) < 0)
			return -1;
	}
	if (n < 0)
		return error_errno(err, "read its blob");
	progress_note(&progress, "Saved", d->size);
	return 0;
}

static int check(struct hash *hash, const char *expected, struct error *err)
{
	char digest[DIGEST_TEXT_MAX];

	hash_final(hash, digest);
	if (str_eq(digest, expected))
		return 0;
	error_set(err, ERROR_INVALID, "digest does not match: the content is %s, expected %s", digest, expected);
	return error_hint(err, "the store's copy is damaged: remove the image and pull or load it again");
}

int save_blob(struct save *s, const char *name, const struct image_descriptor *d, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct hash hash;
	char *block;
	int r;

	if (bundle_writer_has(&s->out, name))
		return 0;
	if (save_recipe_of(s, d))		/* a plain one: the tar is the blob */
		return save_plain(s, name, d, d->digest, err);
	fd = open_layer(s, d, err);
	if (fd < 0 || hash_init(&hash, NULL, err) < 0)
		return layer_failed(d, err);
	block = arena_alloc(s->work->arena, BLOCK);
	r = bundle_writer_begin(&s->out, name, d->size, err);
	if (r == 0)
		r = pour_stored(s, fd, d, block, &hash, err);
	if (r == 0)
		r = check(&hash, d->digest, err);
	if (r == 0)
		r = bundle_writer_end(&s->out, err);
	hash_done(&hash);
	return r < 0 ? layer_failed(d, err) : 0;
}

/* --- layers as tars */

/* Who cannot say the size afterwards must know it before: by unpacking twice, which costs less than a copy on disk. */
static int64_t plain_size(int fd, char *block, struct error *err)
{
	struct inflate *in = inflate_open(fd, err);
	int64_t size = 0;
	ssize_t n = -1;

	while (in && (n = inflate_read(in, block, BLOCK, err)) > 0)
		size += n;
	inflate_close(in);
	if (n < 0)
		return -1;
	return lseek(fd, 0, SEEK_SET) < 0 ? error_errno(err, "read its blob") : size;
}

static int pour_plain(struct save *s, struct inflate *in, const struct image_descriptor *d, char *block,
		      struct hash *hash, struct error *err)
{
	struct progress progress;
	ssize_t n;

	progress_init(&progress, s->work->channel, d->digest, d->size);
	while ((n = inflate_read(in, block, BLOCK, err)) > 0) {
		progress_note(&progress, "Saving", (int64_t)inflate_consumed(in));
		hash_add(hash, block, (size_t)n);
		if (bundle_writer_data(&s->out, block, (size_t)n, err) < 0)
			return -1;
	}
	if (n == 0)
		progress_note(&progress, "Saved", d->size);
	return (int)n;
}

/* fd: of the blob; -1: there is a recipe instead. *ret_size: -1 when it is not known. */
static struct inflate *open_plain(struct save *s, int fd, const struct image_descriptor *d, char *block, int64_t *ret_size,
				  struct error *err)
{
	*ret_size = -1;
	if (fd < 0)
		return remake_open(&s->work->places, save_recipe_of(s, d), ret_size, err);
	if (!bundle_writer_takes_any_size(&s->out) && (*ret_size = plain_size(fd, block, err)) < 0)
		return NULL;
	return inflate_open(fd, err);
}

static int write_plain(struct save *s, int fd, const char *name, const struct image_descriptor *d, struct hash *hash,
		       struct error *err)
{
	char *block = arena_alloc(s->work->arena, BLOCK);
	int64_t size;
	struct inflate *in = open_plain(s, fd, d, block, &size, err);
	int r;

	if (!in)
		return -1;
	r = bundle_writer_begin(&s->out, name, size, err);
	if (r == 0)
		r = pour_plain(s, in, d, block, hash, err);
	inflate_close(in);
	return r;
}

int save_plain(struct save *s, const char *name, const struct image_descriptor *d, const char *diff_id,
	       struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct hash hash;
	int r;

	if (bundle_writer_has(&s->out, name))
		return 0;
	if (!save_recipe_of(s, d) && (fd = open_layer(s, d, err)) < 0)
		return layer_failed(d, err);
	if (hash_init(&hash, NULL, err) < 0)
		return -1;
	r = write_plain(s, fd, name, d, &hash, err);
	if (r == 0)
		r = check(&hash, diff_id, err);
	if (r == 0)
		r = bundle_writer_end(&s->out, err);
	hash_done(&hash);
	return r < 0 ? layer_failed(d, err) : 0;
}

int save_json(struct save *s, const char *name, const struct json *value, struct error *err)
{
	char *text = json_print(s->work->arena, value, 0);

	return bundle_writer_add(&s->out, name, text, strlen(text), err);
}

/* --- manifests */

char *save_blob_name(struct arena *arena, const char *digest)
{
	return arena_printf(arena, "blobs/sha256/%s", digest_hex(digest));
}

static const char *type_of(const struct save_image *image)
{
	return str_is_empty(image->m.media_type) ? image->asked->manifest_media_type : image->m.media_type;
}

bool save_is_docker(const struct save_image *image)
{
	return manifest_is_docker(type_of(image));
}

/* Its own bytes, or what it is when it is told anew. */
static const char *manifest_text(struct save *s, struct save_image *image, bool docker, size_t *ret_size,
				 struct error *err)
{
	char *text;

	if (!image->changed && save_is_docker(image) == docker) {
		*ret_size = image->manifest_size;
		return image->manifest;
	}
	if (manifest_convert(s->work->arena, &image->m, docker, err) < 0)
		return NULL;
	text = manifest_print(s->work->arena, &image->m);
	*ret_size = strlen(text);
	return text;
}

const struct image_descriptor *save_manifest(struct save *s, struct save_image *image, bool docker, const char *name,
					     struct error *err)
{
	char digest[DIGEST_TEXT_MAX];
	struct image_descriptor *d;
	size_t size;
	const char *text = manifest_text(s, image, docker, &size, err);

	if (!text || hash_bytes(text, size, NULL, digest, err) < 0 ||
	    bundle_writer_add(&s->out, name ? name : save_blob_name(s->work->arena, digest), text, size, err) < 0)
		return NULL;
	d = ARRAY_ADD(s->work->arena, &s->manifests);
	d->media_type = arena_strdup(s->work->arena, type_of(image));
	d->digest = arena_strdup(s->work->arena, digest);
	d->size = (int64_t)size;
	return d;
}

/* --- */

static int save_as(struct save *s, const char *format, struct error *err)
{
	if (str_eq(format, "docker-archive"))
		return save_docker(s, err);
	if (str_eq(format, "oci"))
		return save_oci(s, err);
	if (str_eq(format, "dir"))
		return save_dir(s, NULL, err);
	if (str_eq(format, "docker-dir") || str_eq(format, "oci-in-dir"))
		return save_dir(s, &(bool){ str_eq(format, "docker-dir") }, err);
	return error_set(err, ERROR_USAGE, "unknown format %s", format ? format : "(none)");
}

int op_save(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct save s = { .work = w, .request = r };
	int result;

	bundle_writer_init(&s.out, w->arena, w->channel->fds[0]);
	result = read_images(&s, err);
	if (result == 0)
		save_find_missing(&s, ret);
	if (result == 0 && !ret->missing.n)
		result = save_as(&s, r->format, err);
	if (result == 0 && !ret->missing.n)
		result = bundle_writer_finish(&s.out, err);
	bundle_writer_done(&s.out);
	for (size_t i = 0; i < s.repacked.n; i++)
		repack_done(&s.repacked.v[i]);
	for (size_t i = 0; result == 0 && i < s.manifests.n; i++)
		*ARRAY_ADD(w->arena, &ret->manifests) = s.manifests.v[i];
	return result;
}
