/* oci/home - HOME for programs that rely on it though nobody has set it: by the container's own passwd */
#ifndef BRYO_OCI_HOME_H
#define BRYO_OCI_HOME_H

#include "base/string.h"
#include "spec/oci_runtime.h"

/* Adds it when the process has none; "/" for a user who is not in the file. */
void home_add(struct arena *arena, const char *rootfs, struct oci_process *p);

#endif
