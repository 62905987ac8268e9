/* run/seccomp_apart - seccomp_compile in a process of its own
 *
 * Rules come from strangers too, and for some of them, a few hundred bytes long, libseccomp's effort is exponential. A
 * process that may take a few seconds of the processor and may crash keeps both away from the one that runs containers,
 * and libseccomp's memory with them. It costs a fork where a program is compiled, which is seldom. */
#ifndef BRYO_RUN_SECCOMP_APART_H
#define BRYO_RUN_SECCOMP_APART_H

#include "run/seccomp_compile.h"

/* At most so many seconds of the processor. */
int seccomp_apart_compile(struct arena *arena, const struct seccomp_source *source, unsigned seconds,
			  struct seccomp_code *ret, struct error *err);

#endif
