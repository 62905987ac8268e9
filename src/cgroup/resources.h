/* cgroup/resources - linux.resources of the runtime specification as settings of cgroup v2 and v1; pure
 *
 * A controller that has a v1 hierarchy gets v1 files; all others get those of the unified hierarchy, by the conversions
 * that OCI runtimes share (shares to weights, memory+swap to swap, block I/O weights). What the specification marks as
 * v1's own (swappiness, kernel memory, real-time, network classes) and has no counterpart is an error there, unless the
 * value says what is so anyway (kernel: -1, disableOOMKiller: false). Zero means "not said" for the numbers that engines
 * send as zero: memory, shares, quota, period, pids, weights.
 *
 * Positions in complaints are `where` (".linux.resources" in a bundle, "" in a file of resources alone) and the member. */
#ifndef BRYO_CGROUP_RESOURCES_H
#define BRYO_CGROUP_RESOURCES_H

#include "cgroup/setting.h"
#include "spec/oci_runtime.h"

/* What is wrong wherever it would be applied. r may be NULL. */
int resources_check(const struct oci_resources *r, const char *where, struct error *err);
/* v1: the controllers with a v1 hierarchy. Settings are in the order in which they are to be written; what `unified`
 * says comes last. Device rules are not among them (cgroup/device). Checks first. */
int resources_settings(struct arena *arena, const struct oci_resources *r, const struct strings *v1, const char *where,
		       struct settings *ret, struct error *err);
/* Does it ask for a limit (other than of devices)? */
bool resources_has_limits(const struct oci_resources *r);

/* 2..262144 to 1..10000, as runc and crun convert; values outside are taken to the border, as v1's kernel does. */
uint64_t resources_cpu_weight(uint64_t shares);
/* 10..1000 to 1..10000. */
uint64_t resources_io_weight(uint64_t weight);
/* The part of memory+swap that is swap, for memory.swap.max: -1 without a limit, INT64_MIN when nothing is said. */
int64_t resources_swap(const struct oci_memory *m);

/* --- shared by the parts of this module */
struct resources_maker {
	struct arena *arena;
	struct settings *list;
	const char *where, *controller;
	bool v1;
};
/* Adds controller's file with the value; member (".memory.limit") completes the position. */
struct setting *resources_add(struct resources_maker *m, const char *member, const char *file, char *value);
char *resources_number(struct resources_maker *m, int64_t n);		/* "-1" stays on v1 and is "max" on v2 */
int resources_memory_v1(struct resources_maker *m, const struct oci_resources *r, struct error *err);
int resources_cpu_v1(struct resources_maker *m, const struct oci_resources *r, struct error *err);
int resources_block_io_v1(struct resources_maker *m, const struct oci_resources *r, struct error *err);
int resources_memory_v2(struct resources_maker *m, const struct oci_resources *r, struct error *err);
int resources_cpu_v2(struct resources_maker *m, const struct oci_resources *r, struct error *err);
int resources_block_io_v2(struct resources_maker *m, const struct oci_resources *r, struct error *err);

#endif
