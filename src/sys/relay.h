/* sys/relay - a connection over two sockets: bytes from one to the other, and how it ends
 *
 * Little is read and sent, which takes half the calls; much goes through a pipe by splice(2), so no page is copied here. A
 * direction has a pipe only while bytes are on their way. One whose receiver is slow stops reading: the sender feels it.
 * An end is passed on when all before it was; a reset after what came before it was read, to the other side. Where
 * no pipe can be had, for lack of descriptors, bytes stay in the socket that has them until the other has taken them.
 *
 * Who has the relay watches its sockets, edge-triggered, tells it by relay_note() what epoll told him, and calls
 * relay_move(). Nothing here waits or allocates; spare pipes are kept for all relays of the process. */
#ifndef BRYO_SYS_RELAY_H
#define BRYO_SYS_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What both sockets are watched for. EPOLLOUT comes to it when relay_wants_room() says so, or at once: a socket that is
 * writable when it is added wakes everybody up for nothing. */
#define RELAY_EVENTS (EPOLLIN | EPOLLRDHUP | EPOLLET)

struct relay_half {			/* the way that begins at one side */
	int pipe[2];			/* -1: none now */
	uint32_t held;			/* bytes in it */
	uint32_t burst;			/* bytes since its socket was last found empty */
	bool readable, writable;	/* its own socket, as far as is known */
	bool awaited, watched;		/* room in it is waited for; has been since some time, by epoll too */
	bool connecting;		/* its socket may not be connected yet */
	bool ended, passed;		/* no more will come; and the other side knows */
	bool failed;			/* its socket was reset, or gave up */
	bool thorough;			/* an end may have come unseen: reading goes on until the kernel says "nothing" */
	bool bulk;			/* much comes at once: by splice */
};

struct relay {
	int fd[2];			/* non-blocking */
	struct relay_half half[2];
	bool carried;			/* some bytes have passed */
};

enum relay_state { RELAY_WAITS, RELAY_MORE, RELAY_DONE, RELAY_BROKEN };

/* Both are taken for writable. That there may be something to read has to be told: by epoll, or by who wants to try. */
void relay_init(struct relay *r, int a, int b);
/* The socket of this side is being connected: that works out, or reading it fails. It is tried at once. */
void relay_set_connecting(struct relay *r, unsigned side);
void relay_note(struct relay *r, unsigned side, uint32_t events);
/* Moves what can be moved, within bounds: RELAY_MORE says that it should be called again soon. */
enum relay_state relay_move(struct relay *r);
/* After relay_move(): has the socket of this side to be watched for EPOLLOUT as well from now on? Says so once. */
bool relay_wants_room(struct relay *r, unsigned side);
/* Closes everything; broken: both sides get a reset. */
void relay_close(struct relay *r, bool broken);
/* Closes a socket that may be open (-1: is not), with a reset. */
void relay_reset(int *fd);
/* Gives back the pipes that nobody needed since the last call; true: some are left. */
bool relay_trim(void);

#endif
