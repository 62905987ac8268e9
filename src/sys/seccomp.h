/* sys/seccomp - filters for the calling process by seccomp(2), without libseccomp, and what this kernel knows of them
 *
 * Nothing here allocates: all of it is legal between clone and exec. */
#ifndef BRYO_SYS_SECCOMP_H
#define BRYO_SYS_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* flags are SECCOMP_FILTER_FLAG_*. Needs no_new_privs or CAP_SYS_ADMIN in the user namespace. Answers 0, with
 * SECCOMP_FILTER_FLAG_NEW_LISTENER the listener's descriptor (close-on-exec), -1 with errno. */
int seccomp_load_filter(const struct sock_filter *instructions, size_t n, unsigned flags);

/* One SECCOMP_RET_* without data. True also where seccomp(2) is refused altogether: then loading tells. */
bool seccomp_has_action(uint32_t action);
/* One SECCOMP_FILTER_FLAG_*. */
bool seccomp_has_flag(unsigned flag);

#endif
