#include "cgroup/resources.h"

static char *number(struct resources_maker *m, uint64_t n)
{
	return arena_printf(m->arena, "%llu", (unsigned long long)n);
}

static int only_v1(struct resources_maker *m, const char *member, const char *what, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED, "%s%s: cgroup v2 has no %s", m->where, member, what);
}

static bool is_limit(const int64_t *n)
{
	return n && *n > 0;
}

/* --- memory */
static int refuse_v1_memory(struct resources_maker *m, const struct oci_memory *o, struct error *err)
{
	if (is_limit(o->kernel))
		return only_v1(m, ".memory.kernel", "limit of the kernel's memory", err);
	if (is_limit(o->kernel_tcp))
		return only_v1(m, ".memory.kernelTCP", "limit of TCP buffers", err);
	if (o->swappiness)
		return only_v1(m, ".memory.swappiness", "swappiness", err);
	if (o->disable_oom_killer && *o->disable_oom_killer)
		return only_v1(m, ".memory.disableOOMKiller", "way to disable the OOM killer", err);
	if (o->use_hierarchy && !*o->use_hierarchy)
		return only_v1(m, ".memory.useHierarchy", "memory accounting without hierarchy", err);
	return 0;
}

int resources_memory_v2(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const struct oci_memory *o = r->memory;
	int64_t swap;

	if (!o)
		return 0;
	if (refuse_v1_memory(m, o, err) < 0)
		return -1;
	swap = resources_swap(o);
	if (is_limit(o->swap) && !is_limit(o->limit))
		return error_set(err, ERROR_INVALID, "%s.memory.swap: a limit of swap needs a limit of memory", m->where);
	/* Without swap accounting there is no such file, and no swap to limit. */
	if (swap != INT64_MIN)
		resources_add(m, ".memory.swap", "memory.swap.max", resources_number(m, swap))->optional = true;
	if (o->limit && *o->limit)
		resources_add(m, ".memory.limit", "memory.max", resources_number(m, *o->limit));
	if (o->reservation && *o->reservation)
		resources_add(m, ".memory.reservation", "memory.low", resources_number(m, *o->reservation));
	return 0;
}

/* --- cpu */

/* A weight is not taken from an idle cgroup, so it goes before idle: 1 and after idle: 0. */
static void idle_and_weight(struct resources_maker *m, const struct oci_cpu *c)
{
	bool idle = c->idle && *c->idle;

	if (c->idle && !idle)
		resources_add(m, ".cpu.idle", "cpu.idle", "0");
	if (c->shares && *c->shares)
		resources_add(m, ".cpu.shares", "cpu.weight", number(m, resources_cpu_weight(*c->shares)))->again = idle;
	if (idle)
		resources_add(m, ".cpu.idle", "cpu.idle", "1");
}

int resources_cpu_v2(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const struct oci_cpu *c = r->cpu;
	bool quota = c && c->quota && *c->quota, period = c && c->period && *c->period;

	if (!c)
		return 0;
	if ((c->realtime_runtime && *c->realtime_runtime) || (c->realtime_period && *c->realtime_period))
		return only_v1(m, c->realtime_runtime ? ".cpu.realtimeRuntime" : ".cpu.realtimePeriod",
			       "limit of real-time scheduling", err);
	idle_and_weight(m, c);
	if (quota || period) {	/* a period that is not said stays what it is */
		char *value = quota ? resources_number(m, *c->quota) : "max";

		if (period)
			value = arena_printf(m->arena, "%s %llu", value, (unsigned long long)*c->period);
		resources_add(m, quota ? ".cpu.quota" : ".cpu.period", "cpu.max", value)->again = true;
	}
	if (c->burst)
		resources_add(m, ".cpu.burst", "cpu.max.burst", number(m, *c->burst));
	return 0;
}

/* --- block I/O: BFQ's own weights where that scheduler is there, else those of the cost model */
static void weight(struct resources_maker *m, const char *member, const char *device, uint64_t n)
{
	struct setting *s;

	if (n == 0)
		return;
	s = resources_add(m, member, "io.bfq.weight", arena_printf(m->arena, "%s%llu", device, (unsigned long long)n));
	s->other_file = "io.weight";
	s->other_value = arena_printf(m->arena, "%s%llu", device, (unsigned long long)resources_io_weight(n));
}

static char *device_number(struct resources_maker *m, int64_t major, int64_t minor)
{
	return arena_printf(m->arena, "%lld:%lld ", (long long)major, (long long)minor);
}

static void throttle(struct resources_maker *m, const char *list, const char *key, const struct oci_throttle_device *v,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *device = device_number(m, v[i].major, v[i].minor);
		char *rate = v[i].rate ? number(m, v[i].rate) : "max";	/* 0 lifts the limit on v1 */

		resources_add(m, arena_printf(m->arena, ".blockIO.%s[%zu]", list, i), "io.max",
			      arena_printf(m->arena, "%s%s=%s", device, key, rate));
	}
}

int resources_block_io_v2(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const struct oci_block_io *b = r->block_io;

	if (!b)
		return 0;
	if (b->leaf_weight && *b->leaf_weight)
		return only_v1(m, ".blockIO.leafWeight", "leaf weights", err);
	weight(m, ".blockIO.weight", "", b->weight ? *b->weight : 0);
	for (size_t i = 0; i < b->weight_device.n; i++) {
		const struct oci_weight_device *d = &b->weight_device.v[i];
		char *member = arena_printf(m->arena, ".blockIO.weightDevice[%zu]", i);

		weight(m, member, device_number(m, d->major, d->minor), d->weight ? *d->weight : 0);
	}
	throttle(m, "throttleReadBpsDevice", "rbps", b->throttle_read_bps.v, b->throttle_read_bps.n);
	throttle(m, "throttleWriteBpsDevice", "wbps", b->throttle_write_bps.v, b->throttle_write_bps.n);
	throttle(m, "throttleReadIOPSDevice", "riops", b->throttle_read_iops.v, b->throttle_read_iops.n);
	throttle(m, "throttleWriteIOPSDevice", "wiops", b->throttle_write_iops.v, b->throttle_write_iops.n);
	return 0;
}
