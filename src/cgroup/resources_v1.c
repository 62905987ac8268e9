#include "cgroup/resources.h"

static char *number(struct resources_maker *m, uint64_t n)
{
	return arena_printf(m->arena, "%llu", (unsigned long long)n);
}

/* --- memory */

/* The limit may not be above that of memory and swap together: raised, that one goes first; lowered, it goes last. */
static void limit_and_swap(struct resources_maker *m, const struct oci_memory *o)
{
	int64_t limit = o->limit ? *o->limit : 0, swap = o->swap ? *o->swap : 0;

	if (limit == -1 && swap == 0)
		swap = -1;
	if (limit)
		resources_add(m, ".memory.limit", "memory.limit_in_bytes", resources_number(m, limit))->again = true;
	if (swap)	/* no such file: the kernel does not count swap */
		resources_add(m, ".memory.swap", "memory.memsw.limit_in_bytes", resources_number(m, swap))->optional = true;
}

int resources_memory_v1(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const struct oci_memory *o = r->memory;

	if (!o)
		return 0;
	if (o->use_hierarchy)
		resources_add(m, ".memory.useHierarchy", "memory.use_hierarchy", *o->use_hierarchy ? "1" : "0");
	limit_and_swap(m, o);
	if (o->reservation && *o->reservation)
		resources_add(m, ".memory.reservation", "memory.soft_limit_in_bytes", resources_number(m, *o->reservation));
	if (o->kernel && *o->kernel > 0)	/* refused by kernels since 5.16 */
		resources_add(m, ".memory.kernel", "memory.kmem.limit_in_bytes", resources_number(m, *o->kernel));
	if (o->kernel_tcp && *o->kernel_tcp)
		resources_add(m, ".memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes", resources_number(m, *o->kernel_tcp));
	if (o->swappiness)
		resources_add(m, ".memory.swappiness", "memory.swappiness", number(m, *o->swappiness));
	if (o->disable_oom_killer)
		resources_add(m, ".memory.disableOOMKiller", "memory.oom_control", *o->disable_oom_killer ? "1" : "0");
	return 0;
}

/* --- cpu */
int resources_cpu_v1(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const struct oci_cpu *c = r->cpu;

	if (!c)
		return 0;
	if (c->idle && *c->idle == 0)
		resources_add(m, ".cpu.idle", "cpu.idle", "0")->optional = true;
	if (c->shares && *c->shares)
		resources_add(m, ".cpu.shares", "cpu.shares", number(m, *c->shares));
	if (c->idle && *c->idle == 1)
		resources_add(m, ".cpu.idle", "cpu.idle", "1");
	/* Old quota and new period, or old burst and new quota, may not go together. */
	if (c->period && *c->period)
		resources_add(m, ".cpu.period", "cpu.cfs_period_us", number(m, *c->period))->again = true;
	if (c->quota && *c->quota)
		resources_add(m, ".cpu.quota", "cpu.cfs_quota_us",
			      resources_number(m, *c->quota < 0 ? -1 : *c->quota))->again = true;
	if (c->burst)
		resources_add(m, ".cpu.burst", "cpu.cfs_burst_us", number(m, *c->burst));
	if (c->realtime_period && *c->realtime_period)
		resources_add(m, ".cpu.realtimePeriod", "cpu.rt_period_us", number(m, *c->realtime_period))->again = true;
	if (c->realtime_runtime && *c->realtime_runtime)
		resources_add(m, ".cpu.realtimeRuntime", "cpu.rt_runtime_us", resources_number(m, *c->realtime_runtime));
	return 0;
}

/* --- block I/O: CFQ's files on older kernels, BFQ's on newer ones */
static void weight(struct resources_maker *m, const char *member, const char *file, const char *other, char *value)
{
	struct setting *s = resources_add(m, member, file, value);

	s->other_file = other;
	s->other_value = value;
}

static char *of_device(struct resources_maker *m, int64_t major, int64_t minor, uint64_t n)
{
	return arena_printf(m->arena, "%lld:%lld %llu", (long long)major, (long long)minor, (unsigned long long)n);
}

static void weights(struct resources_maker *m, const struct oci_block_io *b)
{
	if (b->weight && *b->weight)
		weight(m, ".blockIO.weight", "blkio.weight", "blkio.bfq.weight", number(m, *b->weight));
	if (b->leaf_weight && *b->leaf_weight)
		resources_add(m, ".blockIO.leafWeight", "blkio.leaf_weight", number(m, *b->leaf_weight));
	for (size_t i = 0; i < b->weight_device.n; i++) {
		const struct oci_weight_device *d = &b->weight_device.v[i];
		char *member = arena_printf(m->arena, ".blockIO.weightDevice[%zu]", i);

		if (d->weight && *d->weight)
			weight(m, member, "blkio.weight_device", "blkio.bfq.weight_device",
			       of_device(m, d->major, d->minor, *d->weight));
		if (d->leaf_weight && *d->leaf_weight)
			resources_add(m, member, "blkio.leaf_weight_device", of_device(m, d->major, d->minor, *d->leaf_weight));
	}
}

static void throttle(struct resources_maker *m, const char *list, const char *file, const struct oci_throttle_device *v,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		resources_add(m, arena_printf(m->arena, ".blockIO.%s[%zu]", list, i), file,
			      of_device(m, v[i].major, v[i].minor, v[i].rate));
}

int resources_block_io_v1(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const struct oci_block_io *b = r->block_io;

	if (!b)
		return 0;
	weights(m, b);
	throttle(m, "throttleReadBpsDevice", "blkio.throttle.read_bps_device", b->throttle_read_bps.v, b->throttle_read_bps.n);
	throttle(m, "throttleWriteBpsDevice", "blkio.throttle.write_bps_device", b->throttle_write_bps.v,
		 b->throttle_write_bps.n);
	throttle(m, "throttleReadIOPSDevice", "blkio.throttle.read_iops_device", b->throttle_read_iops.v,
		 b->throttle_read_iops.n);
	throttle(m, "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", b->throttle_write_iops.v,
		 b->throttle_write_iops.n);
	return 0;
}
