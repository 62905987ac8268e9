/* transfer/codec - the inside of transfer/inflate: packed input and the decoders that eat it */
#ifndef BRYO_TRANSFER_CODEC_H
#define BRYO_TRANSFER_CODEC_H

#include <stdbool.h>

#include "transfer/inflate.h"

#define CODEC_WINDOW_LOG_MAX 27		/* 128 MiB */

struct codec {
	const char *name;
	void *(*open)(void);		/* NULL: out of memory */
	/* As inflate_read. */
	ssize_t (*read)(struct inflate *in, void *state, void *p, size_t n, struct error *err);
	/* Instead of read: bytes of the codec's own, valid until the next call. */
	ssize_t (*next)(struct inflate *in, void *state, const void **ret, struct error *err);
	void (*close)(void *state);
};

struct inflate {
	const struct codec *codec;
	enum inflate_kind kind;
	void *state;
	int fd;				/* -1: memory */
	unsigned char *block;		/* owned buffer of CODEC_BLOCK bytes; NULL for memory */
	const unsigned char *next;	/* packed bytes not yet eaten */
	size_t left;
	uint64_t consumed;
	bool end;			/* the source has no more */
	bool failed;
};

#define CODEC_BLOCK ((size_t)1 << 17)

extern const struct codec codec_plain, codec_gzip, codec_zstd, codec_archive;

/* Makes at least one packed byte available: 1, or 0 at the end of the source, or -1. */
int codec_fill(struct inflate *in, struct error *err);
void codec_eat(struct inflate *in, size_t n);
/* Swallows zero bytes after a member: 1 when another byte follows, 0 at the end. */
int codec_skip_zeros(struct inflate *in, struct error *err);

#endif
