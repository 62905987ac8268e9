/* A receiver of seccomp listeners for tests: a process that accepts connections, passes on what it is told, and answers
 * the calls that it is notified about */
#ifndef TEST_RUN_RECEIVER_H
#define TEST_RUN_RECEIVER_H

#include "base/arena.h"

#include <sys/types.h>

enum receiver_manner {
	RECEIVER_ANSWERS,	/* mkdir fails with EXDEV, getppid is 4242, everything else goes on */
	RECEIVER_TAKES,		/* ends with the listener in its hands */
	RECEIVER_LEAVES,	/* ends before it reads a byte */
	RECEIVER_SLEEPS,	/* accepts nothing, and stays */
};

struct receiver {
	pid_t pid;
	int told;		/* one packet a message */
	char path[200];
};

/* At a path that does not fit into an address, when `far`. */
void receiver_start(struct receiver *r, const char *dir, enum receiver_manner manner, bool far);
/* The next state that it was sent; fails after some seconds. */
char *receiver_message(const struct receiver *r, struct arena *arena);
void receiver_wait(struct receiver *r);
void receiver_stop(struct receiver *r);

#endif
