/* run/seccomp_compile - rules to a BPF program, by libseccomp
 *
 * libseccomp is loaded when something has to be compiled, which is seldom: programs are cached. */
#ifndef BRYO_RUN_SECCOMP_COMPILE_H
#define BRYO_RUN_SECCOMP_COMPILE_H

#include <linux/filter.h>

#include "spec/oci_runtime.h"

struct seccomp_code {
	struct sock_filter *v;
	size_t n;
	unsigned flags;			/* SECCOMP_FILTER_FLAG_* */
	char *library;			/* the libseccomp that made it */
};

int seccomp_compile(struct arena *arena, const struct oci_seccomp *rules, struct seccomp_code *ret,
		    struct error *err);
/* Of the names in "flags" alone. */
int seccomp_compile_flags(const struct strings *names, unsigned *ret, struct error *err);

#endif
