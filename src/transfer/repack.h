/* transfer/repack - a layer compressed in another way, by a process of its own
 *
 * The process has no network. What it makes is an unnamed file of the parent's, which is gone with its descriptor. The
 * plain bytes must have the layer's diff ID: what is damaged is not compressed once more under a good name. */
#ifndef BRYO_TRANSFER_REPACK_H
#define BRYO_TRANSFER_REPACK_H

#include <sys/types.h>

#include "transfer/work.h"

struct repack_request {
	const char *digest;		/* of the blob */
	const char *chain_id;		/* of a layer whose recipe makes the tar when the blob is not in blobs/; NULL */
	const char *diff_id;
	enum layer_compression kind;
	const int64_t *level;		/* NULL: the usual one */
};

struct repack {
	pid_t pid;			/* 0: none */
	int pipe, fd;			/* fd: what it made */
	char digest[DIGEST_TEXT_MAX];
	int64_t size;
};

int repack_start(struct repack *p, const struct work *w, const struct repack_request *r, struct error *err);
/* 1: made, digest and size are known; 0: not yet, *ret_consumed bytes of the blob are done; -1. */
int repack_read(struct repack *p, int64_t *ret_consumed, struct error *err);
/* Ends the process and closes the file. */
void repack_done(struct repack *p);

#endif
