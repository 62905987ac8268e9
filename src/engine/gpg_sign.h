/* engine/gpg_sign - OpenPGP signatures by the user's own keys, made by gpg
 *
 * gpg, its agent and its keys are the user's: his GNUPGHOME, his passphrase prompt. */
#ifndef BRYO_ENGINE_GPG_SIGN_H
#define BRYO_ENGINE_GPG_SIGN_H

#include "engine/gpg.h"

/* Is there a secret key of this name (fingerprint, address ...)? Its public half is in ret_keyring. */
int gpg_sign_find(struct engine *e, const char *key, struct gpg_bytes *ret_keyring, struct error *err);
/* The text inside a signed message. passphrase_file NULL: the agent asks. */
int gpg_sign(struct engine *e, const char *key, const char *passphrase_file, const char *text, struct gpg_bytes *ret,
	     struct error *err);

#endif
