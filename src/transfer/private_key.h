/* transfer/private_key - a private key in PEM and what it signs; the public half checks it (see transfer/public_key) */
#ifndef BRYO_TRANSFER_PRIVATE_KEY_H
#define BRYO_TRANSFER_PRIVATE_KEY_H

#include "base/arena.h"

struct evp_pkey_st;

/* passphrase NULL: the key is not encrypted. NULL with err. Freed by public_key_free. */
struct evp_pkey_st *private_key_read(const char *pem, const char *passphrase, struct error *err);
/* In base64. NULL with err. */
char *private_key_sign(struct arena *arena, struct evp_pkey_st *key, const void *text, size_t n, struct error *err);

#endif
