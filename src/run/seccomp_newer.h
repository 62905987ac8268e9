/* run/seccomp_newer - system calls that are newer than a profile
 *
 * C libraries try new calls and go on with older ones when the kernel answers ENOSYS; EPERM they take for an answer. A
 * profile that refuses whatever it does not list was written for the calls of its day. So what has a higher number than
 * all that it lists is answered with ENOSYS, as by runc, on which Docker's profile relies; for the native architecture. */
#ifndef BRYO_RUN_SECCOMP_NEWER_H
#define BRYO_RUN_SECCOMP_NEWER_H

#include "run/seccomp_compile.h"

/* Puts the answer in front of the program when code->newest is set. Nothing is done when it would get too long. */
void seccomp_newer_answer(struct arena *arena, struct seccomp_code *code);

#endif
