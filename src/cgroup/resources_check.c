#include "cgroup/resources.h"

#include <string.h>

#define SWAPPINESS_MAX 100
#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000
#define LIST_CHARACTERS "0123456789,-:/ \n"	/* "0-3,7", "0-31:2/4": cpuset(7), "List format" */

static int bad(struct error *err, const char *where, const char *member, const char *what)
{
	return error_set(err, ERROR_INVALID, "%s%s: %s", where, member, what);
}

static int check_memory(const struct oci_memory *m, const char *where, struct error *err)
{
	const struct { const char *member; const int64_t *value; } amounts[] = {
		{ ".memory.limit", m->limit }, { ".memory.reservation", m->reservation }, { ".memory.swap", m->swap },
		{ ".memory.kernel", m->kernel }, { ".memory.kernelTCP", m->kernel_tcp },
	};
	int64_t limit = m->limit ? *m->limit : 0, swap = m->swap ? *m->swap : 0;

	for (size_t i = 0; i < ELEMENTS(amounts); i++)
		if (amounts[i].value && *amounts[i].value < -1)
			return bad(err, where, amounts[i].member, "expected a number of bytes, or -1 for no limit");
	if (swap > 0 && limit > 0 && swap < limit)
		return bad(err, where, ".memory.swap", "memory and swap together are less than memory.limit");
	if (swap > 0 && limit == -1)
		return bad(err, where, ".memory.swap", "a limit of swap needs a limit of memory");
	if (m->swappiness && *m->swappiness > SWAPPINESS_MAX)
		return bad(err, where, ".memory.swappiness", "expected a number from 0 to 100");
	return 0;
}

static int check_cpu(const struct oci_cpu *c, const char *where, struct error *err)
{
	if (c->burst && c->quota && *c->quota > 0 && *c->burst > (uint64_t)*c->quota)
		return bad(err, where, ".cpu.burst", "more than cpu.quota");
	if (c->idle && *c->idle != 0 && *c->idle != 1)
		return bad(err, where, ".cpu.idle", "expected 0 or 1");
	if (c->cpus && strspn(c->cpus, LIST_CHARACTERS) != strlen(c->cpus))
		return bad(err, where, ".cpu.cpus", "expected a list of CPUs such as 0-3,7");
	if (c->mems && strspn(c->mems, LIST_CHARACTERS) != strlen(c->mems))
		return bad(err, where, ".cpu.mems", "expected a list of memory nodes such as 0,1");
	return 0;
}

static bool is_weight(const uint64_t *weight)
{
	return !weight || *weight == 0 || (*weight >= WEIGHT_MIN && *weight <= WEIGHT_MAX);
}

static int check_device_number(int64_t major, int64_t minor, const char *where, const char *list, size_t i,
			       struct error *err)
{
	if (major < 0 || major > UINT32_MAX || minor < 0 || minor > UINT32_MAX)
		return error_set(err, ERROR_INVALID, "%s.blockIO.%s[%zu]: no device has the number %lld:%lld", where, list, i,
				 (long long)major, (long long)minor);
	return 0;
}

static int check_weights(const struct oci_block_io *b, const char *where, struct error *err)
{
	if (!is_weight(b->weight))
		return bad(err, where, ".blockIO.weight", "expected a number from 10 to 1000");
	if (!is_weight(b->leaf_weight))
		return bad(err, where, ".blockIO.leafWeight", "expected a number from 10 to 1000");
	for (size_t i = 0; i < b->weight_device.n; i++) {
		const struct oci_weight_device *d = &b->weight_device.v[i];

		if (check_device_number(d->major, d->minor, where, "weightDevice", i, err) < 0)
			return -1;
		if (!d->weight && !d->leaf_weight)
			return error_set(err, ERROR_INVALID, "%s.blockIO.weightDevice[%zu]: weight or leafWeight is needed", where, i);
		if (!is_weight(d->weight) || !is_weight(d->leaf_weight))
			return error_set(err, ERROR_INVALID, "%s.blockIO.weightDevice[%zu].%s: expected a number from 10 to 1000",
					 where, i, is_weight(d->weight) ? "leafWeight" : "weight");
	}
	return 0;
}

