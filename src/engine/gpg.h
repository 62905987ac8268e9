/* engine/gpg - OpenPGP signatures, checked by the program gpgv
 *
 * gpgv knows keyrings and nothing else: no home, no agent, no web of trust. It is given the signature and the keyrings
 * as files in memory, at most ten seconds of the processor, and believed only as far as its machine output goes (see
 * spec/pgp). The signed text is what it wrote, and comes back only with a good verdict. */
#ifndef BRYO_ENGINE_GPG_H
#define BRYO_ENGINE_GPG_H

#include "engine/engine.h"

struct gpg_bytes { char *data; size_t size; };
struct gpg_keyrings { struct gpg_bytes *v; size_t n; };

/* A signed message with its text inside. ERROR_DENIED: not signed by any key of the keyrings; else it could not be
 * checked. */
int gpg_check(struct engine *e, const struct gpg_keyrings *keyrings, const struct gpg_bytes *message, char **ret_text,
	      size_t *ret_size, struct error *err);

#endif
