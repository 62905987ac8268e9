/* sys/pidfd - processes by descriptor, never by a raw pid across a wait */
#ifndef BRYO_SYS_PIDFD_H
#define BRYO_SYS_PIDFD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

int pidfd_open_pid(pid_t pid);
int pidfd_signal(int pidfd, int signum);
/* Waits for the exit; timeout_ms < 0 for ever. 1 exited, 0 timeout, -1 errno. Works for processes of others. */
int pidfd_wait_exit(int pidfd, int timeout_ms);
/* Reaps a child: exit code, or 128+signal. -1 with errno. */
int pidfd_reap(int pidfd);
/* Field 22 of /proc/PID/stat: with the pid it names a process for one boot. 0 when there is no such process. */
uint64_t pidfd_start_time(pid_t pid);
/* Opens the process only if it is still the one that started then: -1 with ESRCH otherwise, or another errno when that cannot
 * be told now. */
int pidfd_open_same(pid_t pid, uint64_t start_time);
/* The kernel's boot id, 36 characters and NUL. */
int pidfd_boot_id(char buf[37]);

#endif
