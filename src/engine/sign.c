#include "engine/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "engine/gpg_sign.h"
#include "engine/signatures.h"
#include "spec/signature.h"
#include "sys/fd.h"

#define KEY_MAX ((size_t)64 << 10)

static char *read_secret(struct engine *e, const char *path, const char *what, struct error *err)
{
	const char *whole = *path == '/' ? path : arena_printf(e->arena, "%s/%s", e->identity.cwd, path);
	size_t size;
	char *text = fd_read_given(e->arena, whole, KEY_MAX, &size);

	if (!text)
		error_errno(err, "read the %s %s", what, path);
	return text;
}

int sign_check(struct engine *e, const struct sign_request *r, struct error *err)
{
	struct gpg_bytes keyring;
	const char *text;

	if (!str_is_empty(r->by) && gpg_sign_find(e, r->by, &keyring, err) < 0)
		return -1;
	if (str_is_empty(r->private_key))
		return 0;
	text = read_secret(e, r->private_key, "private key", err);
	if (!text)
		return -1;
	if (strstr(text, "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----") ||
	    strstr(text, "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----")) {
		error_set(err, ERROR_UNSUPPORTED, "%s: keys in cosign's own encryption cannot be used here",
			  r->private_key);
		return error_hint(err, "a key in PEM can: openssl genpkey -algorithm EC -pkeyopt "
				  "ec_paramgen_curve:P-256 -aes256");
	}
	return strstr(text, "PRIVATE KEY-----") ? 0 :
	       error_set(err, ERROR_INVALID, "%s: it is no private key in PEM", r->private_key);
}

/* --- simple signing */

static int staging_directory(struct engine *e, struct transfer *t, const struct target *target, const char *digest,
			     char **ret, struct error *err)
{
	const struct registry_source to = { .host = target->source.host,
					    .path = target->source.path,
					    .name = arena_printf(e->arena, "%s/%s", target->source.host,
								 target->source.path),
					    .reference = target_reference(target) };
	size_t algorithm = strcspn(digest, ":");
	const char *path;
	char *url;

	if (signatures_staging(e, t, &to, &url, err) < 0)
		return -1;
	path = str_after(url, "file://");
	if (!path) {
		error_set(err, ERROR_UNSUPPORTED, "signatures cannot be written to %s: only to a directory", url);
		return error_hint(err, "set lookaside-staging: file:///DIRECTORY for %s in registries.d",
				  target->name.registry);
	}
	*ret = arena_printf(e->arena, "%s@%.*s=%s", path, (int)algorithm, digest, digest_hex(digest));
	return 0;
}

/* Did this key say the same before? */
static bool is_ours(struct engine *e, const struct gpg_bytes *keyring, const struct gpg_bytes *old,
		    const struct signature_claim *claim)
{
	const struct gpg_keyrings keyrings = { (struct gpg_bytes *)(uintptr_t)keyring, 1 };
	struct signature_claim said;
	size_t size;
	char *text;

	return gpg_check(e, &keyrings, old, &text, &size, NULL) == 0 &&
	       signature_decode(e->arena, text, size, SIGNATURE_SIMPLE, &said, NULL) == 0 &&
	       str_eq(said.digest, claim->digest) && str_eq(said.reference, claim->reference);
}

static int write_signature(struct engine *e, const char *directory, const struct signature_list *old,
			   const struct gpg_bytes *keyring, const struct gpg_bytes *signature,
			   const struct signature_claim *claim, struct error *err)
{
	char *path;
	size_t n = 0;

	while (n < old->n && !is_ours(e, keyring, &old->v[n], claim))
		n++;
	path = arena_printf(e->arena, "%s/signature-%zu", directory, n + 1);
	if (fd_mkdirs(AT_FDCWD, directory, 0755) < 0)
		return error_errno(err, "make %s", directory);
	if (fd_write_file(AT_FDCWD, path, signature->data, signature->size, 0644, true) < 0)
		return error_errno(err, "write %s", path);
	return 0;
}

static int sign_simple(struct engine *e, struct transfer *t, const struct sign_request *r, const struct target *target,
		       const struct signature_claim *claim, struct error *err)
{
	char *text = signature_encode(e->arena, SIGNATURE_SIMPLE, claim, time(NULL)), *directory = NULL;
	struct signature_list old = { 0 };
	struct gpg_bytes keyring, signature;

	if (staging_directory(e, t, target, claim->digest, &directory, err) < 0 ||
	    signatures_in(e, directory, &old, err) < 0 || gpg_sign_find(e, r->by, &keyring, err) < 0 ||
	    gpg_sign(e, r->by, r->passphrase_file, text, &signature, err) < 0)
		return -1;
	return write_signature(e, directory, &old, &keyring, &signature, claim, err);
}

/* --- cosign's format */

static int sign_attached(struct engine *e, struct transfer *t, const struct sign_request *r,
			 const struct target *target, const struct signature_claim *claim, struct error *err)
{
	struct transfer_request request = { .op = "sign",
					    .source = (struct transfer_source *)(uintptr_t)&target->source,
					    .reference = claim->digest };
	struct transfer_event result;
	char *key = read_secret(e, r->private_key, "private key", err), *passphrase = NULL;

	if (!key)
		return -1;
	strings_add(e->arena, &request.keys, key);
	if (!str_is_empty(r->passphrase_file)) {
		passphrase = read_secret(e, r->passphrase_file, "passphrase", err);
		if (!passphrase)
			return -1;
		passphrase[strcspn(passphrase, "\r\n")] = '\0';
		strings_add(e->arena, &request.keys, passphrase);
	}
	/* Without the time: what was signed already is signed. */
	request.document = signature_encode(e->arena, SIGNATURE_COSIGN, claim, 0);
	return transfer_call(e, t, &request, NULL, 0, &result, err);
}

int sign_pushed(struct engine *e, struct transfer *t, const struct sign_request *r, const struct target *target,
		const char *digest, struct error *err)
{
	const struct signature_claim claim = { arena_strdup(e->arena, digest),
					       reference_print(e->arena, &target->name) };

	if (!str_is_empty(r->by) && sign_simple(e, t, r, target, &claim, err) < 0)
		return error_frame(err, "the image was pushed, but not signed");
	if (!str_is_empty(r->private_key) && sign_attached(e, t, r, target, &claim, err) < 0)
		return error_frame(err, "the image was pushed, but not signed");
	return 0;
}
