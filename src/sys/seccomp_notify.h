/* sys/seccomp_notify - answering the system calls of others (seccomp_unotify(2))
 *
 * The listener comes from loading a filter with SECCOMP_FILTER_FLAG_NEW_LISTENER. Nothing here allocates. */
#ifndef BRYO_SYS_SECCOMP_NOTIFY_H
#define BRYO_SYS_SECCOMP_NOTIFY_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* One call that waits. To be called once for each time that the listener is readable: it may wait otherwise. -1 with
 * errno; ENOENT: the caller was killed meanwhile. */
int seccomp_notify_receive(int listener, struct seccomp_notif *ret);
/* Does it still wait? Only then what was read of its process in between was really its own. */
bool seccomp_notify_is_valid(int listener, uint64_t id);
/* Puts `fd` under `number` into the descriptor table of the caller. flags: O_CLOEXEC. */
int seccomp_notify_replace(int listener, uint64_t id, int fd, int number, unsigned flags);
/* Moves `fd` to the caller's next free number, which the call returns; ours is closed before that. -1 with errno: EMFILE, the
 * caller has no number left, and the call still waits; ENOENT, it was killed. */
int seccomp_notify_give(int listener, uint64_t id, int *fd, unsigned flags);
/* The call returns 0, or fails with the errno `number`. */
int seccomp_notify_answer(int listener, uint64_t id, int number);
/* The kernel makes the call as if there were no listener. What its pointers and descriptors mean is looked at anew. */
int seccomp_notify_continue(int listener, uint64_t id);
/* The waiting call is woken where the listener runs, which saves a round trip between processors. Of kernel 6.6. */
void seccomp_notify_stay_near(int listener);

#endif
