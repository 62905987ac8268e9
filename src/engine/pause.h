/* engine/pause - stopping a container's processes for a while: the cgroup freezer, or SIGSTOP without one */
#ifndef BRYO_ENGINE_PAUSE_H
#define BRYO_ENGINE_PAUSE_H

#include "engine/container.h"

int pause_processes(const struct container_state *s, bool pause, struct error *err);
/* The pids (in this pid namespace) that live in the container's pid namespace. */
struct pid_list { pid_t *v; size_t n; };
int pause_pids(struct arena *arena, pid_t first, struct pid_list *ret, struct error *err);

#endif
