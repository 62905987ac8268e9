/* oci/console - the terminal of a container, handed to whoever asked for it */
#ifndef BRYO_OCI_CONSOLE_H
#define BRYO_OCI_CONSOLE_H

#include "base/error.h"

/* Connects to the socket of --console-socket. -1 with err. */
int console_connect(const char *path, struct error *err);
/* Sends the pty's master over it. */
int console_send(int socket, int master, struct error *err);

#endif
