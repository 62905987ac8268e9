/* gzip by zlib, where isa-l is missing. Several members are one stream. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "transfer/codec.h"

struct gzip {
	z_stream stream;
	bool in_member;
};

static void gzip_close(void *state)
{
	struct gzip *z = state;

	inflateEnd(&z->stream);
	free(z);
}

static void *gzip_open(void)
{
	struct gzip *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(&z->stream, 15 + 16) != Z_OK) {
		free(z);
		errno = ENOMEM;
		return NULL;
	}
	return z;
}

/* 1 when a member is begun, 0 at the end of the source. */
static int gzip_begin(struct inflate *in, struct gzip *z, struct error *err)
{
	int more = in->consumed ? codec_skip_zeros(in, err) : codec_fill(in, err);

	if (more <= 0)
		return more;
	inflateReset(&z->stream);
	z->in_member = true;
	return 1;
}

static ssize_t gzip_read(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	struct gzip *z = state;
	uInt room = n > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)n;

	for (;;) {
		int more, code;
		size_t got;

		if (!z->in_member && (more = gzip_begin(in, z, err)) <= 0)
			return more;
		if ((more = codec_fill(in, err)) < 0)
			return -1;
		z->stream.next_in = (Bytef *)(uintptr_t)in->next;
		z->stream.avail_in = (uInt)in->left;
		z->stream.next_out = p;
		z->stream.avail_out = room;
		code = inflate(&z->stream, Z_NO_FLUSH);
		if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
			return error_set(err, ERROR_INVALID, "gzip: %s",
					 z->stream.msg ? z->stream.msg : "the data is damaged");
		codec_eat(in, in->left - z->stream.avail_in);
		got = room - z->stream.avail_out;
		if (code == Z_STREAM_END)
			z->in_member = false;
		if (got)
			return (ssize_t)got;
		if (!more && z->in_member)
			return error_set(err, ERROR_INVALID, "gzip: the data ends too early");
	}
}

const struct codec codec_gzip = { .name = "gzip", .open = gzip_open, .read = gzip_read, .close = gzip_close };
