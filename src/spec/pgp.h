/* spec/pgp - the little of OpenPGP (RFC 4880) that is needed around gpgv
 *
 * Keyrings out of their armour, the user IDs in them (to be shown, not to be believed), and the verdict in gpgv's
 * machine output. Signatures are checked by gpgv alone. */
#ifndef BRYO_SPEC_PGP_H
#define BRYO_SPEC_PGP_H

#include "base/string.h"

/* The binary keyring: every armoured block of public keys joined, or the bytes themselves when they are binary (a
 * keyring, or a keybox). NULL when there is no key. */
char *pgp_keyring(struct arena *arena, const char *bytes, size_t n, size_t *ret_n, struct error *err);
/* "Alice <alice@example.org>" for each user ID packet of a binary keyring; what is malformed ends the list. */
struct strings pgp_user_ids(struct arena *arena, const char *bytes, size_t n);
/* status: what gpgv wrote to --status-fd about a file whose signed text has text_size bytes. 0 only when there was
 * exactly one text and one signature over it, good, of a key that is neither expired nor revoked. */
int pgp_verdict(struct arena *arena, const char *status, size_t text_size, char **ret_fingerprint, struct error *err);

#endif
