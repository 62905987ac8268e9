/* run/seccomp_compile - rules to a BPF program, by libseccomp
 *
 * What libseccomp and its other users do is kept: the native architecture is always in, system calls that it does not
 * know are left out, rules with the default action too, and of two unconditional rules for a call the first wins.
 * Conditions of a rule that name an argument twice are alternatives, otherwise all must hold. Complaints begin with the
 * position of what is wrong. */
#ifndef BRYO_RUN_SECCOMP_COMPILE_H
#define BRYO_RUN_SECCOMP_COMPILE_H

#include <linux/filter.h>

#include "spec/oci_runtime.h"

/* Rules, and where they were read. */
struct seccomp_source {
	const struct oci_seccomp *rules;
	const char *name;		/* ".linux.seccomp", "/etc/profile.json" */
	const char *where;		/* in front of a member's position: ".linux.seccomp", "/etc/profile.json: " */
	const size_t *numbers;		/* of rules->syscalls in the file they were chosen from; NULL: their index */
	bool known_only;		/* a system call that libseccomp does not know is an error */
};

struct seccomp_code {
	struct sock_filter *v;
	size_t n;			/* at most SECCOMP_CODE_MAX */
	unsigned flags;			/* SECCOMP_FILTER_FLAG_* */
	char *library;			/* the file of the libseccomp that made it */
};

/* More than the kernel takes: the program may be made shorter before it is loaded. */
#define SECCOMP_CODE_MAX (2 * BPF_MAXINSNS)

int seccomp_compile(struct arena *arena, const struct seccomp_source *source, struct seccomp_code *ret,
		    struct error *err);
/* Of the names in "flags" alone; without any, as crun, SECCOMP_FILTER_FLAG_SPEC_ALLOW. One that this kernel lacks is an
 * error. SECCOMP_FILTER_FLAG_TSYNC is left out: there is one thread. */
int seccomp_compile_flags(struct arena *arena, const struct seccomp_source *source, unsigned *ret, struct error *err);

#endif
