/* run/seccomp_load - a filter for the calling process, and its listener to the receiver
 *
 * Between clone and exec: no allocation, no stdio.
 *
 * From the moment that the filter is loaded any system call may be refused, fatal, or wait for an answer of the receiver,
 * who has no listener yet. So the process makes none until the receiver has it. A helper, made before, is not filtered: it
 * shares the table of descriptors, learns the listener's number from shared memory, sends it, closes it and ends. That he
 * did, and whether he succeeded, is in shared memory too, where the kernel itself notes the end of a killed helper. The
 * process sleeps in wait4 only when its filter lets it, otherwise it looks again and again.
 *
 * After the hand-over the receiver has the only copy of the listener: when he ends, calls that he should answer fail, and
 * nothing waits for ever. A helper whose process ends is killed. Nobody has to be reaped. */
#ifndef BRYO_RUN_SECCOMP_LOAD_H
#define BRYO_RUN_SECCOMP_LOAD_H

#include <linux/filter.h>
#include <stddef.h>
#include <sys/types.h>

#include "run/seccomp_listener.h"

struct seccomp_load {
	const struct sock_filter *v;
	size_t n;
	unsigned flags;
	const struct seccomp_listener *listener;	/* NULL: none, and nothing of what follows is used */
	int receiver;			/* of seccomp_listener_connect; closed */
	pid_t pid;			/* the caller, as the runtime sees it */
	/* Called in the helper when the receiver did not take the listener, with errno: the process itself may not be able to
	 * say so any more. Then the process ends. */
	void (*report)(void *context, const char *what);
	void *context;
};

/* -1 with errno and a word about what failed. Nothing may come between this and exec but exec: the filter is in force. */
int seccomp_load(const struct seccomp_load *load, const char **ret_what);
/* Does the filter forbid the call (of this process, with up to three arguments) that would follow? Asked before loading:
 * afterwards nobody could tell. */
bool seccomp_load_forbids(const struct seccomp_load *load, long number, const uint64_t args[3]);
/* The caller's id in the pid namespace whose procfs is mounted at /proc: asked before the root is changed. */
pid_t seccomp_load_own_pid(void);

#endif
