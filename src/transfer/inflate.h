/* transfer/inflate - one stream of plain bytes out of whatever a file is packed with
 *
 * What the bytes are is found by looking at them (gzip, zstd, xz, bzip2, or none of these: plain), because media types
 * and file names lie. Memory is bounded: windows above 128 MiB are refused. A stream that ends in the middle is an
 * error, and so are bytes after the end that are neither another member nor zeros. gzip is done by isa-l where it was
 * there at build time, else by zlib. */
#ifndef BRYO_TRANSFER_INFLATE_H
#define BRYO_TRANSFER_INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum inflate_kind { INFLATE_PLAIN, INFLATE_GZIP, INFLATE_ZSTD, INFLATE_XZ, INFLATE_BZIP2 };

struct inflate;

/* Reads from the current position of fd (a pipe is fine), which stays the caller's. */
struct inflate *inflate_open(int fd, struct error *err);
/* Reads from memory that outlives the stream. */
struct inflate *inflate_open_memory(const void *p, size_t n, struct error *err);
void inflate_close(struct inflate *in);

/* Fills up to n bytes; 0 only at the end. */
ssize_t inflate_read(struct inflate *in, void *p, size_t n, struct error *err);
/* The same, but where the bytes are elsewhere already they stay there: *ret is p, or valid until the next call. */
ssize_t inflate_next(struct inflate *in, void *p, size_t n, const void **ret, struct error *err);

/* From now on another process decodes, side by side with who reads (by inflate_next only), and hashes the plain bytes. */
int inflate_apart(struct inflate *in, const char *like_digest, struct error *err);
/* Their digest once the end was read; "" before. */
const char *inflate_apart_digest(const struct inflate *in);

enum inflate_kind inflate_kind(const struct inflate *in);
const char *inflate_kind_name(enum inflate_kind kind);
uint64_t inflate_consumed(const struct inflate *in);	/* packed bytes taken from the source so far */

/* What these first bytes (at least 6 where there are that many) begin. */
enum inflate_kind inflate_sniff(const void *p, size_t n);

#endif
