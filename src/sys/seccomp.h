/* sys/seccomp - filters for the calling process by seccomp(2), without libseccomp, and what this kernel knows of them
 *
 * Nothing here allocates: all of it is legal between clone and exec. */
#ifndef BRYO_SYS_SECCOMP_H
#define BRYO_SYS_SECCOMP_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a filter sees as the architecture of this program's calls; undefined where nobody has named it. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define SECCOMP_NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SECCOMP_NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define SECCOMP_NATIVE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__)
#define SECCOMP_NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define SECCOMP_NATIVE AUDIT_ARCH_S390X
#elif defined(__arm__)
#define SECCOMP_NATIVE AUDIT_ARCH_ARM
#elif defined(__i386__)
#define SECCOMP_NATIVE AUDIT_ARCH_I386
#endif

/* Where filters made by hand work: they look at the low half of an argument, which comes first there, and name the calls of
 * 64-bit architectures. */
#if defined(SECCOMP_NATIVE) && __SIZEOF_POINTER__ == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SECCOMP_BY_HAND 1
#else
#define SECCOMP_BY_HAND 0
#endif

/* flags are SECCOMP_FILTER_FLAG_*. Needs no_new_privs or CAP_SYS_ADMIN in the user namespace. Answers 0, with
 * SECCOMP_FILTER_FLAG_NEW_LISTENER the listener's descriptor (close-on-exec), -1 with errno. */
int seccomp_load_filter(const struct sock_filter *instructions, size_t n, unsigned flags);

/* One SECCOMP_RET_* without data. True also where seccomp(2) is refused altogether: then loading tells. */
bool seccomp_has_action(uint32_t action);
/* One SECCOMP_FILTER_FLAG_*. */
bool seccomp_has_flag(unsigned flag);

#endif
