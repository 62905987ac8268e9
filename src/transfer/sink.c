#include "transfer/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/lock.h"

#define CHECKED_MIN ((int64_t)64 << 20)

/* A new locked file in tmp/ for file systems without O_TMPFILE. */
static int open_named(const struct places *places, char *name, size_t size)
{
	char hex[33];

	if (fd_random_hex(hex, 16) < 0)
		return -1;
	snprintf(name, size, "blob-%s", hex);
	return lock_open(places->tmp, name, LOCK_EXCLUSIVE, false);
}

static bool no_tmpfile(int error_number)
{
	return error_number == EOPNOTSUPP || error_number == EISDIR || error_number == EINVAL || error_number == ENOENT;
}

int sink_scratch(const struct places *places)
{
	char name[64];
	int fd = openat(places->tmp, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || !no_tmpfile(errno))
		return fd;
	fd = open_named(places, name, sizeof(name));
	if (fd >= 0)
		unlinkat(places->tmp, name, 0);
	return fd;
}

int sink_open(struct sink *s, const struct places *places, struct error *err)
{
	memset(s, 0, sizeof(*s));
	s->places = places;
	s->fd = openat(places->blobs, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd < 0 && no_tmpfile(errno))
		s->fd = open_named(places, s->name, sizeof(s->name));
	if (s->fd < 0)
		return error_errno(err, "make a file for a blob");
	if (hash_init(&s->hash, NULL, err) < 0) {
		sink_done(s);
		return -1;
	}
	return 0;
}

int sink_check_room(int fd, int64_t size, const char *what, struct error *err)
{
	struct statvfs vfs;

	if (size < CHECKED_MIN || fstatvfs(fd, &vfs) < 0 || (uint64_t)size / vfs.f_frsize <= vfs.f_bavail)
		return 0;
	return error_set(err, ERROR_NO_SPACE, "%s needs %lld bytes, but only %llu are free", what, (long long)size,
			 (unsigned long long)vfs.f_bavail * vfs.f_frsize);
}

int sink_write(struct sink *s, const void *p, size_t n, struct error *err)
{
	if (fd_write_all(s->fd, p, n) < 0)
		return error_errno(err, "write a blob");
	hash_add(&s->hash, p, n);
	s->size += n;
	return 0;
}

void sink_finish(struct sink *s)
{
	if (s->hash.context)
		hash_final(&s->hash, s->digest);
}

static int give_name(struct sink *s, const char *hex, struct error *err)
{
	char path[32];
	int r;

	if (s->name[0])
		r = renameat(s->places->tmp, s->name, s->places->blobs, hex);
	else
		r = linkat(AT_FDCWD, fd_path(s->fd, path), s->places->blobs, hex, AT_SYMLINK_FOLLOW);
	if (r == 0)
		s->name[0] = '\0';
	if (r == 0 || errno == EEXIST)
		return 0;
	return error_errno(err, "name the blob %s", hex);
}

int sink_keep(struct sink *s, const char *digest, int64_t size, struct error *err)
{
	sink_finish(s);
	if (size >= 0 && s->size != (uint64_t)size)
		return error_set(err, ERROR_INVALID, "size does not match: %llu bytes, the descriptor says %lld",
				 (unsigned long long)s->size, (long long)size);
	if (digest && !str_eq(digest, s->digest))
		return error_set(err, ERROR_INVALID, "digest does not match: the content is %s, expected %s", s->digest,
				 digest);
	/* A blob of a wrong size under this name was cut by a power failure: the good one takes its place. */
	if (!sink_has(s->places, s->digest, (int64_t)s->size))
		unlinkat(s->places->blobs, digest_hex(s->digest), 0);
	return give_name(s, digest_hex(s->digest), err);
}

void sink_done(struct sink *s)
{
	hash_done(&s->hash);
	if (s->name[0])
		unlinkat(s->places->tmp, s->name, 0);
	s->name[0] = '\0';
	fd_close(&s->fd);
}

int sink_bytes(const struct places *places, const void *p, size_t n, char *digest, struct error *err)
{
	struct sink s;
	int r;

	if (sink_open(&s, places, err) < 0)
		return -1;
	r = sink_write(&s, p, n, err);
	if (r == 0)
		r = sink_keep(&s, NULL, -1, err);
	if (r == 0 && digest)
		memcpy(digest, s.digest, sizeof(s.digest));
	sink_done(&s);
	return r;
}

bool sink_has(const struct places *places, const char *digest, int64_t size)
{
	struct stat st;

	return str_starts(digest, "sha256:") &&
	       fstatat(places->blobs, digest_hex(digest), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (size < 0 || st.st_size == size);
}

int sink_open_blob(const struct places *places, const char *digest)
{
	struct stat st = { .st_mode = S_IFREG };
	int fd;

	if (!str_starts(digest, "sha256:")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	fd = openat(places->blobs, digest_hex(digest), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		int why = S_ISREG(st.st_mode) ? errno : EINVAL;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}
