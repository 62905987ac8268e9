/* engine/container_stats - what containers use: processor, memory, network, block I/O, processes
 *
 * The container's cgroup counts. What has no controller there (most hosts delegate none to users who did not log in
 * through systemd) is added up over the processes that live now: their proportional shares of memory (PSS), the bytes
 * that they had read and written, and without any cgroup their processor time. */
#ifndef BRYO_ENGINE_CONTAINER_STATS_H
#define BRYO_ENGINE_CONTAINER_STATS_H

#include "engine/container.h"

struct container_sample {
	bool live;			/* else all that follows is nothing */
	int64_t at_ns, started_ns;	/* since the epoch */
	uint64_t cpu_ns, cpu_kernel_ns;
	uint64_t memory, memory_limit;	/* bytes; without a limit: all of the machine */
	uint64_t net_in, net_out;	/* bytes over all interfaces but lo */
	uint64_t block_in, block_out;	/* bytes read and written */
	uint64_t pids;
	ARRAY(uint64_t) percpu;		/* nanoseconds; cgroup v1 only */
};

/* A container that does not run, or ends meanwhile, gives a sample that is not live. */
void container_stats_sample(struct engine *e, const struct container *c, struct container_sample *ret);
/* The members of Podman's container statistics; ContainerID and Name alone when it does not run. The share of the
 * processors is since `previous` of the same container, without one (NULL) since its start. */
struct json *container_stats_row(struct engine *e, const struct container *c, const struct container_sample *previous,
				 const struct container_sample *now);

#endif
