#include "engine/container_stats.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/units.h"
#include "cgroup/stats.h"
#include "engine/pause.h"
#include "engine/state.h"
#include "engine/top_process.h"
#include "sys/fd.h"

#define PROC_MAX ((size_t)256 << 10)

static char *read_proc(struct engine *e, int64_t pid, const char *file)
{
	return fd_read_file(e->arena, AT_FDCWD, arena_printf(e->arena, "/proc/%lld/%s", (long long)pid, file), PROC_MAX, NULL);
}

/* --- what the cgroup counts */
static void add_block_io(const struct stats *s, struct container_sample *ret)
{
	for (size_t i = 0; i < s->io.bytes.n; i++) {
		const struct stats_io_entry *entry = &s->io.bytes.v[i];

		if (str_eq(entry->op, "Read"))
			ret->block_in += entry->value;
		else if (str_eq(entry->op, "Write"))
			ret->block_out += entry->value;
	}
}

/* Answers what there is nobody to count for. */
static unsigned sample_cgroup(struct engine *e, const struct cgroup *c, struct container_sample *ret)
{
	struct stats s;

	if (!c || stats_read(e->arena, c, &s, NULL) < 0)
		return STATS_CPU | STATS_MEMORY | STATS_PIDS | STATS_IO;
	ret->cpu_ns = s.cpu.usage.total;
	ret->cpu_kernel_ns = s.cpu.usage.kernel;
	ret->percpu.v = s.cpu.usage.percpu.v;
	ret->percpu.n = s.cpu.usage.percpu.n;
	ret->memory = s.memory.usage.usage;
	if (s.has & STATS_MEMORY && s.memory.usage.limit < ret->memory_limit)
		ret->memory_limit = s.memory.usage.limit;
	ret->pids = s.pids.current;
	add_block_io(&s, ret);
	return (STATS_CPU | STATS_MEMORY | STATS_PIDS | STATS_IO) & ~s.has;
}

/* --- the rest, process by process */

/* The number after "key" at the start of a line. */
static uint64_t number_after(const char *text, const char *key)
{
	for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL) {
		const char *value = str_after(text, key);

		if (value)
			return strtoull(value, NULL, 10);
	}
	return 0;
}

