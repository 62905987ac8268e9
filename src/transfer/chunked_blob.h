/* transfer/chunked_blob - blobs of zstd:chunked layers put together from what is here and the ranges that are missing
 *
 * For layers that keep their blob; the others are made of the store's objects (transfer/chunked). Saves the network, not
 * the check: a blob gets its name when the whole has its digest, as one that was fetched whole, and is bit for bit the
 * registry's. Whatever goes wrong (a registry without ranges, a table that lies, a frame that another program packed)
 * leaves the blob to be fetched whole. */
#ifndef BRYO_TRANSFER_CHUNKED_BLOB_H
#define BRYO_TRANSFER_CHUNKED_BLOB_H

#include "transfer/work.h"

/* Before the layers of a request are fetched: those that can be put together are in blobs/ afterwards. -1: a full disk. */
int chunked_blob_prepare(struct work *w, const struct transfer_request *r, struct error *err);

#endif
