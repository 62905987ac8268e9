/* net/pid_record - which processes are helpers, kept in files: lines of "PID START-TIME", so that no stranger is ever signalled */
#ifndef BRYO_NET_PID_RECORD_H
#define BRYO_NET_PID_RECORD_H

#include <sys/types.h>

/* The file is one process's: written whole or not at all, for those who read it without a lock. -1 with errno. */
int pid_record_write(int dir, const char *name, pid_t pid);
/* One line more. -1 with errno. */
int pid_record_add(int dir, const char *name, pid_t pid);

/* A pidfd of the process of a line, or of a file with one; -1 when it does not run any more. ret_pid may be NULL. */
int pid_record_open_line(const char *line, pid_t *ret_pid);
int pid_record_open(int dir, const char *name, pid_t *ret_pid);

#endif
