/* run/seccomp_machine - what a filter will answer, before it is loaded
 *
 * The classic BPF of seccomp(2), interpreted. Programs out of a bundle are checked here by the kernel's rules first, so
 * that what it would refuse with EINVAL gets a message. Nothing but the check allocates: the rest is legal between
 * clone and exec, and safe with any program. */
#ifndef BRYO_RUN_SECCOMP_MACHINE_H
#define BRYO_RUN_SECCOMP_MACHINE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "sys/seccomp.h"

#ifndef SECCOMP_NATIVE
#error "name this architecture in sys/seccomp.h"
#endif

/* SECCOMP_RET_* with its data. A program that the check would refuse kills. */
uint32_t seccomp_machine_answer(const struct sock_filter *v, size_t n, const struct seccomp_data *data);
/* The same without its data, for a call of this process with up to three arguments. */
uint32_t seccomp_machine_action(const struct sock_filter *v, size_t n, long number, const uint64_t args[3]);
/* Can a call end at the listener? */
bool seccomp_machine_notifies(const struct sock_filter *v, size_t n);
/* Would this kernel load it? */
int seccomp_machine_check(struct arena *arena, const struct sock_filter *v, size_t n, struct error *err);

#endif
