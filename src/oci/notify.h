/* oci/notify - services that say when they are ready (sd_notify(3))
 *
 * When the caller has NOTIFY_SOCKET, the container gets one of its own: a directory of its state is bound at /run/notify,
 * and `start` (or `run`) listens in it until the service says READY=1, which it passes on with the service's process,
 * or until the container ends. */
#ifndef BRYO_OCI_NOTIFY_H
#define BRYO_OCI_NOTIFY_H

#include "oci/oci.h"
#include "spec/oci_runtime.h"

/* Adds the mount and the variable; the directory is made in dir_fd, whose path is dir. */
int notify_prepare(struct arena *arena, int dir_fd, const char *dir, struct oci_spec *spec, struct error *err);
/* Listens from now on; *ret_listener is -1 when there is nothing to wait for. */
int notify_listen(int dir_fd, int *ret_listener, struct error *err);
/* Something has come: 1 when it was that the service is ready, which was passed on, 0 when not. */
int notify_handle(int listener, pid_t pid, struct error *err);
/* Waits for that; a service that ends without a word is no error. */
int notify_wait(int listener, int pidfd, pid_t pid, struct error *err);

#endif
