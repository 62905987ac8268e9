/* oci/network_device - interfaces of the host that are given to a container (linux.netDevices)
 *
 * An interface moves into the container's network namespace while the container's process waits there: it gets the name
 * that it shall have inside, keeps what belongs to the device (MTU, hardware address), gets back the permanent global
 * addresses that the kernel takes away on the way, and is set up. Either all of them move or none does. Nobody fetches
 * them back at the container's end: the kernel returns real devices to the host and destroys virtual ones. */
#ifndef BRYO_OCI_NETWORK_DEVICE_H
#define BRYO_OCI_NETWORK_DEVICE_H

#include <sys/types.h>

#include "spec/oci_runtime.h"

#define NETWORK_DEVICE_NO_NAMESPACE ".linux.netDevices: the container has no network namespace of its own to move them into"

/* What can be said without looking at an interface: names, doubles, a network namespace to move them into. Errors begin
 * with `.linux.netDevices["eth0"]`. */
int network_device_check(struct arena *arena, const struct oci_linux *l, struct error *err);
/* The name inside: as it is, or for "eth%d" the first one that is not among those taken. NULL when there is none. */
const char *network_device_name(struct arena *arena, const char *wanted, const struct strings *taken);
/* Moves them into the network namespace of pid, which waits; checks first. */
int network_device_move(struct arena *arena, const struct oci_linux *l, pid_t pid, struct error *err);

#endif
