/* spec/base64 - the encoding of credentials (RFC 4648, section 4) */
#ifndef BRYO_SPEC_BASE64_H
#define BRYO_SPEC_BASE64_H

#include "base/arena.h"

char *base64_encode(struct arena *arena, const char *bytes, size_t n);
/* NULL when malformed. A NUL follows the bytes; *ret_n may be NULL. */
char *base64_decode(struct arena *arena, const char *text, size_t *ret_n);

#endif
