#include "cgroup/stats.h"

#include <stdlib.h>
#include <string.h>

#include "cgroup/control.h"

#define NS_PER_US 1000

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" (psi.rst) */
static void parse_pressure(const char *line, struct stats_pressure *ret)
{
	const struct { const char *key; double *value; } averages[] = {
		{ "avg10=", &ret->avg10 }, { "avg60=", &ret->avg60 }, { "avg300=", &ret->avg300 },
	};
	const char *at;

	for (size_t i = 0; i < ELEMENTS(averages); i++)
		if ((at = strstr(line, averages[i].key)))
			*averages[i].value = strtod(at + strlen(averages[i].key), NULL);
	at = strstr(line, "total=");
	if (at)
		ret->total = strtoull(at + 6, NULL, 10);
}

/* NULL where the kernel does not measure it. */
static struct stats_psi *read_pressure(struct arena *arena, int dirfd, const char *file)
{
	char *text = control_read(arena, dirfd, file), *line;
	struct stats_psi *psi = text && *text ? arena_new_one(arena, struct stats_psi) : NULL;

	while (psi && (line = strsep(&text, "\n")))
		if (str_starts(line, "some ") || str_starts(line, "full "))
			parse_pressure(line, *line == 's' ? &psi->some : &psi->full);
	return psi;
}

/* cpu.stat's first lines are there without the controller. */
static void read_cpu(struct arena *arena, int dirfd, struct stats *ret)
{
	const char *text = control_read(arena, dirfd, "cpu.stat");
	struct stats_cpu *cpu = &ret->cpu;

	if (!text)
		return;
	ret->has |= STATS_CPU;
	cpu->usage.total = control_key(text, "usage_usec") * NS_PER_US;
	cpu->usage.user = control_key(text, "user_usec") * NS_PER_US;
	cpu->usage.kernel = control_key(text, "system_usec") * NS_PER_US;
	cpu->throttling.periods = control_key(text, "nr_periods");
	cpu->throttling.throttled_periods = control_key(text, "nr_throttled");
	cpu->throttling.throttled_time = control_key(text, "throttled_usec") * NS_PER_US;
	cpu->psi = read_pressure(arena, dirfd, "cpu.pressure");
	stats_list(arena, control_read(arena, dirfd, "cpuset.cpus.effective"), &ret->cpuset.cpus);
	stats_list(arena, control_read(arena, dirfd, "cpuset.mems.effective"), &ret->cpuset.mems);
}

static void read_amount(struct arena *arena, int dirfd, const char *name, struct stats_amount *ret)
{
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.current", name), &ret->usage);
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.max", name), &ret->limit);
	STATS_NUMBER(dirfd, arena_printf(arena, "%s.peak", name), &ret->max);
	if (control_read_key(dirfd, arena_printf(arena, "%s.events", name), "max", &ret->failcnt) < 0)
		ret->failcnt = 0;
}

static void read_memory(struct arena *arena, int dirfd, struct stats *ret)
{
	const char *text = control_read(arena, dirfd, "memory.stat");
	struct stats_memory *memory = &ret->memory;

	if (!text)
		return;
	ret->has |= STATS_MEMORY;
	read_amount(arena, dirfd, "memory", &memory->usage);
	read_amount(arena, dirfd, "memory.swap", &memory->swap);
	/* v1's swap is memory and swap together, and so is what is reported. */
	memory->swap.usage += memory->usage.usage;
	memory->swap.max = 0;
	if (memory->swap.limit != CONTROL_NONE)
		memory->swap.limit = memory->usage.limit == CONTROL_NONE ? CONTROL_NONE : memory->swap.limit + memory->usage.limit;
	memory->cache = control_key(text, "file");
	memory->kernel.usage = control_key(text, "kernel");
	memory->kernel.limit = CONTROL_NONE;
	memory->raw = stats_flat_keyed(arena, text);
	memory->psi = read_pressure(arena, dirfd, "memory.pressure");
}

static void read_pids(int dirfd, struct stats *ret)
{
	if (control_read_number(dirfd, "pids.current", &ret->pids.current) < 0)
		return;
	ret->has |= STATS_PIDS;
	STATS_NUMBER(dirfd, "pids.max", &ret->pids.limit);
	if (ret->pids.limit == CONTROL_NONE)
		ret->pids.limit = 0;
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void add_io(struct arena *arena, char *line, struct stats_io *ret)
{
	static const struct { const char *key, *op; bool bytes; } keys[] = {
		{ "rbytes=", "Read", true }, { "wbytes=", "Write", true }, { "dbytes=", "Discard", true },
		{ "rios=", "Read", false }, { "wios=", "Write", false }, { "dios=", "Discard", false },
	};
	char *word = strsep(&line, " "), *colon = strchr(word, ':');
	uint64_t major = strtoull(word, NULL, 10), minor = colon ? strtoull(colon + 1, NULL, 10) : 0;

	while (colon && (word = strsep(&line, " ")))
		for (size_t i = 0; i < ELEMENTS(keys); i++) {
			const char *value = str_after(word, keys[i].key);
			struct stats_io_entry *entry;

			if (!value)
				continue;
			entry = keys[i].bytes ? ARRAY_ADD(arena, &ret->bytes) : ARRAY_ADD(arena, &ret->operations);
			*entry = (struct stats_io_entry){ major, minor, (char *)keys[i].op, strtoull(value, NULL, 10) };
		}
}

static void read_io(struct arena *arena, int dirfd, struct stats *ret)
{
	char *text = control_read(arena, dirfd, "io.stat"), *line;

	if (!text)
		return;
	ret->has |= STATS_IO;
	while ((line = strsep(&text, "\n")))
		add_io(arena, line, &ret->io);
	ret->io.psi = read_pressure(arena, dirfd, "io.pressure");
}

static void read_hugetlb(struct arena *arena, int dirfd, struct stats *ret)
{
	size_t before = ret->hugetlb.n;

	stats_hugetlb_read(arena, dirfd, "current", ret);
	for (size_t i = before; i < ret->hugetlb.n; i++) {
		struct stats_hugetlb *h = &ret->hugetlb.v[i];

		if (control_read_key(dirfd, arena_printf(arena, "hugetlb.%s.events", h->size), "max", &h->failcnt) < 0)
			h->failcnt = 0;
	}
}

void stats_read_v2(struct arena *arena, int dirfd, struct stats *ret)
{
	read_cpu(arena, dirfd, ret);
	read_memory(arena, dirfd, ret);
	read_pids(dirfd, ret);
	read_io(arena, dirfd, ret);
	read_hugetlb(arena, dirfd, ret);
	stats_rdma_read(arena, dirfd, ret);
}
