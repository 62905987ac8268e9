/* oci/pid_file - the file that tells a caller the number of a new process */
#ifndef BRYO_OCI_PID_FILE_H
#define BRYO_OCI_PID_FILE_H

#include <sys/types.h>

#include "base/error.h"

/* Whole by rename, so that a caller who watches for it never reads half a number. path NULL: nothing is wanted. */
int pid_file_write(const char *path, pid_t pid, struct error *err);

#endif
