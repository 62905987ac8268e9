#include "oci/network_device.h"
int network_device_move(struct arena *arena, const struct oci_linux *l, pid_t pid, struct error *err)
{ return error_set(err, ERROR_UNSUPPORTED, ".linux.netDevices"); }
