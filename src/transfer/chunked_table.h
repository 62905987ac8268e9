/* transfer/chunked_table - the table of contents of a zstd:chunked blob, unpacked */
#ifndef BRYO_TRANSFER_CHUNKED_TABLE_H
#define BRYO_TRANSFER_CHUNKED_TABLE_H

#include "spec/chunked.h"

/* From its t->size packed bytes; t->plain_size must hold. NULL and err. */
char *chunked_table_unpack(struct arena *arena, const void *packed, const struct chunked_table *t, struct error *err);

#endif
