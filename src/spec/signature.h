/* spec/signature - what a signature of an image says: the payload of simple signing and of cosign
 *
 * {"critical": {"type": ..., "image": {"docker-manifest-digest": ...}, "identity": {"docker-reference": ...}},
 *  "optional": ...}, see containers-signature(5). Only bytes whose signature was verified come here. The reading is
 * strict where a misunderstanding would matter: `critical` has these members and no others. */
#ifndef BRYO_SPEC_SIGNATURE_H
#define BRYO_SPEC_SIGNATURE_H

#include "base/json.h"

enum signature_kind { SIGNATURE_SIMPLE, SIGNATURE_COSIGN };

#define SIGNATURE_MAX ((size_t)4 << 20)		/* bytes of one signature, payload included */

struct signature_claim { char *digest, *reference; };	/* of the manifest; the image's name as it was signed */

int signature_decode(struct arena *arena, const char *text, size_t len, enum signature_kind kind,
		     struct signature_claim *ret, struct error *err);
/* The payload that signs it, of which decode makes the claim again. now 0: it does not say when. */
char *signature_encode(struct arena *arena, enum signature_kind kind, const struct signature_claim *claim,
		       int64_t now);

#endif
