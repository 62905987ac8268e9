/* engine/credential_helper - docker-credential-NAME, the programs that keep credentials elsewhere than in a file
 *
 * The verbs get, store, erase and list, spoken over stdin and stdout as Docker defined them. A helper knows whole
 * registries only. What it says is foreign: it is parsed, and quoted in errors, never trusted. Secrets go through a
 * pipe, never through an argument. */
#ifndef BRYO_ENGINE_CREDENTIAL_HELPER_H
#define BRYO_ENGINE_CREDENTIAL_HELPER_H

#include "engine/engine.h"
#include "spec/auth.h"

/* 1 found, 0 none, -1. repository: "registry/path" or "registry". */
int credential_helper_get(struct engine *e, const char *helper, const char *repository, struct credentials *ret,
			  struct error *err);
int credential_helper_store(struct engine *e, const char *helper, const char *registry, const struct credentials *c,
			    struct error *err);
/* 1 removed, 0 there were none, -1. */
int credential_helper_erase(struct engine *e, const char *helper, const char *registry, struct error *err);
/* Everything the helper keeps. */
int credential_helper_erase_all(struct engine *e, const char *helper, struct error *err);

#endif
