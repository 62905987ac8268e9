/* sys/unix_socket - handing a descriptor over a unix socket */
#ifndef BRYO_SYS_UNIX_SOCKET_H
#define BRYO_SYS_UNIX_SOCKET_H

#include "base/error.h"

/* Connects to a stream socket; what says what it is for in errors ("console socket"). -1 with err. */
int unix_socket_connect(const char *path, const char *what, struct error *err);
/* One message of the text with the descriptor. -1 with errno. */
int unix_socket_send(int socket, int fd, const char *text);
/* The one descriptor that comes with the next message, close-on-exec; what the message says is dropped. flags: MSG_DONTWAIT or 0.
 * -1: none came, or nobody can send any more. */
int unix_socket_receive(int socket, int flags);

#endif
