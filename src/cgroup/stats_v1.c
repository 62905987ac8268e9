#include "cgroup/stats.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"

/* cgroup-v1/cpuacct.rst: usage in nanoseconds; cpuacct.stat in clock ticks, on kernels without usage_user. */
static void read_cpuacct(struct arena *arena, int dirfd, struct stats *ret)
{
	struct stats_cpu_usage *u = &ret->cpu.usage;
	char *text = control_read(arena, dirfd, "cpuacct.usage_percpu"), *word;

	*u = (struct stats_cpu_usage){ 0 };
	ret->has |= STATS_CPU;
	STATS_NUMBER(dirfd, "cpuacct.usage", &u->total);
	while (text && (word = strsep(&text, " \n")))
		if (*word)
			*ARRAY_ADD(arena, &u->percpu) = strtoull(word, NULL, 10);
	if (control_read_number(dirfd, "cpuacct.usage_user", &u->user) < 0 ||
	    control_read_number(dirfd, "cpuacct.usage_sys", &u->kernel) < 0) {
		uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);

		text = control_read(arena, dirfd, "cpuacct.stat");
		u->user = text ? control_key(text, "user") * tick : 0;
		u->kernel = text ? control_key(text, "system") * tick : 0;
	}
	/* A header, then lines "CPU USER SYSTEM". */
	text = control_read(arena, dirfd, "cpuacct.usage_all");
	for (char *line = text ? strchr(text, '\n') : NULL; line && line[1]; line = strchr(line + 1, '\n')) {
		char *end;

		strtoull(line + 1, &end, 10);
		*ARRAY_ADD(arena, &u->percpu_user) = strtoull(end, &end, 10);
		*ARRAY_ADD(arena, &u->percpu_kernel) = strtoull(end, &end, 10);
	}
}

static void read_cpu(struct arena *arena, int dirfd, struct stats *ret)
{
	const char *text = control_read(arena, dirfd, "cpu.stat");

	if (!text)
		return;
	ret->cpu.throttling = (struct stats_throttling){ control_key(text, "nr_periods"), control_key(text, "nr_throttled"),
							 control_key(text, "throttled_time") };
}

static void read_cpuset(struct arena *arena, int dirfd, struct stats *ret)
{
	struct stats_cpuset *c = &ret->cpuset;
	const struct { const char *file; uint64_t *number; } files[] = {
		{ "cpuset.cpu_exclusive", &c->cpu_exclusive }, { "cpuset.mem_hardwall", &c->mem_hardwall },
		{ "cpuset.mem_exclusive", &c->mem_exclusive }, { "cpuset.memory_migrate", &c->memory_migrate },
		{ "cpuset.memory_spread_page", &c->memory_spread_page },
		{ "cpuset.memory_spread_slab", &c->memory_spread_slab },
		{ "cpuset.memory_pressure", &c->memory_pressure }, { "cpuset.sched_load_balance", &c->sched_load_balance },
	};
	const char *level = control_read(arena, dirfd, "cpuset.sched_relax_domain_level");

	*c = (struct stats_cpuset){ .sched_relax_domain_level = level ? strtoll(level, NULL, 10) : 0 };
	stats_list(arena, control_read(arena, dirfd, "cpuset.cpus"), &c->cpus);
	stats_list(arena, control_read(arena, dirfd, "cpuset.mems"), &c->mems);
	for (size_t i = 0; i < ELEMENTS(files); i++)
		STATS_NUMBER(dirfd, files[i].file, files[i].number);
}

static void read_amount(struct arena *arena, int dirfd, const char *name, struct stats_amount *ret)
{
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.usage_in_bytes", name), &ret->usage);
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.limit_in_bytes", name), &ret->limit);
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.max_usage_in_bytes", name), &ret->max);
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.failcnt", name), &ret->failcnt);
}

static void read_memory(struct arena *arena, int dirfd, struct stats *ret)
{
	const char *text = control_read(arena, dirfd, "memory.stat");

	if (!text)
		return;
	ret->has |= STATS_MEMORY;
	read_amount(arena, dirfd, "memory", &ret->memory.usage);
	read_amount(arena, dirfd, "memory.memsw", &ret->memory.swap);
	read_amount(arena, dirfd, "memory.kmem", &ret->memory.kernel);
	read_amount(arena, dirfd, "memory.kmem.tcp", &ret->memory.kernel_tcp);
	ret->memory.cache = control_key(text, "total_cache");
	ret->memory.raw = stats_flat_keyed(arena, text);
}

