/* zstd: several frames and skippable ones (as zstd:chunked appends them) are one stream. */
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "transfer/codec.h"

struct zstd {
	ZSTD_DCtx *context;
	size_t pending;		/* 0 between frames */
};

static void zstd_close(void *state)
{
	struct zstd *z = state;

	ZSTD_freeDCtx(z->context);
	free(z);
}

static void *zstd_open(void)
{
	struct zstd *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->context = ZSTD_createDCtx();
	if (!z->context || ZSTD_isError(ZSTD_DCtx_setParameter(z->context, ZSTD_d_windowLogMax, CODEC_WINDOW_LOG_MAX))) {
		zstd_close(z);
		errno = ENOMEM;
		return NULL;
	}
	return z;
}

static ssize_t zstd_read(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	struct zstd *z = state;
	ZSTD_outBuffer out = { p, n, 0 };

	while (out.pos == 0) {
		ZSTD_inBuffer input;
		size_t before = out.pos;
		int more = codec_fill(in, err);

		if (more < 0)
			return -1;
		input = (ZSTD_inBuffer){ in->next, in->left, 0 };
		if (!more && z->pending == 0)
			return 0;
		z->pending = ZSTD_decompressStream(z->context, &out, &input);
		if (ZSTD_isError(z->pending))
			return error_set(err, ERROR_INVALID, "zstd: %s", ZSTD_getErrorName(z->pending));
		codec_eat(in, input.pos);
		if (!more && out.pos == before && z->pending)
			return error_set(err, ERROR_INVALID, "zstd: the data ends too early");
	}
	return (ssize_t)out.pos;
}

const struct codec codec_zstd = { .name = "zstd", .open = zstd_open, .read = zstd_read, .close = zstd_close };
