/* engine/sign - what is pushed is signed: by a key of gpg's for the lookaside, by a private key beside it in the
 * registry
 *
 * Whether there is the key is found out before anything is sent. A signature that the same key made of the same
 * manifest under the same name before is replaced, or stays; those of others stay. */
#ifndef BRYO_ENGINE_SIGN_H
#define BRYO_ENGINE_SIGN_H

#include "engine/target.h"
#include "engine/transfer.h"

struct sign_request {
	char *by;			/* gpg's name of the key; NULL: no signature */
	char *private_key;		/* file in PEM; NULL: no signature */
	char *passphrase_file;
};

int sign_check(struct engine *e, const struct sign_request *r, struct error *err);
/* digest: of the manifest that is at the target now. */
int sign_pushed(struct engine *e, struct transfer *t, const struct sign_request *r, const struct target *target,
		const char *digest, struct error *err);

#endif
