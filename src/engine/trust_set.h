/* engine/trust_set - policy.json shown and changed, for `image trust` */
#ifndef BRYO_ENGINE_TRUST_SET_H
#define BRYO_ENGINE_TRUST_SET_H

#include "engine/trust.h"

/* A row a requirement, with Podman's names: transport, name, repo_name, sigstore, type, gpg_id. registry: only what is
 * said of it and below it; NULL: everything. */
int trust_rows(struct engine *e, const char *registry, struct json **ret, struct error *err);
/* The file's text as it is; without a file what holds then. */
int trust_text(struct engine *e, char **ret, struct error *err);

struct trust_set_request {
	char *type;			/* accept reject signedBy sigstoreSigned; NULL: signedBy */
	struct strings keys;		/* files; each becomes a requirement, and all must be met */
	char *scope;			/* "docker.io/library", or "default" */
};
/* Replaces what is demanded of a scope of registries. The file is read again as strictly as for a pull before it
 * counts. */
int trust_set(struct engine *e, const struct trust_set_request *r, struct error *err);

#endif
