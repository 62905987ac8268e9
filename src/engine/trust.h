/* engine/trust - may this image be used? What policy.json demands of it, and whether it fulfils that
 *
 * The policy is --signature-policy, ~/.config/containers/policy.json or /etc/containers/policy.json; where there is
 * none, every image is accepted. An image of a registry is judged by its name before anything is asked for (it may be
 * rejected whatever its signatures), and by its signatures when its manifest is known, before a layer is fetched. What
 * is signed is the manifest, or the index that names it by digest. All requirements must be met, each by at least one
 * signature. */
#ifndef BRYO_ENGINE_TRUST_H
#define BRYO_ENGINE_TRUST_H

#include "engine/transfer.h"
#include "spec/policy.h"
#include "spec/registries.h"

struct trust {
	const char *file;			/* the policy; NULL: there is none */
	const struct policy_scope *scope;	/* NULL: everything is accepted */
	struct reference image;
};

/* The policy and where it lies; *ret_file NULL: there is none. */
int trust_policy(struct engine *e, struct policy *ret, const char **ret_file, struct error *err);
/* Where it lies, alone; NULL: there is none. */
const char *trust_file(struct engine *e);
/* Where `image trust set` writes: the user's own, or the system's for root when he has none of his own. */
const char *trust_own_file(struct engine *e);

int trust_begin(struct engine *e, const struct reference *image, struct trust *ret, struct error *err);
/* from, source: the place that the manifest came from. */
int trust_check(struct engine *e, struct transfer *t, const struct trust *trust, const struct registry_source *from,
		const struct transfer_source *source, const struct transfer_image *found, struct error *err);
/* Images out of files: transport "docker-archive", "oci-archive", "oci", "dir", "tarball"; path NULL when unknown. */
int trust_check_file(struct engine *e, const char *transport, const char *path, struct error *err);

#endif
