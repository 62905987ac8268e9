/* engine/launch_mounts - what a container has mounted, made ready for its start
 *
 * Volumes are filled and mounted, directories labelled and given to the container's user, images, overlays and parts of
 * volumes opened. What cannot be named by a safe path goes to the runtime as a mount of its own, by descriptor. */
#ifndef BRYO_ENGINE_LAUNCH_MOUNTS_H
#define BRYO_ENGINE_LAUNCH_MOUNTS_H

#include "engine/launch.h"
#include "spec/passwd.h"

/* dry: nothing of the user's is changed. */
int launch_mounts_prepare(struct launch *l, const struct passwd_user *user, bool dry, struct error *err);
void launch_mounts_close(struct launch *l);

#endif
