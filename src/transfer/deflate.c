#include "transfer/deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK ((size_t)1 << 17)
#define GZIP_LEVEL 6
#define ZSTD_LEVEL 3

struct deflate {
	enum layer_compression kind;
	deflate_write *write;
	void *context;
	z_stream gzip;
	ZSTD_CCtx *zstd;
	unsigned char out[BLOCK];
};

int deflate_kind(const char *word, enum layer_compression *ret, struct error *err)
{
	if (strcmp(word, "gzip") == 0)
		*ret = LAYER_GZIP;
	else if (strcmp(word, "zstd") == 0)
		*ret = LAYER_ZSTD;
	else
		return error_set(err, ERROR_USAGE, "unknown compression \"%s\": choose one of gzip, zstd", word);
	return 0;
}

static int begin(struct deflate *d, const int64_t *level, struct error *err)
{
	int64_t least = d->kind == LAYER_GZIP ? 0 : 1, most = d->kind == LAYER_GZIP ? 9 : ZSTD_maxCLevel();
	int chosen = d->kind == LAYER_GZIP ? GZIP_LEVEL : ZSTD_LEVEL;

	if (level && (*level < least || *level > most))
		return error_set(err, ERROR_USAGE, "%s has no level %lld: choose one of %lld to %lld",
				 d->kind == LAYER_GZIP ? "gzip" : "zstd", (long long)*level, (long long)least, (long long)most);
	if (level)
		chosen = (int)*level;
	if (d->kind == LAYER_GZIP && deflateInit2(&d->gzip, chosen, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return error_set(err, ERROR_FAILED, "zlib cannot be started");
	if (d->kind == LAYER_GZIP)
		return 0;
	d->zstd = ZSTD_createCCtx();
	if (!d->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_compressionLevel, chosen)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_checksumFlag, 1)))
		return error_set(err, ERROR_FAILED, "zstd cannot be started");
	return 0;
}

struct deflate *deflate_open(enum layer_compression kind, const int64_t *level, deflate_write *write, void *context,
			     struct error *err)
{
	struct deflate *d = calloc(1, sizeof(*d));

	if (!d) {
		error_errno(err, "allocate a compressor");
		return NULL;
	}
	d->kind = kind;
	d->write = write;
	d->context = context;
	if (begin(d, level, err) == 0)
		return d;
	ZSTD_freeCCtx(d->zstd);
	free(d);
	return NULL;
}

static int add_gzip(struct deflate *d, const void *p, size_t n, bool last, struct error *err)
{
	int code;

	d->gzip.next_in = (Bytef *)(uintptr_t)p;
	d->gzip.avail_in = (uInt)n;
	do {
		d->gzip.next_out = d->out;
		d->gzip.avail_out = BLOCK;
		code = deflate(&d->gzip, last ? Z_FINISH : Z_NO_FLUSH);
		if (code == Z_STREAM_ERROR)
			return error_set(err, ERROR_FAILED, "zlib gave up");
		if (d->write(d->context, d->out, BLOCK - d->gzip.avail_out, err) < 0)
			return -1;
	} while (d->gzip.avail_out == 0 || (last && code != Z_STREAM_END));
	return 0;
}

static int add_zstd(struct deflate *d, const void *p, size_t n, bool last, struct error *err)
{
	ZSTD_inBuffer in = { p, n, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { d->out, BLOCK, 0 };

		left = ZSTD_compressStream2(d->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return error_set(err, ERROR_FAILED, "zstd: %s", ZSTD_getErrorName(left));
		if (d->write(d->context, d->out, out.pos, err) < 0)
			return -1;
	} while (in.pos < in.size || (last && left));
	return 0;
}

/* zlib counts in 32 bits: callers give blocks. */
int deflate_add(struct deflate *d, const void *p, size_t n, bool last, struct error *err)
{
	return d->kind == LAYER_GZIP ? add_gzip(d, p, n, last, err) : add_zstd(d, p, n, last, err);
}

void deflate_close(struct deflate *d)
{
	if (!d)
		return;
	if (d->kind == LAYER_GZIP)
		deflateEnd(&d->gzip);
	ZSTD_freeCCtx(d->zstd);
	free(d);
}
