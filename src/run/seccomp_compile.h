/* run/seccomp_compile - rules to a BPF program, by libseccomp in a process of its own
 *
 * Rules come from strangers too, and for some of them, a few hundred bytes long, libseccomp's effort is exponential.
 * bryo-hostlib, which loads it, may take a few seconds of the processor and may crash: that keeps both, and libseccomp's
 * memory, away from the process that runs containers. It costs a program's start where a filter is compiled, which is
 * seldom. Complaints begin with the position of what is wrong. */
#ifndef BRYO_RUN_SECCOMP_COMPILE_H
#define BRYO_RUN_SECCOMP_COMPILE_H

#include <linux/filter.h>

#include "spec/oci_runtime.h"

/* Rules, and where they were read. */
struct seccomp_source {
	const struct oci_seccomp *rules;
	const char *name;		/* ".linux.seccomp", "/etc/profile.json" */
	const char *where;		/* in front of a member's position: ".linux.seccomp", "/etc/profile.json: " */
	const uint64_t *numbers;	/* of rules->syscalls in the file they were chosen from; NULL: their index */
	bool known_only;		/* a system call that libseccomp does not know is an error */
};

struct seccomp_code {
	struct sock_filter *v;
	size_t n;			/* at most SECCOMP_CODE_MAX */
	unsigned flags;			/* SECCOMP_FILTER_FLAG_* */
	unsigned newest;		/* the highest number that is listed, 0: newer calls are like other unlisted ones */
	char *libseccomp;		/* the file of the libseccomp that made it */
};

/* More than the kernel takes: the program may be made shorter before it is loaded. */
#define SECCOMP_CODE_MAX (2 * BPF_MAXINSNS)

/* In at most so many seconds of the processor. */
int seccomp_compile(struct arena *arena, const struct seccomp_source *source, unsigned seconds, struct seccomp_code *ret,
		    struct error *err);
/* Of the names in "flags" alone; without any, as crun, SECCOMP_FILTER_FLAG_SPEC_ALLOW. One that this kernel lacks is an
 * error. SECCOMP_FILTER_FLAG_TSYNC is left out: there is one thread. */
int seccomp_compile_flags(struct arena *arena, const struct seccomp_source *source, unsigned *ret, struct error *err);

#endif
