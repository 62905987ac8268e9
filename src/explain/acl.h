/* explain/acl - POSIX ACLs as the kernel hands them out: the value of system.posix_acl_access */
#ifndef BRYO_EXPLAIN_ACL_H
#define BRYO_EXPLAIN_ACL_H

#include "explain/access.h"

#define ACL_VALUE_MAX 4096

/* A malformed value gives an empty list. Ids without a number in the reader's namespace are ID_NONE. */
struct access_acl acl_parse(struct arena *arena, const void *value, size_t size);

#endif
