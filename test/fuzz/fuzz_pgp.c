/* Bytes as a keyring and as what gpgv says. */
#include "spec/pgp.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *keys, *fingerprint = NULL;
	size_t n;

	keys = pgp_keyring(arena, (const char *)data, size, &n, NULL);
	if (keys)
		pgp_user_ids(arena, keys, n);
	pgp_user_ids(arena, (const char *)data, size);
	if (pgp_verdict(arena, arena_strndup(arena, (const char *)data, size), 8, &fingerprint, NULL) == 0 && !fingerprint)
		abort();
	return 0;
}
