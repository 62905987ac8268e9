#include "transfer/private_key.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "spec/base64.h"
#include "transfer/public_key.h"

/* Never asks: there is no terminal here. */
static int give_passphrase(char *buf, int size, int writing, void *context)
{
	const char *passphrase = context;
	size_t n = passphrase ? strlen(passphrase) : 0;

	if (!passphrase || n > (size_t)size)
		return -1;
	memcpy(buf, passphrase, n);
	return (int)n;
}

EVP_PKEY *private_key_read(const char *pem, const char *passphrase, struct error *err)
{
	size_t n = strlen(pem);
	BIO *text = n <= INT_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	EVP_PKEY *key =
		text ? PEM_read_bio_PrivateKey(text, NULL, give_passphrase, (void *)(uintptr_t)passphrase) : NULL;

	BIO_free(text);
	if (!key) {
		error_set(err, ERROR_INVALID, "the private key cannot be read: it is no PEM, or its passphrase is %s",
			  passphrase ? "another" : "needed");
		if (!passphrase)
			error_hint(err, "give the passphrase with --sign-passphrase-file");
	} else if (!public_key_is_usable(key)) {
		error_set(err, ERROR_UNSUPPORTED, "the key is none of ECDSA, Ed25519 and RSA of at least 2048 bits");
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

char *private_key_sign(struct arena *arena, EVP_PKEY *key, const void *text, size_t n, struct error *err)
{
	bool hashes_itself = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = 0;
	unsigned char *signature = NULL;
	bool good = context && EVP_DigestSignInit(context, NULL, hashes_itself ? NULL : EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(context, NULL, &size, text, n) == 1;

	if (good) {
		signature = arena_alloc(arena, size);
		good = EVP_DigestSign(context, signature, &size, text, n) == 1;
	}
	EVP_MD_CTX_free(context);
	if (good)
		return base64_encode(arena, (const char *)signature, size);
	error_set(err, ERROR_FAILED, "the key does not sign");
	return NULL;
}
