/* transfer/ranges - parts of one blob, several requests at once and many parts in each
 *
 * What comes is written to a file at its own offsets, so that the file is the blob with holes. Many ranges go into one
 * request; a registry that answers with less (the whole blob, one part, an error) is asked for one at a time, with
 * neighbours joined. One that knows no ranges at all ends it before the blob has come. A cut, 408, 429 and 5xx are
 * tried again from where they stopped. Nothing is verified here: who asked knows what it should be. */
#ifndef BRYO_TRANSFER_RANGES_H
#define BRYO_TRANSFER_RANGES_H

#include "transfer/errand.h"

#define RANGES_PARALLEL 4

struct range { int64_t from, end; };

struct ranges_request {
	const char *digest;
	const struct range *v;			/* in order, apart from each other, none empty */
	size_t n;
	int fd;					/* gets them */
	int64_t bytes_max;			/* of what is worth to be asked for one by one */
	struct progress *progress;
};

struct ranges;

/* Everything of the request but the ranges and the name must live on. */
struct ranges *ranges_begin(struct arena *arena, struct errands *errands, const struct ranges_request *r);
/* 1: all are there; 0: not yet; -1. */
int ranges_result(const struct ranges *r, struct error *err);
/* Gives up what is under way. */
void ranges_drop(struct ranges *r);

/* Joins neighbours with at most `hole` bytes between them; answers how many are left. */
size_t ranges_join(struct range *v, size_t n, int64_t hole);
int64_t ranges_bytes(const struct range *v, size_t n);

#endif
