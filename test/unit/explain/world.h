/* world - facts from short texts, for the tables of the tests
 *
 * A user "ana" has 1000:1000 and the subordinate ids 100000..165535. A process is "UID:GID[+HOSTGROUP...][ CAP...]"; a path
 * is a list of inodes "NAME OWNER:GROUP MODE[ WORD...]" separated by ";", from its mount's root to the target. MODE has the
 * kind in front: d0755 f0644 s l c p; "-" for one that is not there. Words: acl=..., i, a, covered, and of its mount (for
 * it and what follows): ro, locked, noexec, lockednoexec, root, nodev, own, fuse, others, nfs. */
#ifndef BRYO_TEST_EXPLAIN_WORLD_H
#define BRYO_TEST_EXPLAIN_WORLD_H

#include "explain/access.h"

#define WORLD_USER 1000
#define WORLD_TEAM 2001

/* map: "default", "keep", "nomap", or "host". */
struct access_facts world_facts(struct arena *arena, const char *map, const char *process, const char *op,
				const char *path);
struct access_path world_path(struct arena *arena, const char *text);
/* "allowed", "unknown", or "CODE ERRNO at NAME" for each block, joined by ", ". */
char *world_verdict(struct arena *arena, const struct verdict *v);

#endif
