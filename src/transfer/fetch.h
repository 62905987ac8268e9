/* transfer/fetch - blobs from a registry, several at a time, each into blobs/sha256 when it is whole and right
 *
 * A blob grows in tmp/blob-<hex>, locked while a process works on it: a second pull of the same blob waits and finds it
 * done, and what a killed process left is continued. Bytes are hashed as they come; more than the descriptor says ends
 * the transfer at once. A cut, 408, 429 and 5xx are tried again after a pause, from where they stopped. */
#ifndef BRYO_TRANSFER_FETCH_H
#define BRYO_TRANSFER_FETCH_H

#include "transfer/errand.h"

#define FETCH_PARALLEL 6

struct fetch;
struct fetch_blob;

struct fetch *fetch_open(struct work *w, const struct transfer_request *r, struct error *err);
/* What is not whole stays for the next time, or goes. */
void fetch_close(struct fetch *f, bool discard);
/* Begins a blob; the answer belongs to the fetch. */
struct fetch_blob *fetch_add(struct fetch *f, const char *digest, int64_t size, struct progress *progress,
			     struct error *err);
size_t fetch_running(const struct fetch *f);
/* To be moved on, with what else is wanted of the same registry. */
struct errands *fetch_errands(struct fetch *f);
/* 1: in blobs/ now; 0: not yet; -1: failed. After 1 or -1 the blob must not be used any more. */
int fetch_result(struct fetch_blob *b, struct error *err);

#endif
