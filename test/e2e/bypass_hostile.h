/* bypass_hostile - what both kinds of checks stand on: sockets that were connected, and sockets that were accepted */
#ifndef BRYO_TEST_BYPASS_HOSTILE_H
#define BRYO_TEST_BYPASS_HOSTILE_H

#include <netinet/in.h>
#include <stdatomic.h>

struct check {
	const char *name;		/* NULL ends a table */
	void (*run)(void);
};
extern const struct check accepted_checks[];

extern struct sockaddr_in outside;
extern const char *host;		/* NULL: sockets are connected ones */
extern atomic_int stop;			/* threads that race end */

/* Ends the program with a message. */
void need(int good, const char *what);
int new_socket(int flags);
/* 0: it is not bound to one, so it was not handed over. */
int device_of(int fd);
int get_int(int fd, int level, int name);
/* Of the published port. */
int listener_of(int family, int flags);
/* Somebody comes to the published port, says this, and passes on over the descriptor what he is answered. */
int visit(const char *text);
void await(int fd, const char *what);
int accept_visitor(int listener, int flags);
/* Both ways are whole. Closes both. */
void converse(int visitor, int fd, const char *text);
int idle_handed_over(void);
void ignore(int signum);

#endif
