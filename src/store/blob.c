#include "store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "sys/fd.h"

/* The file name below blobs/sha256, or NULL: only sha256 is kept. */
static const char *file_name(const char *digest)
{
	return digest && digest_is_valid(digest) && str_starts(digest, "sha256:") ? digest_hex(digest) : NULL;
}

bool blob_exists(const struct store *s, const char *digest)
{
	const char *name = file_name(digest);
	struct stat st;

	return name && fstatat(s->blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int need_name(const char *digest, const char **ret, struct error *err)
{
	*ret = file_name(digest);
	return *ret ? 0 : error_set(err, ERROR_INVALID, "\"%s\" is not a digest of the form sha256:<64 hexadecimal digits>",
				    digest ? digest : "");
}

int blob_open(const struct store *s, const char *digest, struct error *err)
{
	const char *name;
	int fd;

	if (need_name(digest, &name, err) < 0)
		return -1;
	fd = openat(s->blobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "blob %s is not in the store", digest);
	return fd < 0 ? error_errno(err, "open blob %s", digest) : fd;
}

char *blob_read(struct arena *arena, const struct store *s, const char *digest, size_t limit, size_t *ret_size,
		struct error *err)
{
	const char *name;
	char *text;

	if (need_name(digest, &name, err) < 0)
		return NULL;
	text = fd_read_file(arena, s->blobs_fd, name, limit, ret_size);
	if (!text && errno == ENOENT)
		error_set(err, ERROR_NOT_FOUND, "blob %s is not in the store", digest);
	else if (!text)
		error_errno(err, "read blob %s", digest);
	return text;
}

int blob_remove(struct store *s, const char *digest, struct error *err)
{
	const char *name;

	if (need_name(digest, &name, err) < 0)
		return -1;
	if (unlinkat(s->blobs_fd, name, 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove blob %s", digest);
	return 0;
}
