/* oci/foreground - staying with a process until it ends
 *
 * Signals that reach us go to it, our terminal is connected with its pty where it has one, and its orphans are adopted
 * and reaped meanwhile. */
#ifndef BRYO_OCI_FOREGROUND_H
#define BRYO_OCI_FOREGROUND_H

#include <signal.h>

#include "run/run.h"

struct foreground {
	sigset_t mask;			/* the caller's */
	int signals;			/* signalfd */
	int notify;			/* of notify_listen; -1 */
};

/* Before the process is made: from now on no signal is lost. */
int foreground_begin(struct foreground *f, struct error *err);
/* Consumes p->console and f->notify. The exit code, or 128 and the number of the signal that killed it. */
int foreground_wait(struct foreground *f, struct run_process *p, int *ret_exit_code, struct error *err);
void foreground_end(struct foreground *f);

#endif
