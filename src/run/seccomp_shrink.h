/* run/seccomp_shrink - the same seccomp filter with fewer steps
 *
 * libseccomp writes a comparison for every system call, one after the other. Neighbouring numbers mostly have the same
 * fate, so a search over ranges decides the same in a few steps, and for a usual profile in a fraction of the
 * instructions. At each load the kernel checks, translates and compiles every instruction, and follows the program for
 * every number of its own: even where the tree is longer than the list, because the numbers lie scattered, it is loaded
 * sooner. */
#ifndef BRYO_RUN_SECCOMP_SHRINK_H
#define BRYO_RUN_SECCOMP_SHRINK_H

#include <linux/filter.h>

#include "base/arena.h"

/* Replaces a program by an equivalent one. What is not understood, or gets too long for the kernel, stays as it is. */
void seccomp_shrink(struct arena *arena, struct sock_filter **v, size_t *n);

#endif
