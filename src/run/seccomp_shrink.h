/* run/seccomp_shrink - the same seccomp filter in fewer instructions
 *
 * libseccomp writes a comparison and a jump for every system call. Neighbouring numbers mostly have the same fate, so a
 * search over ranges decides the same with a fraction of the instructions, and the kernel checks, translates and compiles
 * every one of them at each start of a container. */
#ifndef BRYO_RUN_SECCOMP_SHRINK_H
#define BRYO_RUN_SECCOMP_SHRINK_H

#include <linux/filter.h>

#include "base/arena.h"

/* Replaces a program by an equivalent one. What is not understood, or does not get shorter, stays as it is. */
void seccomp_shrink(struct arena *arena, struct sock_filter **v, size_t *n);

#endif
