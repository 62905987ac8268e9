/* cgroup/stats - what a container has used
 *
 * One structure for v2 and v1, in the members that runc's `events --stats` prints. Files that are not there (controllers
 * that are not enabled, older kernels) leave zeros, and `has` says which groups are real. */
#ifndef BRYO_CGROUP_STATS_H
#define BRYO_CGROUP_STATS_H

#include "cgroup/cgroup.h"

enum stats_part { STATS_CPU = 1, STATS_MEMORY = 2, STATS_PIDS = 4, STATS_IO = 8 };

struct stats_cpu_usage {
	uint64_t total, kernel, user;		/* nanoseconds */
	ARRAY(uint64_t) percpu, percpu_kernel, percpu_user;
};
struct stats_throttling { uint64_t periods, throttled_periods, throttled_time; };	/* time in nanoseconds */

/* Pressure stall information: share of time in percent over 10, 60 and 300 seconds; total in microseconds. */
struct stats_pressure { double avg10, avg60, avg300; uint64_t total; };
struct stats_psi { struct stats_pressure some, full; };

struct stats_cpu {
	struct stats_cpu_usage usage;
	struct stats_throttling throttling;
	struct stats_psi *psi;
};

/* Bytes. limit: UINT64_MAX when there is none. */
struct stats_amount { uint64_t limit, usage, max, failcnt; };
struct stats_memory {
	uint64_t cache;
	struct stats_amount usage, swap, kernel, kernel_tcp;	/* swap: memory and swap together, as on v1 */
	struct json *raw;			/* memory.stat, an object of numbers */
	struct stats_psi *psi;
};

struct stats_pids { uint64_t current, limit; };	/* limit 0: none */

struct stats_io_entry { uint64_t major, minor; char *op; uint64_t value; };
struct stats_io {
	ARRAY(struct stats_io_entry) bytes, operations, queued, service_time, wait_time, merged, time, sectors;
	struct stats_psi *psi;
};

/* Of v1's controller; the lists of what is in effect on both. */
struct stats_cpuset {
	ARRAY(uint64_t) cpus, mems;
	uint64_t cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate, memory_spread_page, memory_spread_slab,
		 memory_pressure, sched_load_balance;
	int64_t sched_relax_domain_level;
};

struct stats_hugetlb { char *size; uint64_t usage, max, failcnt; };

struct stats_rdma_entry { char *device; uint64_t hca_handles, hca_objects; };
struct stats_rdma { ARRAY(struct stats_rdma_entry) limit, current; };

struct stats {
	struct stats_cpu cpu;
	struct stats_cpuset cpuset;
	struct stats_memory memory;
	struct stats_pids pids;
	struct stats_io io;
	ARRAY(struct stats_hugetlb) hugetlb;	/* by page size */
	struct stats_rdma *rdma;
	unsigned has;				/* enum stats_part; not encoded */
};
extern const struct json_shape stats_shape;

/* The parts: from an open directory of the unified hierarchy, and of one v1 hierarchy. */
void stats_read_v2(struct arena *arena, int dirfd, struct stats *ret);
void stats_read_v1(struct arena *arena, int dirfd, const char *controllers, struct stats *ret);

/* --- texts that both have */
#define STATS_NUMBER(dirfd, file, number) \
	do { if (control_read_number(dirfd, file, number) < 0) *(number) = 0; } while (0)
struct json *stats_flat_keyed(struct arena *arena, const char *text);	/* "key number" lines as an object */
void stats_list(struct arena *arena, const char *text, void *ret_array);	/* "0-3,7" into an ARRAY(uint64_t) */
void stats_hugetlb_read(struct arena *arena, int dirfd, const char *suffix, struct stats *ret);
void stats_rdma_read(struct arena *arena, int dirfd, struct stats *ret);

/* Fails when there is no cgroup (ERROR_UNSUPPORTED) or it is gone. */
int stats_read(struct arena *arena, const struct cgroup *c, struct stats *ret, struct error *err);

#endif
