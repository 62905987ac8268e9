/* store/blob - bytes by digest: blobs/sha256/<hex>, written by bryo-transfer, never half */
#ifndef BRYO_STORE_BLOB_H
#define BRYO_STORE_BLOB_H

#include "store/store.h"

bool blob_exists(const struct store *s, const char *digest);
int blob_open(const struct store *s, const char *digest, struct error *err);
/* A small blob (manifest, config) in memory, at most limit bytes. */
char *blob_read(struct arena *arena, const struct store *s, const char *digest, size_t limit, size_t *ret_size,
		struct error *err);
int blob_remove(struct store *s, const char *digest, struct error *err);

#endif
