/* engine/launch_bypass - what the monitor needs to make a container's connections itself (monitor/bypass)
 *
 * Where something is missing, a kernel of 5.19, a caller without power over the host's network, there is no bypass, and nobody
 * is told: the container's connections take the normal path. */
#ifndef BRYO_ENGINE_LAUNCH_BYPASS_H
#define BRYO_ENGINE_LAUNCH_BYPASS_H

#include "engine/launch.h"

/* Before the plan: the socket over which the filter's listener will come. */
void launch_bypass_prepare(struct launch *l);
/* While the container's first process waits in its network namespace. What is not possible is given up here. */
void launch_bypass_see(struct launch *l, const struct run_process *p);
/* After its release. */
void launch_bypass_take(struct launch *l);
void launch_bypass_done(struct launch *l);

#endif