static int check_block_io(const struct oci_block_io *b, const char *where, struct error *err)
{
	const struct { const char *name; const struct oci_throttle_device *v; size_t n; } lists[] = {
		{ "throttleReadBpsDevice", b->throttle_read_bps.v, b->throttle_read_bps.n },
		{ "throttleWriteBpsDevice", b->throttle_write_bps.v, b->throttle_write_bps.n },
		{ "throttleReadIOPSDevice", b->throttle_read_iops.v, b->throttle_read_iops.n },
		{ "throttleWriteIOPSDevice", b->throttle_write_iops.v, b->throttle_write_iops.n },
	};

	for (size_t i = 0; i < ELEMENTS(lists); i++)
		for (size_t j = 0; j < lists[i].n; j++)
			if (check_device_number(lists[i].v[j].major, lists[i].v[j].minor, where, lists[i].name, j, err) < 0)
				return -1;
	return check_weights(b, where, err);
}

/* "2MB", "1GB", "64KB": it becomes a part of file names. */
static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && digits < 16 && *s != '0' && strchr("KMG", s[digits]) && s[digits] && str_eq(s + digits + 1, "B");
}

/* A word that goes into a line of a control file. */
static bool is_word(const char *s, size_t max)
{
	return *s && strlen(s) <= max && strcspn(s, " \t\r\n/\"") == strlen(s);
}

static int check_network(const struct oci_network_resources *n, const char *where, struct error *err)
{
	if (n->class_id && *n->class_id > UINT32_MAX)
		return bad(err, where, ".network.classID", "expected a number below 4294967296");
	for (size_t i = 0; i < n->priorities.n; i++) {
		const struct oci_interface_priority *p = &n->priorities.v[i];

		if (!is_word(p->name, 15))
			return error_set(err, ERROR_INVALID, "%s.network.priorities[%zu].name: no name of an interface", where, i);
		if (p->priority > UINT32_MAX)
			return error_set(err, ERROR_INVALID, "%s.network.priorities[%zu].priority: expected a number below 4294967296",
					 where, i);
	}
	return 0;
}

static int check_rdma(const struct oci_rdma *d, const char *where, struct error *err)
{
	if (!is_word(d->device, 63))
		return error_set(err, ERROR_INVALID, "%s.rdma: no name of a device among its members", where);
	if (!d->hca_handles && !d->hca_objects)
		return error_set(err, ERROR_INVALID, "%s.rdma.%s: hcaHandles or hcaObjects is needed", where, d->device);
	if ((d->hca_handles && *d->hca_handles > UINT32_MAX) || (d->hca_objects && *d->hca_objects > UINT32_MAX))
		return error_set(err, ERROR_INVALID, "%s.rdma.%s: expected numbers below 4294967296", where, d->device);
	return 0;
}

/* Names of files in the cgroup's directory. Those that take processes are no limits. */
static int check_unified(const struct pair *p, const char *where, struct error *err)
{
	static const char *const processes[] = { "cgroup.procs", "cgroup.threads" };
	_cleanup_arena_ struct arena *scratch = arena_new();
	const char *key = str_printable(scratch, p->key, 128), *why = NULL;

	if (!*p->key || strchr(p->key, '/') || !strchr(p->key, '.') || *p->key == '.')
		why = "expected the name of a file such as memory.high";
	for (size_t i = 0; i < ELEMENTS(processes); i++)
		if (str_eq(p->key, processes[i]))
			why = "a file that moves processes is no limit";
	return why ? error_set(err, ERROR_INVALID, "%s.unified[\"%s\"]: %s", where, key, why) : 0;
}

int resources_check(const struct oci_resources *r, const char *where, struct error *err)
{
	if (!r)
		return 0;
	if ((r->memory && check_memory(r->memory, where, err) < 0) || (r->cpu && check_cpu(r->cpu, where, err) < 0) ||
	    (r->block_io && check_block_io(r->block_io, where, err) < 0) ||
	    (r->network && check_network(r->network, where, err) < 0))
		return -1;
	for (size_t i = 0; i < r->hugepage_limits.n; i++)
		if (!is_page_size(r->hugepage_limits.v[i].page_size))
			return error_set(err, ERROR_INVALID, "%s.hugepageLimits[%zu].pageSize: expected a size such as 2MB", where, i);
	for (size_t i = 0; i < r->rdma.n; i++)
		if (check_rdma(&r->rdma.v[i], where, err) < 0)
			return -1;
	for (size_t i = 0; i < r->unified.n; i++)
		if (check_unified(&r->unified.v[i], where, err) < 0)
			return -1;
	return 0;
}
