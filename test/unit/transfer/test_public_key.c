#include "transfer/public_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static const char text[] = "what is signed";

static void pem_of(EVP_PKEY *key, char *pem, size_t size)
{
	BIO *out = BIO_new(BIO_s_mem());
	int n;

	PEM_write_bio_PUBKEY(out, key);
	n = BIO_read(out, pem, (int)size - 1);
	pem[n > 0 ? n : 0] = '\0';
	BIO_free(out);
}

static size_t sign(EVP_PKEY *key, const EVP_MD *hash, unsigned char *signature, size_t size)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestSignInit(context, NULL, hash, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &size, (const unsigned char *)text, strlen(text)), 1);
	EVP_MD_CTX_free(context);
	return size;
}

static void check(EVP_PKEY *key, const EVP_MD *hash)
{
	unsigned char signature[1024];
	char pem[4096];
	size_t n = sign(key, hash, signature, sizeof(signature));
	struct error err = { 0 };
	EVP_PKEY *public;

	pem_of(key, pem, sizeof(pem));
	public = public_key_read(pem, &err);
	if (!public)
		fail_msg("%s", err.text);
	assert_true(public_key_verifies(public, text, strlen(text), signature, n));
	assert_false(public_key_verifies(public, text, strlen(text) - 1, signature, n));
	assert_false(public_key_verifies(public, text, strlen(text), signature, n - 1));
	assert_false(public_key_verifies(public, text, strlen(text), signature, 0));
	signature[n / 2] ^= 1;
	assert_false(public_key_verifies(public, text, strlen(text), signature, n));
	public_key_free(public);
	EVP_PKEY_free(key);
}

static void good_keys(void **state)
{
	check(EVP_EC_gen("P-256"), EVP_sha256());
	check(EVP_EC_gen("P-384"), EVP_sha256());
	check(EVP_RSA_gen(2048), EVP_sha256());
	check(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
}

/* A signature over another hash is no signature here. */
static void another_hash(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char signature[1024];
	size_t n = sign(key, EVP_sha512(), signature, sizeof(signature));

	assert_false(public_key_verifies(key, text, strlen(text), signature, n));
	EVP_PKEY_free(key);
}

static void bad_keys(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024), *other = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	struct error err = { 0 };
	char pem[4096];

	assert_null(public_key_read("", &err));
	assert_null(public_key_read("-----BEGIN PUBLIC KEY-----\naGk=\n-----END PUBLIC KEY-----\n", &err));
	assert_non_null(strstr(err.text, "no public key in PEM"));
	error_clear(&err);
	pem_of(weak, pem, sizeof(pem));
	assert_null(public_key_read(pem, &err));
	assert_non_null(strstr(err.text, "at least 2048 bits"));
	pem_of(other, pem, sizeof(pem));
	assert_null(public_key_read(pem, &err));
	EVP_PKEY_free(weak);
	EVP_PKEY_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_keys), cmocka_unit_test(another_hash), cmocka_unit_test(bad_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
