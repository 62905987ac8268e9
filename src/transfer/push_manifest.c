#include "transfer/push.h"

#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/exchange.h"

static char *read_blob(struct work *w, const char *digest, size_t limit, size_t *ret_size, struct error *err)
{
	_cleanup_fd_ int fd = sink_open_blob(&w->places, digest);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0) {
		error_errno(err, "open the blob %s", digest);
		return NULL;
	}
	if ((size_t)st.st_size > limit) {
		error_set(err, ERROR_INVALID, "the blob %s is too long", digest);
		return NULL;
	}
	text = arena_alloc(w->arena, (size_t)st.st_size + 1);
	*ret_size = (size_t)st.st_size;
	if (fd_read_all(fd, text, *ret_size) == (ssize_t)st.st_size)
		return text;
	error_errno(err, "read the blob %s", digest);
	return NULL;
}

/* What a power failure left of it must not be passed on. */
static int check(const char *text, size_t size, const char *digest, struct error *err)
{
	char own[DIGEST_TEXT_MAX];

	if (hash_bytes(text, size, digest, own, err) < 0)
		return -1;
	if (str_eq(own, digest))
		return 0;
	error_set(err, ERROR_INVALID, "the store's copy of %s is damaged", digest);
	return error_hint(err, "pull or load the image again");
}

int push_read_image(struct work *w, const char *digest, struct push_image *ret, struct error *err)
{
	struct image_index index = { 0 };
	enum manifest_kind kind;
	size_t size;
	char *config;

	*ret = (struct push_image){ 0 };
	if (!digest || !digest_is_valid(digest))
		return error_set(err, ERROR_USAGE, "the request to push names no manifest");
	ret->text = read_blob(w, digest, IMAGE_MANIFEST_MAX, &ret->size, err);
	if (!ret->text || check(ret->text, ret->size, digest, err) < 0 ||
	    image_manifest_decode(w->arena, ret->text, ret->size, NULL, &kind, &ret->manifest, &index, err) < 0)
		return -1;
	if (kind == MANIFEST_INDEX)
		return error_set(err, ERROR_USAGE, "%s is a list of images", digest);
	ret->media_type = ret->manifest.media_type ? ret->manifest.media_type : "application/vnd.oci.image.manifest.v1+json";
	config = read_blob(w, ret->manifest.config.digest, IMAGE_CONFIG_MAX, &size, err);
	if (!config || check(config, size, ret->manifest.config.digest, err) < 0 ||
	    image_config_decode(w->arena, config, size, &ret->config, err) < 0)
		return -1;
	if (ret->config.rootfs.diff_ids.n != ret->manifest.layers.n)
		return error_set(err, ERROR_INVALID, "the manifest has %zu layers, the configuration %zu diff IDs",
				 ret->manifest.layers.n, ret->config.rootfs.diff_ids.n);
	return hash_chain_ids(w->arena, &ret->config.rootfs.diff_ids, &ret->chain_ids, err);
}

/* --- sending */

static int judge(const struct exchange *x, const char *what, const char *digest, int tries, struct error *err)
{
	if (x->error.kind || x->status / 100 != 2) {
		if (exchange_pause(x, tries))
			return 1;
		exchange_failure(x, what, err);
		if (!x->error.kind && (x->status == 400 || x->status == 415))
			err->kind = ERROR_UNSUPPORTED;
		return -1;
	}
	if (x->content_digest && !str_eq(x->content_digest, digest))
		return error_set(err, ERROR_INVALID, "%s: the registry says that it got %s, sent was %s", what,
				 registry_printable(x->arena, x->content_digest, strlen(x->content_digest)), digest);
	return 0;
}

/* 1: once more. */
static int put_once(struct registry *r, const char *path, const struct image_descriptor *d, const char *text,
		    const char *what, int tries, struct error *err)
{
	const struct exchange_body body = { .data = text, .size = d->size };
	struct exchange x;
	int result;

	exchange_init(&x, r);
	x.method = "PUT";
	x.path = path;
	x.send = &body;
	x.send_type = d->media_type;
	exchange_run(&x);
	result = judge(&x, what, d->digest, tries, err);
	exchange_done(&x);
	return result;
}

int push_manifest(struct work *w, struct registry *r, const char *text, size_t size, const char *media_type,
		  const char *reference, struct image_descriptor *ret, struct error *err)
{
	const struct transfer_event writing = { .event = (char *)(uintptr_t)"progress",
						.status = (char *)(uintptr_t)"Writing manifest to image destination" };
	char digest[DIGEST_TEXT_MAX], *path, *what;
	int result, tries = 0;

	if (hash_bytes(text, size, NULL, digest, err) < 0)
		return -1;
	*ret = (struct image_descriptor){ .media_type = arena_strdup(w->arena, media_type),
					  .digest = arena_strdup(w->arena, digest), .size = (int64_t)size };
	reference = reference ? reference : ret->digest;
	path = arena_printf(w->arena, "/v2/%s/manifests/%s", r->path, reference);
	what = arena_printf(w->arena, "manifest %s of %s/%s", reference, r->shown_host, r->path);
	channel_send(w->channel, &writing);
	do
		result = put_once(r, path, ret, text, what, ++tries, err);
	while (result > 0);
	return result;
}
