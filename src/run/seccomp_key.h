/* run/seccomp_key - everything that a compiled program depends on
 *
 * As bytes, which the cache keeps beside the program and compares: two profiles never share a program, whoever wrote
 * them. The name is a hash of the bytes that only finds the file; where two have the same, nothing is lost but time. */
#ifndef BRYO_RUN_SECCOMP_KEY_H
#define BRYO_RUN_SECCOMP_KEY_H

#include <sys/stat.h>

#include "run/seccomp_compile.h"

struct seccomp_key {
	char name[24];
	const char *data;
	size_t size;
};

/* Both also cover this program's version, the kernel and the machine. False: too long to be kept. */
bool seccomp_key_of_rules(struct arena *arena, const struct seccomp_source *source, struct seccomp_key *ret);
/* Of the profile in a file with this state (NULL: bryo's own), for a container with these capabilities. */
bool seccomp_key_of_profile(struct arena *arena, const struct stat *st, uint64_t bounding, struct seccomp_key *ret);

#endif
