/* gateway/relay - an open connection: bytes from one socket to the other, and how it ends
 *
 * Much goes through a pipe by splice(2), so no page is copied here; little is read and sent, which takes half the calls. A
 * direction has a pipe only while bytes are on their way. A direction whose receiver is slow stops reading: the sender feels it. An end is passed on when all before it was;
 * a reset at once, to the other side. */
#ifndef BRYO_GATEWAY_RELAY_H
#define BRYO_GATEWAY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

enum { INSIDE, OUTSIDE };		/* the container's socket, and the host's */

struct half {				/* the way that begins at one side */
	int pipe[2];			/* -1: none now */
	uint32_t held;			/* bytes in it */
	uint32_t burst;			/* bytes since its socket was last found empty */
	bool readable, writable;		/* its own socket, as far as is known */
	bool ended, passed;		/* no more will come; and the other side knows */
	bool failed;			/* its socket was reset, or gave up */
	bool thorough;			/* an end may have come unseen: reading goes on until the kernel says "nothing" */
	bool bulk;			/* much comes at once: by splice */
};

struct relay {
	int fd[2];			/* non-blocking; watched for RELAY_EVENTS */
	struct half half[2];
};

enum relay_state { RELAY_WAITS, RELAY_MORE, RELAY_DONE, RELAY_BROKEN };

void relay_init(struct relay *r, int inside, int outside);
void relay_note(struct relay *r, unsigned side, uint32_t events);
/* Moves what can be moved, within bounds: RELAY_MORE says that it should be called again soon. */
enum relay_state relay_move(struct relay *r);
/* Closes everything; broken: both sides get a reset. */
void relay_close(struct relay *r, bool broken);
/* Closes a socket that may be open (-1: is not), with a reset. */
void relay_reset(int *fd);
/* Gives back the pipes that nobody needed since the last call; true: some are left. */
bool relay_trim(void);

#endif
