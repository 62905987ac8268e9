/* transfer/deflate - a stream of plain bytes becomes gzip or zstd
 *
 * The same bytes and level give the same output, always: no times, no names, one thread. */
#ifndef BRYO_TRANSFER_DEFLATE_H
#define BRYO_TRANSFER_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/oci_image.h"

struct deflate;

typedef int deflate_write(void *context, const void *p, size_t n, struct error *err);

/* "gzip", "zstd"; -1 for others. */
int deflate_kind(const char *word, enum layer_compression *ret, struct error *err);
/* level NULL: the usual one of the kind; one that it does not have is an error. */
struct deflate *deflate_open(enum layer_compression kind, const int64_t *level, deflate_write *write, void *context,
			     struct error *err);
/* last: nothing follows, the stream is ended. */
int deflate_add(struct deflate *d, const void *p, size_t n, bool last, struct error *err);
void deflate_close(struct deflate *d);

#endif