static void add_process(struct engine *e, int pid, unsigned lacking, struct container_sample *ret)
{
	const char *stat = read_proc(e, pid, "stat"), *rollup = NULL, *io = NULL;
	uint64_t tick = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	struct top_process p = { 0 };

	if (!stat || top_process_parse_stat(e->arena, stat, &p) < 0)
		return;
	if (lacking & STATS_PIDS)
		ret->pids++;
	if (lacking & STATS_CPU)
		ret->cpu_ns += p.cpu_ticks * tick;
	if (lacking & STATS_MEMORY) {
		rollup = read_proc(e, pid, "smaps_rollup");
		ret->memory += rollup ? number_after(rollup, "Pss:") * 1024 : p.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	if (lacking & STATS_IO) {
		io = read_proc(e, pid, "io");
		ret->block_in += number_after(io, "read_bytes: ");
		ret->block_out += number_after(io, "write_bytes: ");
	}
}

static void sample_processes(struct engine *e, const struct container_state *s, unsigned lacking,
			     struct container_sample *ret)
{
	struct pid_list pids = { 0 };
	struct error ignored = { 0 };

	if (s->cgroup)
		cgroup_pids(e->arena, s->cgroup, &pids.v, &pids.n, &ignored);
	if (!pids.n)
		pause_pids(e->arena, (pid_t)s->pid, &pids, &ignored);
	for (size_t i = 0; i < pids.n; i++)
		add_process(e, pids.v[i], lacking, ret);
}

/* What goes over the host's interfaces is not the container's alone. */
static bool shares_network(int64_t pid)
{
	struct stat mine, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%lld/ns/net", (long long)pid);
	return stat("/proc/self/ns/net", &mine) < 0 || stat(path, &its) < 0 ||
	       (mine.st_ino == its.st_ino && mine.st_dev == its.st_dev);
}

/* "  eth0: RX-BYTES PACKETS ERRS DROP FIFO FRAME COMPRESSED MULTICAST TX-BYTES ..." after two lines of headings */
static void sample_network(struct engine *e, int64_t pid, struct container_sample *ret)
{
	char *text = read_proc(e, pid, "net/dev"), *line;

	while (text && (line = strsep(&text, "\n"))) {
		char *colon = strchr(line, ':');
		uint64_t in, out;

		line += strspn(line, " ");
		if (!colon || str_starts(line, "lo:") ||
		    sscanf(colon + 1, " %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &in, &out) != 2)
			continue;
		ret->net_in += in;
		ret->net_out += out;
	}
}

void container_stats_sample(struct engine *e, const struct container *c, struct container_sample *ret)
{
	struct container_state s;
	struct error ignored = { 0 };
	struct sysinfo host;
	unsigned lacking;

	*ret = (struct container_sample){ .at_ns = units_now() };
	if (container_load_state(e, c, &s, &ignored) < 0 || !state_is_live(&s))
		return;
	ret->live = true;
	ret->started_ns = s.started_ns;
	ret->memory_limit = sysinfo(&host) == 0 ? (uint64_t)host.totalram * host.mem_unit : 0;
	lacking = sample_cgroup(e, s.cgroup, ret);
	if (lacking)
		sample_processes(e, &s, lacking, ret);
	if (!shares_network(s.pid))
		sample_network(e, s.pid, ret);
}

/* --- the row */
static double percent(uint64_t part, uint64_t whole)
{
	return whole ? (double)part * 100 / (double)whole : 0;
}

static double processor_share(uint64_t from_cpu, int64_t from_ns, const struct container_sample *now)
{
	if (now->at_ns <= from_ns || now->cpu_ns < from_cpu)
		return 0;
	return percent(now->cpu_ns - from_cpu, (uint64_t)(now->at_ns - from_ns));
}

struct json *container_stats_row(struct engine *e, const struct container *c, const struct container_sample *previous,
				 const struct container_sample *now)
{
	struct arena *a = e->arena;
	struct json *row = json_new_object(a), *percpu = json_new_list(a);
	const struct { const char *name; uint64_t value; } numbers[] = {
		{ "CPUNano", now->cpu_ns }, { "CPUSystemNano", now->cpu_kernel_ns }, { "SystemNano", (uint64_t)now->at_ns },
		{ "MemUsage", now->memory }, { "MemLimit", now->memory_limit }, { "NetInput", now->net_in },
		{ "NetOutput", now->net_out }, { "BlockInput", now->block_in }, { "BlockOutput", now->block_out },
		{ "PIDs", now->pids }, { "UpTime", now->cpu_ns }, { "Duration", now->cpu_ns },
	};
	bool again = previous && previous->live && previous->started_ns == now->started_ns;

	json_add(a, row, "ContainerID", json_new_string(a, c->id));
	json_add(a, row, "Name", json_new_string(a, c->name));
	if (!now->live)
		return row;
	json_add(a, row, "AvgCPU", json_new_double(a, processor_share(0, now->started_ns, now)));
	json_add(a, row, "CPU", json_new_double(a, again ? processor_share(previous->cpu_ns, previous->at_ns, now) :
							   processor_share(0, now->started_ns, now)));
	json_add(a, row, "MemPerc", json_new_double(a, percent(now->memory, now->memory_limit)));
	for (size_t i = 0; i < ELEMENTS(numbers); i++)
		json_add(a, row, numbers[i].name, json_new_uint(a, numbers[i].value));
	for (size_t i = 0; i < now->percpu.n; i++)
		json_append(a, percpu, json_new_uint(a, now->percpu.v[i]));
	json_add(a, row, "PerCPU", percpu);
	return row;
}
