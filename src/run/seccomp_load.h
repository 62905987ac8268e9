/* run/seccomp_load - a filter for the calling process, and its listener to the receiver
 *
 * Between clone and exec: no allocation, no stdio.
 *
 * From the moment that the filter is loaded any system call may be refused, fatal, or wait for an answer of the
 * receiver, who has no listener yet. So the process makes none until he has it, but for sched_yield where that passes.
 * A helper thread, made before, is not filtered. It shares descriptors and memory: it learns the listener's number,
 * sends it, closes it for both and ends. A thread, though bryo has none elsewhere: whatever the filter says, nobody has
 * to wait for it, exec does not leave it behind, and it dies with its process. A process would end when the kernel gets
 * to it, now and then after exec, and as a zombie of the command.
 *
 * Afterwards the receiver has the only copy of the listener: when he ends, calls that he should answer fail, and
 * nothing waits for ever. */
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
	/* Called in the helper, with errno, when the receiver did not take the listener: the process may be unable by then
	 * to say so itself. It ends. */
	void (*report)(void *context, const char *what);
	void *context;
};

/* -1 with errno and a word about what failed. Nothing comes after it but exec: the filter is in force. */
int seccomp_load(const struct seccomp_load *load, const char **ret_what);
/* Does the filter forbid the call that would follow, of this process, with up to three arguments? Asked before loading:
 * afterwards nobody could tell. */
bool seccomp_load_forbids(const struct seccomp_load *load, long number, const uint64_t args[3]);
/* The caller's id in the pid namespace whose procfs is mounted at /proc: asked before the root is changed. */
pid_t seccomp_load_own_pid(void);

#endif
