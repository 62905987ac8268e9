/* spec/signed_identity - does the name that a signature claims fit the image that was asked for?
 *
 * The `signedIdentity` of policy.json, see containers-policy.json(5). */
#ifndef BRYO_SPEC_SIGNED_IDENTITY_H
#define BRYO_SPEC_SIGNED_IDENTITY_H

#include "base/json.h"
#include "spec/reference.h"

enum signed_identity_match {
	IDENTITY_REPO_DIGEST_OR_EXACT,	/* what holds when nothing is said */
	IDENTITY_EXACT,
	IDENTITY_REPOSITORY,
	IDENTITY_EXACT_REFERENCE,	/* the signature names `reference`, whatever was asked for */
	IDENTITY_EXACT_REPOSITORY,
	IDENTITY_REMAP,
};

struct signed_identity {
	enum signed_identity_match match;
	struct reference reference;	/* of the two exact ones */
	char *prefix, *signed_prefix;	/* of remap */
};

/* value NULL: the default. Unknown types, unknown, missing and malformed members are errors. */
int signed_identity_decode(struct arena *arena, const struct json *value, const char *where,
			   struct signed_identity *ret, struct error *err);
/* image: what was asked for; NULL when it has no name of a registry (an archive). claimed: the signature's words. When
 * they do not fit, the error says what was claimed. */
int signed_identity_check(struct arena *arena, const struct signed_identity *identity, const struct reference *image,
			  const char *claimed, struct error *err);

#endif
