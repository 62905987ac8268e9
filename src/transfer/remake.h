/* transfer/remake - the tar of a layer, made again from its recipe and the store's objects
 *
 * A stream like any other of transfer/inflate: for who packs, writes or unpacks it. It is what the layer was unpacked
 * from, bit for bit; all who use it compare it with the diff ID, as they would a blob. */
#ifndef BRYO_TRANSFER_REMAKE_H
#define BRYO_TRANSFER_REMAKE_H

#include "transfer/inflate.h"
#include "transfer/sink.h"

/* Has the layer a recipe? chain_id NULL: no. */
bool remake_can(const struct places *places, const char *chain_id);
/* ret_size: of the tar. ERROR_NOT_FOUND without a recipe. */
struct inflate *remake_open(const struct places *places, const char *chain_id, int64_t *ret_size, struct error *err);

#endif
