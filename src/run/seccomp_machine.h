/* run/seccomp_machine - what a filter will answer, before it is loaded
 *
 * The classic BPF of seccomp(2), interpreted. Programs out of a bundle are checked here by the kernel's rules first, so
 * that what it would refuse with EINVAL gets a message. Nothing but the check allocates: the rest is legal between
 * clone and exec, and safe with any program. */
#ifndef BRYO_RUN_SECCOMP_MACHINE_H
#define BRYO_RUN_SECCOMP_MACHINE_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* What a filter sees as the architecture of this program's calls. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_S390X
#elif defined(__arm__)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_ARM
#elif defined(__i386__)
#define SECCOMP_MACHINE_NATIVE AUDIT_ARCH_I386
#else
#error "name this architecture"
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
