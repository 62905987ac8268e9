#include "engine/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/signatures.h"
#include "spec/base64.h"
#include "spec/pgp.h"
#include "spec/signature.h"
#include "sys/fd.h"

#define POLICY_MAX ((size_t)4 << 20)
#define KEYS_MAX ((size_t)4 << 20)
#define REASONS_MAX 5
#define SYSTEM_POLICY "/etc/containers/policy.json"

/* --- the policy */

/* What cannot be read is there. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static const char *users_file(struct engine *e)
{
	return arena_printf(e->arena, "%s/containers/policy.json", e->identity.config_dir);
}

const char *trust_own_file(struct engine *e)
{
	const char *own = users_file(e);

	return e->identity.uid == 0 && !is_there(own) ? SYSTEM_POLICY : own;
}

const char *trust_file(struct engine *e)
{
	const char *own = users_file(e);

	if (!str_is_empty(e->options.signature_policy))
		return *e->options.signature_policy == '/' ? e->options.signature_policy :
			arena_printf(e->arena, "%s/%s", e->identity.cwd, e->options.signature_policy);
	return is_there(own) ? own : is_there(SYSTEM_POLICY) ? SYSTEM_POLICY : NULL;
}

int trust_policy(struct engine *e, struct policy *ret, const char **ret_file, struct error *err)
{
	const char *file = trust_file(e);
	size_t size;
	char *text = file ? fd_read_file(e->arena, AT_FDCWD, file, POLICY_MAX, &size) : NULL;

	*ret_file = file;
	if (!file)
		return 0;
	if (!text)
		return error_errno(err, "read the policy %s", file);
	return policy_decode(e->arena, text, size, file, ret, err);
}

static bool has(const struct policy_scope *scope, enum policy_type type)
{
	for (size_t i = 0; i < scope->requirements.n; i++)
		if (scope->requirements.v[i].type == type)
			return true;
	return false;
}

static int rejected(const struct trust *trust, const char *what, struct error *err)
{
	error_set(err, ERROR_DENIED, "%s is rejected by the policy %s", what, trust->file);
	return error_hint(err, "what it accepts: bryo image trust show");
}

static int find_scope(struct engine *e, const char *transport, const struct strings *scopes, struct trust *ret,
		      struct error *err)
{
	struct policy *policy = arena_new_one(e->arena, struct policy);

	*ret = (struct trust){ 0 };
	if (trust_policy(e, policy, &ret->file, err) < 0)
		return -1;
	if (ret->file)
		ret->scope = policy_find(policy, transport, scopes);
	return 0;
}

int trust_begin(struct engine *e, const struct reference *image, struct trust *ret, struct error *err)
{
	struct strings scopes = reference_scopes(e->arena, image);

	if (find_scope(e, "docker", &scopes, ret, err) < 0)
		return -1;
	ret->image = *image;
	if (ret->scope && has(ret->scope, POLICY_REJECT))
		return rejected(ret, reference_print(e->arena, image), err);
	return 0;
}

/* --- what a manifest can show */

struct proof {				/* for one digest: the manifest's, or its index's */
	const char *digest;
	struct signature_list simple;
	struct transfer_event attached;
};

struct hearing {
	struct engine *e;
	const struct trust *trust;
	struct signature_places places;
	struct strings keys;		/* public keys of all sigstoreSigned requirements, in order */
	struct proof proofs[2];
	size_t proofs_n;
	struct strings reasons;		/* why signatures do not count for the requirement in question */
};

static char *read_key(struct engine *e, const char *path, size_t *ret_size, struct error *err)
{
	char *text = fd_read_file(e->arena, AT_FDCWD, path, KEYS_MAX, ret_size);

	if (!text)
		error_errno(err, "read the key %s", path);
	return text;
}

static char *decode_key(struct engine *e, const char *data, size_t *ret_size, struct error *err)
{
	char *text = base64_decode(e->arena, data, ret_size);

	if (!text)
		error_set(err, ERROR_INVALID, "keyData is not base64");
	return text;
}

static int add_public_keys(struct hearing *h, const struct policy_requirement *r, struct error *err)
{
	struct arena *arena = h->e->arena;
	size_t n;

	for (size_t i = 0; i < r->key_paths.n + r->key_data.n; i++) {
		bool is_path = i < r->key_paths.n;
		char *text = is_path ? read_key(h->e, r->key_paths.v[i], &n, err) :
				       decode_key(h->e, r->key_data.v[i - r->key_paths.n], &n, err);

		if (!text)
			return -1;
		strings_add(arena, &h->keys, text);
	}
	return 0;
}

