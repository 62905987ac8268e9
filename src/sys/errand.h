/* sys/errand - a descriptor that only another process can get
 *
 * A child goes into other namespaces, opens what is wanted there, hands the descriptor over and ends. */
#ifndef BRYO_SYS_ERRAND_H
#define BRYO_SYS_ERRAND_H

#include "base/error.h"

/* make runs in the child and answers a descriptor, or -1 with err; so does errand_fd. */
int errand_fd(int (*make)(void *context, struct error *err), void *context, struct error *err);

#endif
