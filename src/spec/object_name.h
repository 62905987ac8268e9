/* spec/object_name - the name of file contents in the store's objects/: the first 132 bits of their SHA-256
 *
 * base64url, 22 characters: the first is a directory, so that none grows too long. The name with its slash has 23
 * bytes: overlay keeps it inline in a stub's redirect. 132 bits are enough to find, not to trust: who relies on
 * contents compares the whole digest. */
#ifndef BRYO_SPEC_OBJECT_NAME_H
#define BRYO_SPEC_OBJECT_NAME_H

#include <stdbool.h>

#define OBJECT_DIGEST_SIZE 32
#define OBJECT_NAME_SIZE 24		/* "c/" + 21 characters + NUL */
#define OBJECT_XATTR "user.bryo.sha256"	/* on each object: its whole digest, 32 raw bytes */

void object_name(const unsigned char *digest, char *ret);
/* Is it a name as above, and nothing else? */
bool object_name_is_valid(const char *name);
bool object_name_is_directory(const char *name);	/* "c" */

#endif
