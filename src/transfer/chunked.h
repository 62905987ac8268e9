/* transfer/chunked - layers of zstd:chunked blobs made of the contents that are here and of what is missing
 *
 * The table of contents says which files a layer has, by their digests: contents that are in objects/, whatever brought
 * them, are not fetched. What is missing comes by ranges, and with the tar-split the layer's plain tar is put together
 * and unpacked as any other (transfer/codec_chunked): so what the layer is says the tar alone, whose digest must be the
 * diff ID. The table must be the one that the manifest names, and can do no more than make the attempt fail. Whatever
 * goes wrong, the blob is fetched whole, as it is where little would be saved. */
#ifndef BRYO_TRANSFER_CHUNKED_H
#define BRYO_TRANSFER_CHUNKED_H

#include "transfer/errand.h"
#include "transfer/inflate.h"

struct chunked;

/* Has the layer a table, and is there something to save? */
bool chunked_is_possible(const struct work *w, const struct transfer_layer *layer);
/* Begins to fetch what is missing. It never fails here. */
struct chunked *chunked_begin(struct work *w, struct errands *errands, const struct transfer_layer *layer,
			      struct progress *progress);
/* After each wait: 1 when all is there, 0 while it is not, -1 when it is not to be. */
int chunked_move_on(struct chunked *c, struct error *err);
/* The plain tar. */
struct inflate *chunked_open(struct chunked *c, struct error *err);
/* Gives up, or lets what was fetched go. NULL is fine. */
void chunked_done(struct chunked *c);

#endif
