/* A policy.json, a registries.d document or a signed payload of any text; what is accepted must answer questions. */
#include "spec/policy.h"

#include <stdint.h>
#include <stdlib.h>

#include "spec/lookaside.h"
#include "spec/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_policy(struct arena *arena, const char *text, size_t size, const struct reference *image)
{
	const struct strings scopes = reference_scopes(arena, image);
	const struct policy_scope *scope;
	struct policy policy;
	struct error err = { 0 };

	if (policy_decode(arena, text, size, "fuzz", &policy, &err) < 0)
		return;
	scope = policy_find(&policy, "docker", &scopes);
	for (size_t i = 0; i < scope->requirements.n; i++)
		signed_identity_check(arena, &scope->requirements.v[i].identity, image, "docker.io/library/busybox:1", &err);
	if (scope->requirements.n == 0)
		abort();		/* nothing required would be everything accepted */
}

static void ask_lookaside(struct arena *arena, const char *text, size_t size, const struct reference *image)
{
	const struct strings scopes = reference_scopes(arena, image);
	struct json *document = json_parse(arena, text, size, "fuzz", NULL);
	struct lookaside l = { 0 };

	if (!document || lookaside_add(arena, &l, document, "fuzz", NULL) < 0)
		return;
	lookaside_url(&l, &scopes);
	lookaside_staging(&l, &scopes);
	lookaside_attachments(&l, &scopes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *text = (const char *)data;
	struct signature_claim claim;
	struct reference image;

	if (reference_parse(arena, "docker.io/busybox:1", &image, NULL) < 0)
		abort();
	ask_policy(arena, text, size, &image);
	ask_lookaside(arena, text, size, &image);
	for (enum signature_kind kind = SIGNATURE_SIMPLE; kind <= SIGNATURE_COSIGN; kind++) {
		struct signed_identity any = { .match = IDENTITY_REPOSITORY };

		if (signature_decode(arena, text, size, kind, &claim, NULL) == 0)
			signed_identity_check(arena, &any, &image, claim.reference, NULL);
	}
	return 0;
}
