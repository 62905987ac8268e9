/* run/seccomp_cache - compiled programs, kept for the next start
 *
 * Whoever could put a program there would choose the filter of other containers, so the directory and each file must
 * belong to the caller and be writable by nobody else; otherwise nothing is found and nothing kept. A program is good
 * as long as the libseccomp that made it is the installed one: a newer one knows more system calls. */
#ifndef BRYO_RUN_SECCOMP_CACHE_H
#define BRYO_RUN_SECCOMP_CACHE_H

#include "run/seccomp_key.h"

bool seccomp_cache_find(struct arena *arena, const char *dir, const struct seccomp_key *key, struct seccomp_code *ret);
/* Failing costs the next start some time, nothing else. The directory is made; of many programs the ones that were not
 * used for longest go. */
void seccomp_cache_keep(const char *dir, const struct seccomp_key *key, const struct seccomp_code *code);

#endif
