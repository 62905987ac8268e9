/* engine/signatures - the signatures of a manifest, from where they lie
 *
 * registries.d says where: a directory or a web server for signatures of simple signing (the lookaside), and whether
 * cosign's lie beside the image in its registry. They are found under the place that the image comes from, a mirror's
 * included. */
#ifndef BRYO_ENGINE_SIGNATURES_H
#define BRYO_ENGINE_SIGNATURES_H

#include "engine/gpg.h"
#include "engine/transfer.h"
#include "spec/lookaside.h"
#include "spec/registries.h"

struct signature_places {
	char *lookaside;	/* the image's URL: "https://host/base/library/busybox" */
	bool attachments;
};

/* The files of registries.d, the user's directory or else the system's. */
int signatures_config(struct engine *e, struct transfer *t, struct lookaside *ret, struct error *err);
int signatures_places(struct engine *e, struct transfer *t, const struct registry_source *from,
		      struct signature_places *ret, struct error *err);
/* Where they are written: the staging place when there is one. */
int signatures_staging(struct engine *e, struct transfer *t, const struct registry_source *to, char **ret_url,
		       struct error *err);
/* Messages of simple signing, unchecked. */
struct signature_list { struct gpg_bytes *v; size_t n; };
int signatures_lookaside(struct engine *e, const char *url, const char *digest, struct signature_list *ret,
			 struct error *err);
int signatures_in(struct engine *e, const char *directory, struct signature_list *ret, struct error *err);
/* cosign's, checked against the public keys (PEM) by bryo-transfer: see struct transfer_signature. */
int signatures_attached(struct engine *e, struct transfer *t, const struct transfer_source *source, const char *digest,
			const struct strings *keys, struct transfer_event *ret, struct error *err);

#endif
