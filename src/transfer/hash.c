#include "transfer/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hash_init(struct hash *h, const char *like_digest, struct error *err)
{
	bool is_512 = like_digest && str_starts(like_digest, "sha512:");

	h->algorithm = is_512 ? "sha512" : "sha256";
	h->context = EVP_MD_CTX_new();
	if (!h->context || EVP_DigestInit_ex(h->context, is_512 ? EVP_sha512() : EVP_sha256(), NULL) != 1) {
		hash_done(h);
		return error_set(err, ERROR_FAILED, "OpenSSL offers no %s", h->algorithm);
	}
	return 0;
}

void hash_add(struct hash *h, const void *p, size_t n)
{
	if (n)
		EVP_DigestUpdate(h->context, p, n);
}

void hash_final(struct hash *h, char *digest)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *end;

	EVP_DigestFinal_ex(h->context, raw, &n);
	end = stpcpy(digest, h->algorithm);
	*end++ = ':';
	for (unsigned i = 0; i < n; i++, end += 2)
		snprintf(end, 3, "%02x", raw[i]);
	hash_done(h);
}

void hash_restart(struct hash *h)
{
	EVP_DigestInit_ex(h->context, NULL, NULL);
}

void hash_final_raw(struct hash *h, unsigned char *ret)
{
	EVP_DigestFinal_ex(h->context, ret, NULL);
	hash_restart(h);
}

void hash_done(struct hash *h)
{
	EVP_MD_CTX_free(h->context);
	h->context = NULL;
}

int hash_bytes(const void *p, size_t n, const char *like_digest, char *digest, struct error *err)
{
	struct hash h;

	if (hash_init(&h, like_digest, err) < 0)
		return -1;
	hash_add(&h, p, n);
	hash_final(&h, digest);
	return 0;
}

int hash_file(int fd, const char *like_digest, char *digest, struct error *err)
{
	enum { BLOCK = 1 << 17 };
	struct hash h;
	char *block;
	off_t at = 0;
	ssize_t n;

	if (hash_init(&h, like_digest, err) < 0)
		return -1;
	block = malloc(BLOCK);
	while (block && ((n = pread(fd, block, BLOCK, at)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0) {
			hash_add(&h, block, (size_t)n);
			at += n;
		}
	if (!block || n < 0) {
		error_errno(err, "read for a digest");
		free(block);
		hash_done(&h);
		return -1;
	}
	free(block);
	hash_final(&h, digest);
	return 0;
}

char *hash_chain_id(struct arena *arena, const char *parent, const char *diff_id, struct error *err)
{
	char digest[DIGEST_TEXT_MAX], *both;

	if (!parent)
		return arena_strdup(arena, diff_id);
	both = arena_printf(arena, "%s %s", parent, diff_id);
	if (hash_bytes(both, strlen(both), NULL, digest, err) < 0)
		return NULL;
	return arena_strdup(arena, digest);
}

int hash_chain_ids(struct arena *arena, const struct strings *diff_ids, struct strings *ret, struct error *err)
{
	char *chain_id = NULL;

	*ret = (struct strings){ 0 };
	for (size_t i = 0; i < diff_ids->n; i++) {
		chain_id = hash_chain_id(arena, chain_id, diff_ids->v[i], err);
		if (!chain_id)
			return -1;
		strings_add(arena, ret, chain_id);
	}
	return 0;
}