static void read_pids(struct arena *arena, int dirfd, struct stats *ret)
{
	ret->has |= STATS_PIDS;
	STATS_NUMBER(dirfd, "pids.current", &ret->pids.current);
	STATS_NUMBER(dirfd, "pids.max", &ret->pids.limit);
	if (ret->pids.limit == CONTROL_NONE)
		ret->pids.limit = 0;
}

/* "8:0 Read 4096", "8:0 1234" (time, sectors), and at last "Total 4096". */
static void add_io(struct arena *arena, int dirfd, const char *file, void *array)
{
	ARRAY(struct stats_io_entry) *list = array;
	char *text = control_read(arena, dirfd, file), *line;

	while (text && (line = strsep(&text, "\n"))) {
		struct strings words = strings_split(arena, line, ": ");

		if (words.n < 3 || *line < '0' || *line > '9')
			continue;
		*ARRAY_ADD(arena, list) = (struct stats_io_entry){
			.major = strtoull(words.v[0], NULL, 10), .minor = strtoull(words.v[1], NULL, 10),
			.op = words.n > 3 ? words.v[2] : "", .value = strtoull(words.v[words.n - 1], NULL, 10) };
	}
}

/* The scheduler BFQ counts more than the throttling policy, when it is used. */
static void read_io(struct arena *arena, int dirfd, struct stats *ret)
{
	struct stats_io *io = &ret->io;

	*io = (struct stats_io){ 0 };
	ret->has |= STATS_IO;
	add_io(arena, dirfd, "blkio.bfq.io_service_bytes_recursive", &io->bytes);
	add_io(arena, dirfd, "blkio.bfq.io_serviced_recursive", &io->operations);
	if (io->bytes.n == 0 && io->operations.n == 0) {
		add_io(arena, dirfd, "blkio.throttle.io_service_bytes_recursive", &io->bytes);
		add_io(arena, dirfd, "blkio.throttle.io_serviced_recursive", &io->operations);
	}
	add_io(arena, dirfd, "blkio.bfq.io_queued_recursive", &io->queued);
	add_io(arena, dirfd, "blkio.bfq.io_service_time_recursive", &io->service_time);
	add_io(arena, dirfd, "blkio.bfq.io_wait_time_recursive", &io->wait_time);
	add_io(arena, dirfd, "blkio.bfq.io_merged_recursive", &io->merged);
	add_io(arena, dirfd, "blkio.bfq.time_recursive", &io->time);
	add_io(arena, dirfd, "blkio.bfq.sectors_recursive", &io->sectors);
}

static void read_hugetlb(struct arena *arena, int dirfd, struct stats *ret)
{
	ret->hugetlb.n = 0;
	stats_hugetlb_read(arena, dirfd, "usage_in_bytes", ret);
	for (size_t i = 0; i < ret->hugetlb.n; i++) {
		struct stats_hugetlb *h = &ret->hugetlb.v[i];

		STATS_NUMBER(dirfd, arena_printf(arena, "hugetlb.%s.max_usage_in_bytes", h->size), &h->max);
		STATS_NUMBER(dirfd, arena_printf(arena, "hugetlb.%s.failcnt", h->size), &h->failcnt);
	}
}

static const struct { const char *controller; void (*read)(struct arena *arena, int dirfd, struct stats *ret); } readers[] = {
	{ "cpuacct", read_cpuacct }, { "cpu", read_cpu }, { "cpuset", read_cpuset }, { "memory", read_memory },
	{ "pids", read_pids }, { "blkio", read_io }, { "hugetlb", read_hugetlb }, { "rdma", stats_rdma_read },
};

void stats_read_v1(struct arena *arena, int dirfd, const char *controllers, struct stats *ret)
{
	for (size_t i = 0; i < ELEMENTS(readers); i++)
		if (hierarchy_has(controllers, readers[i].controller))
			readers[i].read(arena, dirfd, ret);
}
