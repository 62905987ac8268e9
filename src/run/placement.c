#include "run/placement.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>

#ifndef MPOL_WEIGHTED_INTERLEAVE
#define MPOL_WEIGHTED_INTERLEAVE 6	/* since 6.9 */
#endif
#ifndef MPOL_PREFERRED_MANY
#define MPOL_PREFERRED_MANY 5		/* since 5.15 */
#endif
#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING (1 << 13)	/* since 5.12 */
#endif

struct word { const char *name; uint64_t value; };

static const struct word policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH }, { "SCHED_ISO", 4 }, { "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
};

static const struct word scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK }, { "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN }, { "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};

static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_RT", (uint64_t)IOPRIO_CLASS_RT << IOPRIO_CLASS_SHIFT },
	{ "IOPRIO_CLASS_BE", (uint64_t)IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT },
	{ "IOPRIO_CLASS_IDLE", (uint64_t)IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT },
};

static const struct word memory_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT }, { "MPOL_PREFERRED", MPOL_PREFERRED }, { "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_LOCAL", MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY }, { "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE },
};

static const struct word memory_flags[] = {
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES }, { "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
};

static int find(const struct word *words, size_t n, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(words[i].name, name)) {
			*ret = words[i].value;
			return 0;
		}
	return -1;
}

static int add_flag(const struct word *words, size_t n, const char *name, uint64_t *flags)
{
	uint64_t flag;

	if (find(words, n, name, &flag) < 0)
		return -1;
	*flags |= flag;
	return 0;
}

int placement_policy(const char *name, uint32_t *ret)
{
	uint64_t value;

	if (find(policies, ELEMENTS(policies), name, &value) < 0)
		return -1;
	*ret = (uint32_t)value;
	return 0;
}

int placement_scheduler_flag(const char *name, uint64_t *flags)
{
	return add_flag(scheduler_flags, ELEMENTS(scheduler_flags), name, flags);
}

int placement_io_class(const char *name, uint64_t *ret)
{
	return find(io_classes, ELEMENTS(io_classes), name, ret);
}

int placement_memory_mode(const char *name, uint64_t *ret)
{
	return find(memory_modes, ELEMENTS(memory_modes), name, ret);
}

int placement_memory_flag(const char *name, uint64_t *mode)
{
	return add_flag(memory_flags, ELEMENTS(memory_flags), name, mode);
}

void placement_memory_names(struct arena *arena, struct strings *ret_modes, struct strings *ret_flags)
{
	for (size_t i = 0; i < ELEMENTS(memory_modes); i++)
		strings_add(arena, ret_modes, memory_modes[i].name);
	for (size_t i = 0; i < ELEMENTS(memory_flags); i++)
		strings_add(arena, ret_flags, memory_flags[i].name);
}