static int add_proof(struct hearing *h, struct transfer *t, const struct transfer_source *source, const char *digest,
		     struct error *err)
{
	const struct policy_scope *scope = h->trust->scope;
	struct proof *p = &h->proofs[h->proofs_n++];

	p->digest = digest;
	if (has(scope, POLICY_SIGNED_BY) &&
	    signatures_lookaside(h->e, h->places.lookaside, digest, &p->simple, err) < 0)
		return -1;
	if (has(scope, POLICY_SIGSTORE) && h->places.attachments && h->keys.n &&
	    signatures_attached(h->e, t, source, digest, &h->keys, &p->attached, err) < 0)
		return -1;
	return 0;
}

/* --- one signature against one requirement */

static void note(struct hearing *h, struct error *reason)
{
	if (!strings_has(&h->reasons, reason->text) && h->reasons.n < REASONS_MAX)
		strings_add(h->e->arena, &h->reasons, reason->text);
	error_clear(reason);
}

static int check_claim(struct hearing *h, const struct policy_requirement *r, const struct proof *p, const char *text,
		       size_t size, enum signature_kind kind, struct error *err)
{
	struct signature_claim claim;

	if (signature_decode(h->e->arena, text, size, kind, &claim, err) < 0)
		return -1;
	if (!str_eq(claim.digest, p->digest))
		return error_set(err, ERROR_DENIED, "the signature is for another manifest: %s", claim.digest);
	return signed_identity_check(h->e->arena, &r->identity, &h->trust->image, claim.reference, err);
}

static int read_keyrings(struct engine *e, const struct policy_requirement *r, struct gpg_keyrings *ret,
			 struct error *err)
{
	for (size_t i = 0; i < r->key_paths.n + r->key_data.n; i++) {
		const char *path = i < r->key_paths.n ? r->key_paths.v[i] : NULL;
		struct gpg_bytes keyring;
		size_t n;
		char *bytes =
			path ? read_key(e, path, &n, err) : decode_key(e, r->key_data.v[i - r->key_paths.n], &n, err);

		keyring.data = bytes ? pgp_keyring(e->arena, bytes, n, &keyring.size, err) : NULL;
		if (!keyring.data)
			return bytes ? error_frame(err, "the key %s", path ? path : "in keyData") : -1;
		*ARRAY_ADD(e->arena, ret) = keyring;
	}
	return 0;
}

/* 1: signed; 0: not, for these reasons; -1: it cannot be found out. */
static int signed_by(struct hearing *h, const struct policy_requirement *r, const struct proof *p, struct error *err)
{
	struct gpg_keyrings keyrings = { 0 };
	struct error reason = { 0 };

	if (p->simple.n && read_keyrings(h->e, r, &keyrings, err) < 0)
		return -1;
	for (size_t i = 0; i < p->simple.n; i++) {
		size_t size;
		char *text;
		int good = gpg_check(h->e, &keyrings, &p->simple.v[i], &text, &size, &reason);

		if (good < 0 && !error_is(&reason, ERROR_DENIED)) {
			if (err)
				*err = reason;
			return -1;
		}
		if (good == 0 && check_claim(h, r, p, text, size, SIGNATURE_SIMPLE, &reason) == 0)
			return 1;
		note(h, &reason);
	}
	return 0;
}

/* Is one of the requirement's keys, which stand from `first` on in the list of all, among those that signed? */
static bool by_its_key(const struct transfer_signature *s, const struct policy_requirement *r, size_t first)
{
	size_t n = r->key_paths.n + r->key_data.n;

	for (size_t i = 0; i < s->keys.n; i++)
		if (s->keys.v[i] >= (int64_t)first && s->keys.v[i] < (int64_t)(first + n))
			return true;
	return false;
}

static int sigstore_signed(struct hearing *h, const struct policy_requirement *r, size_t first, const struct proof *p,
			   struct error *err)
{
	struct error reason = { 0 };

	for (size_t i = 0; i < p->attached.signatures.n; i++) {
		const struct transfer_signature *s = &p->attached.signatures.v[i];
		bool ours = by_its_key(s, r, first);
		size_t size;
		char *text = ours && s->payload ? base64_decode(h->e->arena, s->payload, &size) : NULL;

		if (ours && !text)
			return error_set(err, ERROR_FAILED, "bryo-transfer answers without what was signed");
		if (ours && check_claim(h, r, p, text, size, SIGNATURE_COSIGN, &reason) == 0)
			return 1;
		if (!ours)
			error_set(&reason, ERROR_DENIED, "the signature is by another key");
		note(h, &reason);
	}
	return 0;
}

