/* sys/errand - what only another process can do, or a descriptor that only it can get
 *
 * A child goes into other namespaces, does or opens there what is wanted, hands the descriptor over and ends. */
#ifndef BRYO_SYS_ERRAND_H
#define BRYO_SYS_ERRAND_H

#include "base/error.h"

/* make runs in the child and answers a descriptor, or -1 with err; so does errand_fd. */
int errand_fd(int (*make)(void *context, struct error *err), void *context, struct error *err);
/* work answers 0, or -1 with err; so does errand_run. */
int errand_run(int (*work)(void *context, struct error *err), void *context, struct error *err);

#endif
