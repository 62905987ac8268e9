/* transfer/hash - digests over raw bytes (OpenSSL's EVP), in the form "sha256:<hex>" */
#ifndef BRYO_TRANSFER_HASH_H
#define BRYO_TRANSFER_HASH_H

#include <stddef.h>

#include "base/error.h"
#include "spec/oci_image.h"

struct hash {
	struct evp_md_ctx_st *context;
	const char *algorithm;		/* "sha256" or "sha512" */
};

/* The algorithm is that of a valid digest ("sha512:..."); NULL: sha256. */
int hash_init(struct hash *h, const char *like_digest, struct error *err);
void hash_add(struct hash *h, const void *p, size_t n);
/* Ends the calculation and frees what init took; digest has DIGEST_TEXT_MAX bytes. */
void hash_final(struct hash *h, char *digest);
void hash_done(struct hash *h);		/* gives up without a result; legal after hash_final */

/* For many digests in a row: the raw bytes of one (32 of sha256), and the next begins. */
void hash_final_raw(struct hash *h, unsigned char *ret);
void hash_restart(struct hash *h);	/* without a result */

/* One block. */
int hash_bytes(const void *p, size_t n, const char *like_digest, char *digest, struct error *err);
/* A file from its beginning, by pread. */
int hash_file(int fd, const char *like_digest, char *digest, struct error *err);
/* The chain ID of a layer on its parent's chain ID: sha256(parent + " " + diff_id); the lowest one's is its diff ID. */
char *hash_chain_id(struct arena *arena, const char *parent, const char *diff_id, struct error *err);
int hash_chain_ids(struct arena *arena, const struct strings *diff_ids, struct strings *ret, struct error *err);

#endif
