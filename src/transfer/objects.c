#include "transfer/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"

int objects_init(struct objects *o, int dir, struct error *err)
{
	*o = (struct objects){ .dir = dir, .fd = -1 };
	o->memory = malloc(OBJECTS_MEMORY);
	if (!o->memory)
		return error_errno(err, "allocate memory for objects");
	if (hash_init(&o->hash, NULL, err) == 0)
		return 0;
	objects_done(o);
	return -1;
}

void objects_done(struct objects *o)
{
	fd_close(&o->fd);
	hash_done(&o->hash);
	free(o->memory);
	o->memory = NULL;
}

/* --- what is there */

static int hash_rest(struct hash *hash, int fd, unsigned char *digest)
{
	unsigned char block[1 << 16];
	ssize_t n;

	hash_restart(hash);
	while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			hash_add(hash, block, (size_t)n);
	if (n < 0)
		return -1;
	hash_final_raw(hash, digest);
	return 0;
}

/* The digest that an object's attribute gives. */
static bool read_digest(int fd, unsigned char *digest)
{
	return fgetxattr(fd, OBJECT_XATTR, digest, OBJECT_DIGEST_SIZE) == OBJECT_DIGEST_SIZE;
}

/* Attributes get lost when a store is copied by a tool that does not keep them: then the contents tell. */
static bool has_digest(struct hash *hash, int fd, const unsigned char *digest)
{
	unsigned char real[OBJECT_DIGEST_SIZE];

	return (read_digest(fd, real) || hash_rest(hash, fd, real) == 0) && memcmp(real, digest, sizeof(real)) == 0;
}

/* 1 when the object is there and right; 0 when there is none, or was one that a power failure cut. */
static int find(struct objects *o, const char *name, const unsigned char *digest, int64_t size, struct error *err)
{
	_cleanup_fd_ int fd = openat(o->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "open the object %s", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INVALID, "the object %s is no file", name);
	if (st.st_size != size)
		return unlinkat(o->dir, name, 0) < 0 && errno != ENOENT ?
			error_errno(err, "replace the object %s", name) : 0;
	if (has_digest(&o->hash, fd, digest))
		return 1;
	error_set(err, ERROR_INVALID, "the object %s has other contents than its name says", name);
	return error_hint(err, "the store is damaged; bryo system check --repair removes such objects");
}

bool objects_has(int dir, const unsigned char *digest, int64_t size)
{
	char name[OBJECT_NAME_SIZE];
	struct stat st;

	object_name(digest, name);
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size == size;
}

