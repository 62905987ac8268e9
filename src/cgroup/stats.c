#include "cgroup/stats.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "sys/fd.h"

#define F JSON_FIELD
#define ALWAYS .always = true

/* The members of runc's events, as its users parse them. */
JSON_SHAPE(stats_cpu_usage,
	F(stats_cpu_usage, total, "total", T_UINT),
	F(stats_cpu_usage, percpu, "percpu", T_UINTS),
	F(stats_cpu_usage, percpu_kernel, "percpu_kernel", T_UINTS),
	F(stats_cpu_usage, percpu_user, "percpu_user", T_UINTS),
	F(stats_cpu_usage, kernel, "kernel", T_UINT, ALWAYS),
	F(stats_cpu_usage, user, "user", T_UINT, ALWAYS));

JSON_SHAPE(stats_throttling,
	F(stats_throttling, periods, "periods", T_UINT),
	F(stats_throttling, throttled_periods, "throttledPeriods", T_UINT),
	F(stats_throttling, throttled_time, "throttledTime", T_UINT));

JSON_SHAPE(stats_pressure,
	F(stats_pressure, avg10, "avg10", T_DOUBLE, ALWAYS),
	F(stats_pressure, avg60, "avg60", T_DOUBLE, ALWAYS),
	F(stats_pressure, avg300, "avg300", T_DOUBLE, ALWAYS),
	F(stats_pressure, total, "total", T_UINT, ALWAYS));

JSON_SHAPE(stats_psi,
	F(stats_psi, some, "some", T_EMBED, .shape = &stats_pressure_shape),
	F(stats_psi, full, "full", T_EMBED, .shape = &stats_pressure_shape));

JSON_SHAPE(stats_cpu,
	F(stats_cpu, usage, "usage", T_EMBED, .shape = &stats_cpu_usage_shape, ALWAYS),
	F(stats_cpu, throttling, "throttling", T_EMBED, .shape = &stats_throttling_shape, ALWAYS),
	F(stats_cpu, psi, "psi", T_OBJECT, .shape = &stats_psi_shape));

JSON_SHAPE(stats_cpuset,
	F(stats_cpuset, cpus, "cpus", T_UINTS),
	F(stats_cpuset, cpu_exclusive, "cpu_exclusive", T_UINT, ALWAYS),
	F(stats_cpuset, mems, "mems", T_UINTS),
	F(stats_cpuset, mem_hardwall, "mem_hardwall", T_UINT, ALWAYS),
	F(stats_cpuset, mem_exclusive, "mem_exclusive", T_UINT, ALWAYS),
	F(stats_cpuset, memory_migrate, "memory_migrate", T_UINT, ALWAYS),
	F(stats_cpuset, memory_spread_page, "memory_spread_page", T_UINT, ALWAYS),
	F(stats_cpuset, memory_spread_slab, "memory_spread_slab", T_UINT, ALWAYS),
	F(stats_cpuset, memory_pressure, "memory_pressure", T_UINT, ALWAYS),
	F(stats_cpuset, sched_load_balance, "sched_load_balance", T_UINT, ALWAYS),
	F(stats_cpuset, sched_relax_domain_level, "sched_relax_domain_level", T_INT, ALWAYS));

JSON_SHAPE(stats_amount,
	F(stats_amount, limit, "limit", T_UINT, ALWAYS),
	F(stats_amount, usage, "usage", T_UINT),
	F(stats_amount, max, "max", T_UINT),
	F(stats_amount, failcnt, "failcnt", T_UINT, ALWAYS));

JSON_SHAPE(stats_memory,
	F(stats_memory, cache, "cache", T_UINT),
	F(stats_memory, usage, "usage", T_EMBED, .shape = &stats_amount_shape, ALWAYS),
	F(stats_memory, swap, "swap", T_EMBED, .shape = &stats_amount_shape, ALWAYS),
	F(stats_memory, kernel, "kernel", T_EMBED, .shape = &stats_amount_shape, ALWAYS),
	F(stats_memory, kernel_tcp, "kernelTCP", T_EMBED, .shape = &stats_amount_shape, ALWAYS),
	F(stats_memory, raw, "raw", T_ANY),
	F(stats_memory, psi, "psi", T_OBJECT, .shape = &stats_psi_shape));

JSON_SHAPE(stats_pids, F(stats_pids, current, "current", T_UINT), F(stats_pids, limit, "limit", T_UINT));

JSON_SHAPE(stats_io_entry,
	F(stats_io_entry, major, "major", T_UINT),
	F(stats_io_entry, minor, "minor", T_UINT),
	F(stats_io_entry, op, "op", T_STRING),
	F(stats_io_entry, value, "value", T_UINT));

