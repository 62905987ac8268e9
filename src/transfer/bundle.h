/* transfer/bundle - the files of an image archive or of an OCI directory, by name, wherever they lie in it
 *
 * An archive is read once from front to back (it may be a pipe): small members stay in memory, large ones become
 * unnamed files that are hashed while they are written and turn into blobs by getting a name. A directory is read
 * through its descriptor: regular files only, no links, nothing outside. */
#ifndef BRYO_TRANSFER_BUNDLE_H
#define BRYO_TRANSFER_BUNDLE_H

#include "transfer/inflate.h"
#include "transfer/work.h"

struct bundle;

struct bundle *bundle_open(struct work *w, int fd, struct error *err);
void bundle_close(struct bundle *b);
bool bundle_has(struct bundle *b, const char *name);
/* A file in memory; ERROR_NOT_FOUND when it is not there. */
char *bundle_read(struct bundle *b, const char *name, size_t limit, size_t *ret_size, struct error *err);
/* Makes the file a blob. What is expected (NULL, -1: nothing) must hold; what it is goes to the ret_s (NULL allowed). */
struct bundle_blob { char digest[DIGEST_TEXT_MAX]; int64_t size; enum inflate_kind kind; };
int bundle_keep(struct bundle *b, const char *name, const char *digest, int64_t size, struct bundle_blob *ret,
		struct error *err);

#endif