/* --- the judgement */

static int refuse(struct hearing *h, const struct policy_requirement *r, struct error *err)
{
	const char *name = reference_print(h->e->arena, &h->trust->image), *host = h->trust->image.registry;

	error_set(err, ERROR_DENIED, "%s is not signed as the policy %s demands: %s", name, h->trust->file,
		  h->reasons.n ? strings_join(h->e->arena, &h->reasons, "; ") : "there is no signature");
	if (h->reasons.n)
		return -1;
	if (r->type == POLICY_SIGNED_BY)
		return error_hint(err, "looked for at %s@%s", h->places.lookaside, h->proofs[0].digest);
	if (h->places.attachments)
		return -1;
	return error_hint(err, "signatures beside the image are looked for only where registries.d says so; write into "
			  "~/.config/containers/registries.d/%s.yaml: {docker: {%s: {use-sigstore-attachments: true}}}",
			  host, host);
}

/* first: where its keys begin among all public keys. */
static int meet(struct hearing *h, const struct policy_requirement *r, size_t first, struct error *err)
{
	int met = 0;

	h->reasons = (struct strings){ 0 };
	if (r->unsupported) {
		error_set(err, ERROR_UNSUPPORTED, "the policy %s demands %s of %s, which is not checked here",
			  h->trust->file, r->unsupported, reference_print(h->e->arena, &h->trust->image));
		return error_hint(err, "only signatures by a public key are: keyPath, keyPaths, keyData");
	}
	for (size_t i = 0; i < h->proofs_n && met == 0; i++)
		met = r->type == POLICY_SIGNED_BY ? signed_by(h, r, &h->proofs[i], err) :
						    sigstore_signed(h, r, first, &h->proofs[i], err);
	return met > 0 ? 0 : met < 0 ? -1 : refuse(h, r, err);
}

static int judge(struct hearing *h, struct error *err)
{
	size_t first = 0;

	for (size_t i = 0; i < h->trust->scope->requirements.n; i++) {
		const struct policy_requirement *r = &h->trust->scope->requirements.v[i];

		if (r->type == POLICY_ACCEPT)
			continue;
		if (meet(h, r, first, err) < 0)
			return -1;
		if (r->type == POLICY_SIGSTORE)
			first += r->key_paths.n + r->key_data.n;
	}
	return 0;
}

static int gather(struct hearing *h, struct transfer *t, const struct registry_source *from,
		  const struct transfer_source *source, const struct transfer_image *found, struct error *err)
{
	const struct policy_scope *scope = h->trust->scope;

	if (signatures_places(h->e, t, from, &h->places, err) < 0)
		return -1;
	for (size_t i = 0; i < scope->requirements.n; i++)
		if (scope->requirements.v[i].type == POLICY_SIGSTORE &&
		    add_public_keys(h, &scope->requirements.v[i], err) < 0)
			return -1;
	if (add_proof(h, t, source, found->manifest_digest, err) < 0)
		return -1;
	return found->index_digest && str_starts(found->index_digest, "sha256:") ?
		       add_proof(h, t, source, found->index_digest, err) : 0;
}

int trust_check(struct engine *e, struct transfer *t, const struct trust *trust, const struct registry_source *from,
		const struct transfer_source *source, const struct transfer_image *found, struct error *err)
{
	struct hearing h = { .e = e, .trust = trust };

	if (!trust->scope || (!has(trust->scope, POLICY_SIGNED_BY) && !has(trust->scope, POLICY_SIGSTORE)))
		return 0;
	if (gather(&h, t, from, source, found, err) < 0)
		return error_frame(err, "signatures of %s", reference_print(e->arena, &trust->image));
	return judge(&h, err);
}

/* --- images out of files, which nobody signs */

static struct strings path_scopes(struct engine *e, const char *path)
{
	struct strings list = { 0 };
	char *copy = arena_strdup(e->arena, path), *slash;

	while (copy && *copy) {
		strings_add(e->arena, &list, copy);
		slash = strrchr(copy, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return list;
}

int trust_check_file(struct engine *e, const char *transport, const char *path, struct error *err)
{
	struct strings scopes = path_scopes(e, path);
	struct trust trust;

	if (find_scope(e, transport, &scopes, &trust, err) < 0)
		return -1;
	if (!trust.scope)
		return 0;
	for (size_t i = 0; i < trust.scope->requirements.n; i++)
		if (trust.scope->requirements.v[i].type != POLICY_ACCEPT)
			return rejected(&trust, arena_printf(e->arena, "%s:%s", transport, path ? path : ""), err);
	return 0;
}
