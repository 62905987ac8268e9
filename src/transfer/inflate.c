#include "transfer/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transfer/codec.h"

enum inflate_kind inflate_sniff(const void *p, size_t n)
{
	const unsigned char *b = p;

	if (n >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return INFLATE_GZIP;
	if (n >= 4 && ((b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd) ||
		       ((b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)))
		return INFLATE_ZSTD;
	if (n >= 6 && memcmp(b, "\xfd" "7zXZ\0", 6) == 0)
		return INFLATE_XZ;
	if (n >= 4 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9')
		return INFLATE_BZIP2;
	return INFLATE_PLAIN;
}

const char *inflate_kind_name(enum inflate_kind kind)
{
	static const char *const names[] = { "plain", "gzip", "zstd", "xz", "bzip2" };

	return names[kind];
}

static const struct codec *codec_of(enum inflate_kind kind)
{
	switch (kind) {
	case INFLATE_GZIP:	return &codec_gzip;
	case INFLATE_ZSTD:	return &codec_zstd;
	case INFLATE_XZ:
	case INFLATE_BZIP2:	return &codec_archive;
	default:		return &codec_plain;
	}
}

int codec_fill(struct inflate *in, struct error *err)
{
	ssize_t n;

	if (in->left)
		return 1;
	if (in->end || !in->block) {
		in->end = true;
		return 0;
	}
	do
		n = read(in->fd, in->block, CODEC_BLOCK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "read packed data");
	in->end = n == 0;
	in->next = in->block;
	in->left = (size_t)n;
	return n > 0;
}

void codec_eat(struct inflate *in, size_t n)
{
	in->next += n;
	in->left -= n;
	in->consumed += n;
}

int codec_skip_zeros(struct inflate *in, struct error *err)
{
	int more;

	while ((more = codec_fill(in, err)) > 0) {
		size_t n = 0;

		while (n < in->left && in->next[n] == 0)
			n++;
		codec_eat(in, n);
		if (in->left)
			return 1;
	}
	return more;
}

/* The first bytes decide the codec; a pipe may give them one by one. */
static int begin(struct inflate *in, struct error *err)
{
	while (in->block && in->left < 6 && !in->end) {
		ssize_t n = read(in->fd, in->block + in->left, CODEC_BLOCK - in->left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "read packed data");
		in->end = n == 0;
		in->left += (size_t)n;
	}
	in->kind = inflate_sniff(in->next, in->left);
	in->codec = codec_of(in->kind);
	if (in->codec->open && !(in->state = in->codec->open()))
		return error_errno(err, "start the %s decoder", inflate_kind_name(in->kind));
	return 0;
}

struct inflate *inflate_open(int fd, struct error *err)
{
	struct inflate *in = calloc(1, sizeof(*in));

	if (!in || !(in->block = malloc(CODEC_BLOCK))) {
		error_errno(err, "allocate a read buffer");
		free(in);
		return NULL;
	}
	in->fd = fd;
	in->next = in->block;
	if (begin(in, err) < 0) {
		inflate_close(in);
		return NULL;
	}
	return in;
}

struct inflate *inflate_open_memory(const void *p, size_t n, struct error *err)
{
	struct inflate *in = calloc(1, sizeof(*in));

	if (!in) {
		error_errno(err, "allocate a decoder");
		return NULL;
	}
	in->fd = -1;
	in->next = p;
	in->left = n;
	if (begin(in, err) < 0) {
		inflate_close(in);
		return NULL;
	}
	return in;
}

void inflate_close(struct inflate *in)
{
	if (!in)
		return;
	if (in->state)
		in->codec->close(in->state);
	free(in->block);
	free(in);
}

ssize_t inflate_read(struct inflate *in, void *p, size_t n, struct error *err)
{
	ssize_t got;

	if (in->failed)
		return error_set(err, ERROR_INVALID, "the packed data is damaged");
	got = in->codec->read(in, in->state, p, n, err);
	in->failed = got < 0;
	return got;
}

ssize_t inflate_next(struct inflate *in, void *p, size_t n, const void **ret, struct error *err)
{
	ssize_t got;

	*ret = p;
	if (!in->codec->next)
		return inflate_read(in, p, n, err);
	if (in->failed)
		return error_set(err, ERROR_INVALID, "the packed data is damaged");
	got = in->codec->next(in, in->state, ret, err);
	in->failed = got < 0;
	return got;
}

enum inflate_kind inflate_kind(const struct inflate *in)
{
	return in->kind;
}

uint64_t inflate_consumed(const struct inflate *in)
{
	return in->consumed;
}

static ssize_t plain_read(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	int more = codec_fill(in, err);

	if (more <= 0)
		return more;
	if (n > in->left)
		n = in->left;
	memcpy(p, in->next, n);
	codec_eat(in, n);
	return (ssize_t)n;
}

const struct codec codec_plain = { .name = "plain", .read = plain_read };
