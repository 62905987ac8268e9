/* transfer/public_key - public keys in PEM and the signatures they check: ECDSA and RSA over SHA-256, Ed25519 */
#ifndef BRYO_TRANSFER_PUBLIC_KEY_H
#define BRYO_TRANSFER_PUBLIC_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct evp_pkey_st;

/* The first public key of the text. NULL with err. */
struct evp_pkey_st *public_key_read(const char *pem, struct error *err);
/* Of a kind that counts, and not a weak one. */
bool public_key_is_usable(const struct evp_pkey_st *key);
bool public_key_verifies(struct evp_pkey_st *key, const void *text, size_t n, const void *signature,
			 size_t signature_n);
void public_key_free(struct evp_pkey_st *key);

#endif
