/* engine/credentials - user names and passwords of registries: auth.json, Docker's config.json, helper programs
 *
 * Looked for in $REGISTRY_AUTH_FILE or the file that was named, and in no other then; else in
 * $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, ~/.docker/config.json, ~/.dockercfg: the first
 * that knows the repository wins. credential-helpers of registries.conf says in which order the files (together one
 * entry, "containers-auth.json") and helper programs are asked. Secrets never appear in an argument, an error or a log.
 * */
#ifndef BRYO_ENGINE_CREDENTIALS_H
#define BRYO_ENGINE_CREDENTIALS_H

#include "engine/engine.h"
#include "spec/auth.h"

/* 1 found, 0 none, -1. repository: "registry/path" or "registry". */
int credentials_find(struct engine *e, const char *authfile, const char *repository, struct credentials *ret,
		     struct error *err);
int credentials_keep(struct engine *e, const char *authfile, const char *registry, const struct credentials *c,
		     struct error *err);
/* 1 removed, 0 there were none, -1. registry NULL: all. */
int credentials_forget(struct engine *e, const char *authfile, const char *registry, struct error *err);

#endif
