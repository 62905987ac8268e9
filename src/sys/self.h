/* sys/self - the running program's own file
 *
 * Whoever makes processes in containers lets hostile programs come near /proc/PID/exe. Where the user (and with him the
 * root of his containers) could change that file, a sealed copy in memory runs in its place (CVE-2019-5736). */
#ifndef BRYO_SYS_SELF_H
#define BRYO_SYS_SELF_H

#include "base/arena.h"

/* Executes the program again from a sealed copy where its file could be changed; otherwise, and where there can be no
 * copy, it comes back. The same environment and arguments, before anything was done. */
void self_seal(char *const *argv);
/* Where the program was installed, also when the copy runs; "" when unknown. */
char *self_path(struct arena *arena);

#endif
