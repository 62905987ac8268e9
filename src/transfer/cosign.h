/* transfer/cosign - where cosign keeps the signatures of a manifest: the artifact's tag, its layers, their annotation
 * */
#ifndef BRYO_TRANSFER_COSIGN_H
#define BRYO_TRANSFER_COSIGN_H

#include "transfer/registry.h"

#define COSIGN_PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define COSIGN_ANNOTATION "dev.cosignproject.cosign/signature"

/* "sha256-<hex>.sig" of "sha256:<hex>" */
char *cosign_tag(struct arena *arena, const char *digest);
/* The artifact of a manifest. 1 found, 0 there is none, -1. */
int cosign_artifact(struct work *w, struct registry *r, const char *digest, struct image_manifest *ret,
		    struct error *err);

#endif
