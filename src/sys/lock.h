/* sys/lock - open-file-description locks on files
 *
 * A lock lives as long as its descriptor (and copies of it in children); a killed process frees it. */
#ifndef BRYO_SYS_LOCK_H
#define BRYO_SYS_LOCK_H

#include <stdbool.h>

#include "base/error.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/* Creates name below dirfd when missing, takes the lock and answers the descriptor. With wait=false: -1 and errno
 * EWOULDBLOCK when another holds it. EINTR is retried. */
int lock_open(int dirfd, const char *name, enum lock_mode mode, bool wait);
/* Would an exclusive lock be refused now? A missing file is not held; one that cannot be looked at now counts as held. */
bool lock_is_held(int dirfd, const char *name);

#endif
