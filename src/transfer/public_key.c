#include "transfer/public_key.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define RSA_BITS_MIN 2048

/* A key of another kind (DSA, X25519 ...) or a weak one is refused here, not taken for a key that signed nothing. */
bool public_key_is_usable(const EVP_PKEY *key)
{
	int kind = EVP_PKEY_get_base_id(key);

	return kind == EVP_PKEY_EC || kind == EVP_PKEY_ED25519 ||
	       (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN);
}

EVP_PKEY *public_key_read(const char *pem, struct error *err)
{
	size_t n = strlen(pem);
	BIO *text = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	EVP_PKEY *key = text ? PEM_read_bio_PUBKEY(text, NULL, NULL, NULL) : NULL;

	BIO_free(text);
	if (!key) {
		error_set(err, ERROR_INVALID, "it is no public key in PEM");
		error_hint(err, "such a key begins with -----BEGIN PUBLIC KEY-----");
	} else if (!public_key_is_usable(key)) {
		error_set(err, ERROR_UNSUPPORTED, "the key is none of ECDSA, Ed25519 and RSA of at least %d bits",
			  RSA_BITS_MIN);
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

bool public_key_verifies(EVP_PKEY *key, const void *text, size_t n, const void *signature, size_t signature_n)
{
	bool hashes_itself = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context &&
		    EVP_DigestVerifyInit(context, NULL, hashes_itself ? NULL : EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, signature_n, text, n) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

void public_key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
}
