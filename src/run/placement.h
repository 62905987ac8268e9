/* run/placement - the kernel's numbers for the words of scheduling, I/O priority and memory policy
 *
 * Each finds a word of the specification in its table: 0 with the number set (or added, for flags), -1 for an unknown
 * one. Pure. */
#ifndef BRYO_RUN_PLACEMENT_H
#define BRYO_RUN_PLACEMENT_H

#include <stdint.h>

#include "base/string.h"

/* What sched_setattr(2) takes, in its order (SCHED_ATTR_SIZE_VER0). */
struct plan_scheduler {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;	/* nanoseconds */
};

int placement_policy(const char *name, uint32_t *ret);			/* SCHED_* */
int placement_scheduler_flag(const char *name, uint64_t *flags);	/* SCHED_FLAG_* */
int placement_io_class(const char *name, uint64_t *ret);		/* IOPRIO_CLASS_*, in the place that ioprio_set(2) has for it */
int placement_memory_mode(const char *name, uint64_t *ret);		/* MPOL_* */
/* The words of memory policies: modes, then flags. */
void placement_memory_names(struct arena *arena, struct strings *ret_modes, struct strings *ret_flags);
int placement_memory_flag(const char *name, uint64_t *mode);		/* MPOL_F_* */

#endif