JSON_SHAPE(stats_io,
	F(stats_io, bytes, "ioServiceBytesRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, operations, "ioServicedRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, queued, "ioQueueRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, service_time, "ioServiceTimeRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, wait_time, "ioWaitTimeRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, merged, "ioMergedRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, time, "ioTimeRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, sectors, "sectorsRecursive", T_OBJECTS, .shape = &stats_io_entry_shape),
	F(stats_io, psi, "psi", T_OBJECT, .shape = &stats_psi_shape));

JSON_SHAPE(stats_hugetlb,
	F(stats_hugetlb, size, "", T_KEY),
	F(stats_hugetlb, usage, "usage", T_UINT),
	F(stats_hugetlb, max, "max", T_UINT),
	F(stats_hugetlb, failcnt, "failcnt", T_UINT, ALWAYS));

JSON_SHAPE(stats_rdma_entry,
	F(stats_rdma_entry, device, "device", T_STRING),
	F(stats_rdma_entry, hca_handles, "hcaHandles", T_UINT),
	F(stats_rdma_entry, hca_objects, "hcaObjects", T_UINT));

JSON_SHAPE(stats_rdma,
	F(stats_rdma, limit, "rdmaLimit", T_OBJECTS, .shape = &stats_rdma_entry_shape),
	F(stats_rdma, current, "rdmaCurrent", T_OBJECTS, .shape = &stats_rdma_entry_shape));

JSON_SHAPE(stats,
	F(stats, cpu, "cpu", T_EMBED, .shape = &stats_cpu_shape, ALWAYS),
	F(stats, cpuset, "cpuset", T_EMBED, .shape = &stats_cpuset_shape, ALWAYS),
	F(stats, memory, "memory", T_EMBED, .shape = &stats_memory_shape, ALWAYS),
	F(stats, pids, "pids", T_EMBED, .shape = &stats_pids_shape, ALWAYS),
	F(stats, io, "blkio", T_EMBED, .shape = &stats_io_shape, ALWAYS),
	F(stats, hugetlb, "hugetlb", T_OBJECT_MAP, .shape = &stats_hugetlb_shape, ALWAYS),
	F(stats, rdma, "rdma", T_OBJECT, .shape = &stats_rdma_shape));

/* --- texts that both versions have */
struct json *stats_flat_keyed(struct arena *arena, const char *text)
{
	struct json *object = json_new_object(arena);
	struct strings lines = strings_split(arena, text ? text : "", "\n");

	for (size_t i = 0; i < lines.n; i++) {
		char *number = lines.v[i], *key = strsep(&number, " ");

		if (number && *key)
			json_add(arena, object, key, json_new_uint(arena, strtoull(number, NULL, 10)));
	}
	return object;
}

void stats_list(struct arena *arena, const char *text, void *ret_array)
{
	ARRAY(uint64_t) *list = ret_array;
	char *end;

	for (; text && *text >= '0' && *text <= '9'; text = *end == ',' ? end + 1 : NULL) {
		unsigned long first = strtoul(text, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

		for (; first <= last && list->n < 65536; first++)
			*ARRAY_ADD(arena, list) = first;
	}
}

/* "hugetlb.2MB.current" and "hugetlb.2MB.usage_in_bytes" name the sizes there are. */
void stats_hugetlb_read(struct arena *arena, int dirfd, const char *suffix, struct stats *ret)
{
	_cleanup_dir_ DIR *dir = fd_opendir(dirfd, ".");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		const char *size = str_after(e->d_name, "hugetlb."), *end = size ? strchr(size, '.') : NULL;
		struct stats_hugetlb *h;

		if (!end || !str_eq(end + 1, suffix))
			continue;
		h = ARRAY_ADD(arena, &ret->hugetlb);
		h->size = arena_strndup(arena, size, (size_t)(end - size));
		STATS_NUMBER(dirfd, e->d_name, &h->usage);
	}
}

/* "mlx4_0 hca_handle=2 hca_object=2000" */
static void add_rdma(struct arena *arena, const char *text, void *array)
{
	ARRAY(struct stats_rdma_entry) *list = array;
	struct strings lines = strings_split(arena, text ? text : "", "\n");

	for (size_t i = 0; i < lines.n; i++) {
		struct strings words = strings_split(arena, lines.v[i], " ");
		struct stats_rdma_entry entry = { .device = words.v[0] };

		for (size_t j = 1; j < words.n; j++) {
			const char *handles = str_after(words.v[j], "hca_handle="), *objects = str_after(words.v[j], "hca_object=");

			if (handles)
				entry.hca_handles = str_eq(handles, "max") ? UINT32_MAX : strtoul(handles, NULL, 10);
			if (objects)
				entry.hca_objects = str_eq(objects, "max") ? UINT32_MAX : strtoul(objects, NULL, 10);
		}
		if (*entry.device)
			*ARRAY_ADD(arena, list) = entry;
	}
}

void stats_rdma_read(struct arena *arena, int dirfd, struct stats *ret)
{
	const char *current = control_read(arena, dirfd, "rdma.current"), *limit = control_read(arena, dirfd, "rdma.max");

	if (!current)
		return;
	ret->rdma = arena_new_one(arena, struct stats_rdma);
	add_rdma(arena, current, &ret->rdma->current);
	add_rdma(arena, limit, &ret->rdma->limit);
}

/* v1's controllers say more of what they count, so they are asked last. */
int stats_read(struct arena *arena, const struct cgroup *c, struct stats *ret, struct error *err)
{
	struct stats s = { 0 };

	if (c->places.n == 0)
		return error_set(err, ERROR_UNSUPPORTED, "the container has no cgroup of its own, so nothing counts what it uses");
	for (size_t i = 0; i < c->places.n; i++) {
		const struct cgroup_place *p = &c->places.v[i];
		_cleanup_fd_ int dirfd = control_open_dir(p->path);

		if (dirfd < 0)
			return error_errno(err, "open the cgroup %s", p->path);
		if (hierarchy_is_unified(p->controllers))
			stats_read_v2(arena, dirfd, &s);
		else
			stats_read_v1(arena, dirfd, p->controllers, &s);
	}
	*ret = s;
	return 0;
}
