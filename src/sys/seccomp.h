/* sys/seccomp - loads a compiled filter into the calling process by seccomp(2), without libseccomp */
#ifndef BRYO_SYS_SECCOMP_H
#define BRYO_SYS_SECCOMP_H

#include <linux/filter.h>
#include <stddef.h>

/* flags are SECCOMP_FILTER_FLAG_*. Needs no_new_privs or CAP_SYS_ADMIN in the user namespace. -1 with errno. */
int seccomp_load_filter(const struct sock_filter *instructions, size_t n, unsigned flags);

#endif
