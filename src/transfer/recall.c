/* The operation `recall`: what images were, out of the blobs alone
 *
 * Every blob that is a whole manifest of one of the wanted configurations gives an image back: digests, layers, chain
 * IDs. So a damaged record of an image can be written anew, and its layers unpacked anew. A blob whose contents are not
 * what its name says counts for nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/found.h"

#define HEX_DIGITS 64

/* Layers are many and large; manifests begin with a brace. */
static bool may_be_manifest(int blobs, const char *name)
{
	_cleanup_fd_ int fd = openat(blobs, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char first;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	       (size_t)st.st_size <= IMAGE_MANIFEST_MAX && read(fd, &first, 1) == 1 && strchr("{ \t\r\n", first);
}

/* A small blob whose contents are what its name says; NULL otherwise. */
static char *read_whole(struct work *w, const char *digest, size_t limit, size_t *ret_size)
{
	char *text = fd_read_file(w->arena, w->places.blobs, digest_hex(digest), limit, ret_size);
	char actual[DIGEST_TEXT_MAX];

	if (!text || hash_bytes(text, *ret_size, digest, actual, NULL) < 0 || strcmp(actual, digest) != 0)
		return NULL;
	return text;
}

static bool is_found(const struct transfer_event *result, const char *config_digest)
{
	for (size_t i = 0; i < result->images.n; i++)
		if (str_eq(result->images.v[i].config_digest, config_digest))
			return true;
	return false;
}

static const char *media_type_of(const struct image_manifest *m)
{
	return str_is_empty(m->media_type) ? "application/vnd.oci.image.manifest.v1+json" : m->media_type;
}

static void look_at(struct work *w, const struct transfer_request *r, const char *name, struct transfer_event *ret)
{
	const char *digest = arena_printf(w->arena, "sha256:%s", name);
	struct transfer_image image = { 0 };
	struct image_manifest m = { 0 };
	struct image_index index = { 0 };
	enum manifest_kind kind;
	size_t size;
	char *text = read_whole(w, digest, IMAGE_MANIFEST_MAX, &size), *config;

	if (!text || image_manifest_decode(w->arena, text, size, NULL, &kind, &m, &index, NULL) < 0 || kind != MANIFEST_IMAGE ||
	    !strings_has(&r->digests, m.config.digest) || is_found(ret, m.config.digest))
		return;
	config = read_whole(w, m.config.digest, IMAGE_CONFIG_MAX, &size);
	if (config && found_image(w, &m, digest, media_type_of(&m), config, size, &image, NULL) == 0)
		*ARRAY_ADD(w->arena, &ret->images) = image;
}

int op_recall(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(w->places.blobs, ".");
	struct dirent *entry;

	if (!dir)
		return error_errno(err, "list the blobs");
	while ((entry = readdir(dir)))
		if (strlen(entry->d_name) == HEX_DIGITS && may_be_manifest(w->places.blobs, entry->d_name))
			look_at(w, r, entry->d_name, ret);
	return 0;
}