int objects_open(int dir, const unsigned char *digest, int64_t size, struct hash *hash)
{
	char name[OBJECT_NAME_SIZE];
	struct stat st;
	int fd;

	object_name(digest, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == size && has_digest(hash, fd, digest) &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* --- making one */

static int open_unnamed(struct objects *o, struct error *err)
{
	int fd = openat(o->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0444);

	return fd < 0 ? error_errno(err, "make a file for an object") : fd;
}

/* By the descriptor itself, which kernels before 6.10 refuse to unprivileged users, as if it was not there; there by
 * its name in /proc. */
static int link_to(struct objects *o, int fd, const char *name)
{
	char path[32];

	if (!o->by_path && linkat(fd, "", o->dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (!o->by_path && errno != ENOENT)
		return -1;
	if (linkat(AT_FDCWD, fd_path(fd, path), o->dir, name, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	o->by_path = true;
	return 0;
}

static int give_name(struct objects *o, int fd, const char *name)
{
	const char directory[] = { name[0], '\0' };

	if (link_to(o, fd, name) == 0)
		return 0;
	if (errno != ENOENT || (mkdirat(o->dir, directory, 0755) < 0 && errno != EEXIST))
		return -1;
	return link_to(o, fd, name);
}

/* Names an unnamed file. Another process may be making the same object: the first one stays. */
static int keep(struct objects *o, int fd, const char *name, const unsigned char *digest, int64_t size,
		struct error *err)
{
	if (fsetxattr(fd, OBJECT_XATTR, digest, OBJECT_DIGEST_SIZE, 0) < 0)
		return error_errno(err, "set the digest of the object %s", name);
	for (int tries = 0; give_name(o, fd, name) < 0; tries++) {
		int there;

		if (errno != EEXIST || tries == 3)
			return error_errno(err, "name the object %s", name);
		there = find(o, name, digest, size, err);
		if (there < 0)
			return -1;
		if (there) {
			o->found++;
			return 0;
		}
	}
	o->written++;
	return 0;
}

int objects_put(struct objects *o, const void *p, size_t n, unsigned char *digest, struct error *err)
{
	char name[OBJECT_NAME_SIZE];
	_cleanup_fd_ int fd = -1;
	int there;

	hash_restart(&o->hash);
	hash_add(&o->hash, p, n);
	hash_final_raw(&o->hash, digest);
	object_name(digest, name);
	there = find(o, name, digest, (int64_t)n, err);
	if (there) {
		o->found += there > 0;
		return there < 0 ? -1 : 0;
	}
	fd = open_unnamed(o, err);
	if (fd < 0)
		return -1;
	if (fd_write_all(fd, p, n) < 0)
		return error_errno(err, "write the object %s", name);
	return keep(o, fd, name, digest, (int64_t)n, err);
}

/* --- piece by piece */

void objects_begin(struct objects *o)
{
	fd_close(&o->fd);
	o->size = 0;
}

/* From memory to a file. */
static int move_out(struct objects *o, struct error *err)
{
	o->fd = open_unnamed(o, err);
	if (o->fd < 0)
		return -1;
	hash_restart(&o->hash);
	hash_add(&o->hash, o->memory, (size_t)o->size);
	return fd_write_all(o->fd, o->memory, (size_t)o->size) < 0 ? error_errno(err, "write an object") : 0;
}

int objects_add(struct objects *o, const void *p, size_t n, struct error *err)
{
	if (o->fd < 0 && n <= OBJECTS_MEMORY - (size_t)o->size) {
		memcpy(o->memory + o->size, p, n);
		o->size += (int64_t)n;
		return 0;
	}
	if (o->fd < 0 && move_out(o, err) < 0)
		return -1;
	hash_add(&o->hash, p, n);
	o->size += (int64_t)n;
	return fd_write_all(o->fd, p, n) < 0 ? error_errno(err, "write an object") : 0;
}

int objects_add_hole(struct objects *o, int64_t n, struct error *err)
{
	static const unsigned char zeros[1 << 16];

	if (o->fd < 0 && n <= (int64_t)OBJECTS_MEMORY - o->size) {
		memset(o->memory + o->size, 0, (size_t)n);
		o->size += n;
		return 0;
	}
	if (o->fd < 0 && move_out(o, err) < 0)
		return -1;
	o->size += n;
	if (ftruncate(o->fd, o->size) < 0 || lseek(o->fd, o->size, SEEK_SET) < 0)
		return error_errno(err, "write an object");
	for (; n > 0; n -= (int64_t)sizeof(zeros))
		hash_add(&o->hash, zeros, n < (int64_t)sizeof(zeros) ? (size_t)n : sizeof(zeros));
	return 0;
}

int objects_end(struct objects *o, unsigned char *digest, struct error *err)
{
	char name[OBJECT_NAME_SIZE];
	int r;

	if (o->fd < 0)
		return objects_put(o, o->memory, (size_t)o->size, digest, err);
	hash_final_raw(&o->hash, digest);
	object_name(digest, name);
	r = keep(o, o->fd, name, digest, o->size, err);
	fd_close(&o->fd);
	return r;
}

/* --- whole files */

/* What is hashed is what is kept, even when somebody writes to the file meanwhile. */
static int copy_clone(struct objects *o, int fd, unsigned char *digest, int64_t *ret_size, struct error *err)
{
	_cleanup_fd_ int copy = open_unnamed(o, err);
	char name[OBJECT_NAME_SIZE];
	struct stat st;

	if (copy < 0)
		return -1;
	if (ioctl(copy, FICLONE, fd) < 0)
		return 0;
	if (fstat(copy, &st) < 0 || hash_rest(&o->hash, copy, digest) < 0)
		return error_errno(err, "read an object");
	*ret_size = st.st_size;
	object_name(digest, name);
	return keep(o, copy, name, digest, st.st_size, err) < 0 ? -1 : 1;
}

/* Bytes from..to of the file; *from advances, and stands still at the end of a file that became shorter. */
static int copy_data(struct objects *o, int fd, off_t *from, off_t to, struct error *err)
{
	char block[1 << 16];

	while (*from < to) {
		size_t want = to - *from < (off_t)sizeof(block) ? (size_t)(to - *from) : sizeof(block);
		ssize_t n = pread(fd, block, want, *from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "read a file");
		if (n == 0)
			return 0;
		if (objects_add(o, block, (size_t)n, err) < 0)
			return -1;
		*from += n;
	}
	return 0;
}

static int copy_blocks(struct objects *o, int fd, off_t size, struct error *err)
{
	off_t at = 0, hole;

	objects_begin(o);
	while (at < size) {
		off_t data = lseek(fd, at, SEEK_DATA);

		if (data < 0 && errno != ENXIO)
			data = at;
		if (data < 0 || data > size)
			data = size;
		if (data > at && objects_add_hole(o, data - at, err) < 0)
			return -1;
		hole = data < size ? lseek(fd, data, SEEK_HOLE) : size;
		if (hole <= data || hole > size)
			hole = size;
		at = data;
		if (copy_data(o, fd, &at, hole, err) < 0)
			return -1;
		if (at < hole)
			break;
	}
	return 0;
}

int objects_copy(struct objects *o, int fd, unsigned char *digest, int64_t *ret_size, struct error *err)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "look at a file");
	if (st.st_size > (off_t)OBJECTS_MEMORY)
		r = copy_clone(o, fd, digest, ret_size, err);
	if (r)
		return r < 0 ? -1 : 0;
	if (copy_blocks(o, fd, st.st_size, err) < 0)
		return -1;
	*ret_size = o->size;
	if (o->size)
		return objects_end(o, digest, err);
	memset(digest, 0, OBJECT_DIGEST_SIZE);
	return 0;
}

int objects_verify(struct objects *o, const char *name, struct error *err)
{
	_cleanup_fd_ int fd = openat(o->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	unsigned char digest[OBJECT_DIGEST_SIZE], said[OBJECT_DIGEST_SIZE];
	char real_name[OBJECT_NAME_SIZE];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "open the object %s", name);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return 0;
	if (hash_rest(&o->hash, fd, digest) < 0)
		return error_errno(err, "read the object %s", name);
	object_name(digest, real_name);
	return str_eq(name, real_name) && (!read_digest(fd, said) || memcmp(said, digest, sizeof(said)) == 0);
}
