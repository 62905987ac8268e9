/* oci/handover - what callers get over sockets that they listen on: the terminal, and the process itself */
#ifndef BRYO_OCI_HANDOVER_H
#define BRYO_OCI_HANDOVER_H

#include "base/string.h"
#include "run/run.h"

/* The sockets are connected before anything is made, so that one that is missing is an error in time. */
struct handover { int console, pidfd; };	/* -1: nobody waits for it */
#define HANDOVER_NONE { -1, -1 }

/* --console-socket (NULL: none) and the annotation run.oci.pidfd_receiver. */
int handover_connect(const char *console_socket, const struct string_map *annotations, struct handover *ret,
		     struct error *err);
/* Sends the pty's master (p->console is closed then) and a pidfd. */
int handover_send(struct handover *h, struct run_process *p, struct error *err);
void handover_close(struct handover *h);

#endif
