#ifndef BRYO_OCI_NETWORK_DEVICE_H
#define BRYO_OCI_NETWORK_DEVICE_H
#include "spec/oci_runtime.h"
#include <sys/types.h>
int network_device_move(struct arena *arena, const struct oci_linux *l, pid_t pid, struct error *err);
#endif
