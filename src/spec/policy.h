/* spec/policy - policy.json: what an image must satisfy before it is used, see containers-policy.json(5)
 *
 * The reading is strict: an unknown, repeated or malformed member anywhere makes the whole file an error, so that a
 * slip of the pen never opens a door. The text comes in; the file is found and its keys are read by the engine. */
#ifndef BRYO_SPEC_POLICY_H
#define BRYO_SPEC_POLICY_H

#include "spec/signed_identity.h"

enum policy_type { POLICY_ACCEPT, POLICY_REJECT, POLICY_SIGNED_BY, POLICY_SIGSTORE };

struct policy_requirement {
	enum policy_type type;
	struct strings key_paths;	/* files: keyrings, or a public key in PEM */
	struct strings key_data;	/* the same in base64 */
	struct signed_identity identity;
	const char *unsupported;	/* a member that is known and not honoured here: it is never satisfied */
};

struct policy_scope {
	char *name;			/* "" is the transport's default */
	ARRAY(struct policy_requirement) requirements;
};

struct policy_transport {
	char *name;			/* "docker", "docker-archive" ... */
	ARRAY(struct policy_scope) scopes;
};

struct policy {
	struct policy_scope fallback;	/* the global default */
	ARRAY(struct policy_transport) transports;
};

int policy_decode(struct arena *arena, const char *text, size_t len, const char *where, struct policy *ret,
		  struct error *err);
/* What holds for an image that is known by these scopes, the most specific first (see reference_scopes). */
const struct policy_scope *policy_find(const struct policy *policy, const char *transport,
				       const struct strings *scopes);
/* "insecureAcceptAnything", ... */
const char *policy_type_name(enum policy_type type);

#endif
