/* transfer/challenge - WWW-Authenticate as registries write it (RFC 9110 section 11)
 *
 * Several challenges in one header or in many, schemes in any case, quoted strings with commas and escapes, parameters
 * in any order, schemes that nobody knows: skipped. Pure text in, structures out. */
#ifndef BRYO_TRANSFER_CHALLENGE_H
#define BRYO_TRANSFER_CHALLENGE_H

#include "base/string.h"

enum challenge_scheme { CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *error;
	struct strings scopes;
};

struct challenges { struct challenge *v; size_t n; };

/* Adds the challenges of one header value. */
void challenge_parse(struct arena *arena, const char *value, struct challenges *ret);
/* The one to answer: Bearer before Basic; NULL when there is none that is understood. */
const struct challenge *challenge_choose(const struct challenges *list);

#endif
