#include "transfer/tar_writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

enum { BLOCK = 512 };

struct header {
	char name[TAR_NAME_MAX], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6],
	     version[2], user[32], group[32], device_major[8], device_minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static void put_octal(char *field, size_t n, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%0*llo", (int)n - 1, (unsigned long long)value);
	memcpy(field, digits, n - 1);
}

/* Twelve bytes have eleven octal digits; above that, the number itself behind a marked first byte. */
static void put_size(char *field, uint64_t size)
{
	if (size < 1ULL << 33) {
		put_octal(field, 12, size);
		return;
	}
	memset(field, 0, 12);
	field[0] = (char)0x80;
	for (int i = 0; i < 8; i++)
		field[11 - i] = (char)(size >> 8 * i & 0xff);
}

/* A name that ends with a slash is a directory's. */
static void fill(struct header *h, const char *name, uint64_t size)
{
	bool directory = name[strlen(name) - 1] == '/';
	unsigned sum = 0;

	memset(h, 0, sizeof(*h));
	memcpy(h->name, name, strlen(name));
	put_octal(h->mode, sizeof(h->mode), directory ? 0755 : 0644);
	put_octal(h->uid, sizeof(h->uid), 0);
	put_octal(h->gid, sizeof(h->gid), 0);
	put_size(h->size, size);
	put_octal(h->mtime, sizeof(h->mtime), 0);
	h->type = directory ? '5' : '0';
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((const unsigned char *)h)[i];
	put_octal(h->checksum, 7, sum);
	h->checksum[6] = '\0';
}

static int give_out(struct tar_writer *t, const void *p, size_t n, struct error *err)
{
	if (fd_write_all(t->fd, p, n) == 0)
		return 0;
	return errno == EPIPE ? error_set(err, ERROR_FAILED, "write the archive: its reader has gone") :
				error_errno(err, "write the archive");
}

void tar_writer_init(struct tar_writer *t, int fd)
{
	struct stat st;

	*t = (struct tar_writer){ .fd = fd };
	t->can_seek = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) >= 0;
}

int tar_writer_directory(struct tar_writer *t, const char *name, struct error *err)
{
	struct header h;

	fill(&h, name, 0);
	return give_out(t, &h, sizeof(h), err);
}

int tar_writer_begin(struct tar_writer *t, const char *name, int64_t size, struct error *err)
{
	struct header h;

	if (!*name || strlen(name) > TAR_NAME_MAX || (size < 0 && !t->can_seek))
		return error_set(err, ERROR_FAILED, "the archive cannot have a member %.120s", name);
	memcpy(t->name, name, strlen(name) + 1);
	t->size = size;
	t->written = 0;
	t->header = t->can_seek ? lseek(t->fd, 0, SEEK_CUR) : 0;
	fill(&h, name, size > 0 ? (uint64_t)size : 0);
	return give_out(t, &h, sizeof(h), err);
}

int tar_writer_data(struct tar_writer *t, const void *p, size_t n, struct error *err)
{
	if (t->size >= 0 && (int64_t)n > t->size - t->written)
		return error_set(err, ERROR_INVALID, "it is larger than %lld bytes", (long long)t->size);
	t->written += (int64_t)n;
	return give_out(t, p, n, err);
}

static int tell_size(struct tar_writer *t, struct error *err)
{
	struct header h;
	ssize_t n;

	fill(&h, t->name, (uint64_t)t->written);
	do
		n = pwrite(t->fd, &h, sizeof(h), t->header);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "write the archive");
	return n == sizeof(h) ? 0 : error_set(err, ERROR_FAILED, "write the archive: short write");
}

int tar_writer_end(struct tar_writer *t, struct error *err)
{
	static const char zeros[BLOCK];
	size_t over = (size_t)(t->written % BLOCK);

	if (t->size >= 0 && t->written != t->size)
		return error_set(err, ERROR_INVALID, "it has %lld bytes, expected were %lld", (long long)t->written,
				 (long long)t->size);
	if (t->size < 0 && tell_size(t, err) < 0)
		return -1;
	return over ? give_out(t, zeros, BLOCK - over, err) : 0;
}

int tar_writer_finish(struct tar_writer *t, struct error *err)
{
	static const char zeros[2 * BLOCK];

	return give_out(t, zeros, sizeof(zeros), err);
}
