#include "cgroup/resources.h"

#include <string.h>

#define SHARES_MIN 2
#define SHARES_MAX 262144

uint64_t resources_cpu_weight(uint64_t shares)
{
	shares = shares < SHARES_MIN ? SHARES_MIN : shares > SHARES_MAX ? SHARES_MAX : shares;
	return 1 + (shares - 2) * 9999 / 262142;
}

uint64_t resources_io_weight(uint64_t weight)
{
	return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

int64_t resources_swap(const struct oci_memory *m)
{
	int64_t limit = m->limit ? *m->limit : 0, swap = m->swap ? *m->swap : 0;

	if (swap == 0)
		return limit == -1 ? -1 : INT64_MIN;	/* no limit of memory: none of both */
	return swap == -1 ? -1 : swap - limit;
}

struct setting *resources_add(struct resources_maker *m, const char *member, const char *file, char *value)
{
	struct setting *s = ARRAY_ADD(m->arena, m->list);

	*s = (struct setting){ .controller = m->controller, .v1 = m->v1, .file = file, .value = value,
			       .position = arena_printf(m->arena, "%s%s", m->where, member) };
	return s;
}

char *resources_number(struct resources_maker *m, int64_t n)
{
	return n < 0 && !m->v1 ? "max" : arena_printf(m->arena, "%lld", (long long)n);
}

static int cpuset(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	if (r->cpu && !str_is_empty(r->cpu->cpus))
		resources_add(m, ".cpu.cpus", "cpuset.cpus", r->cpu->cpus);
	if (r->cpu && !str_is_empty(r->cpu->mems))
		resources_add(m, ".cpu.mems", "cpuset.mems", r->cpu->mems);
	return 0;
}

static int pids(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	if (r->pids && r->pids->limit && *r->pids->limit)	/* v1 too knows "max", and no -1 */
		resources_add(m, ".pids.limit", "pids.max",
			      *r->pids->limit < 0 ? "max" : arena_printf(m->arena, "%lld", (long long)*r->pids->limit));
	return 0;
}

/* Reservations are limited as well where the kernel counts them (since 5.7). */
static int hugetlb(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	const char *suffix = m->v1 ? "limit_in_bytes" : "max";

	for (size_t i = 0; i < r->hugepage_limits.n; i++) {
		const struct oci_hugepage *h = &r->hugepage_limits.v[i];
		const char *member = arena_printf(m->arena, ".hugepageLimits[%zu]", i);
		char *value = arena_printf(m->arena, "%llu", (unsigned long long)h->limit);

		resources_add(m, member, arena_printf(m->arena, "hugetlb.%s.%s", h->page_size, suffix), value);
		resources_add(m, member, arena_printf(m->arena, "hugetlb.%s.rsvd.%s", h->page_size, suffix), value)->optional = true;
	}
	return 0;
}

static int network_class(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	if (r->network && r->network->class_id)
		resources_add(m, ".network.classID", "net_cls.classid",
			      arena_printf(m->arena, "%llu", (unsigned long long)*r->network->class_id));
	return 0;
}

static int network_priority(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	for (size_t i = 0; r->network && i < r->network->priorities.n; i++) {
		const struct oci_interface_priority *p = &r->network->priorities.v[i];

		resources_add(m, arena_printf(m->arena, ".network.priorities[%zu]", i), "net_prio.ifpriomap",
			      arena_printf(m->arena, "%s %llu", p->name, (unsigned long long)p->priority));
	}
	return 0;
}

static int rdma(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	for (size_t i = 0; i < r->rdma.n; i++) {
		const struct oci_rdma *d = &r->rdma.v[i];
		char *value = arena_strdup(m->arena, d->device);

		if (d->hca_handles)
			value = arena_printf(m->arena, "%s hca_handle=%llu", value, (unsigned long long)*d->hca_handles);
		if (d->hca_objects)
			value = arena_printf(m->arena, "%s hca_object=%llu", value, (unsigned long long)*d->hca_objects);
		resources_add(m, arena_printf(m->arena, ".rdma.%s", d->device), "rdma.max", value);
	}
	return 0;
}

/* "memory.high" is of the controller memory, "cgroup.max.depth" of none. The kernel takes one line a write. */
static int unified(struct resources_maker *m, const struct oci_resources *r, struct error *err)
{
	for (size_t i = 0; i < r->unified.n; i++) {
		const struct pair *p = &r->unified.v[i];
		const char *member = arena_printf(m->arena, ".unified[\"%s\"]", p->key);
		struct strings lines = strings_split(m->arena, p->value, "\n");

		m->controller = arena_strndup(m->arena, p->key, strcspn(p->key, "."));
		if (str_eq(m->controller, "cgroup"))
			m->controller = "";
		for (size_t j = 0; j < lines.n; j++)
			if (*lines.v[j])
				resources_add(m, member, p->key, lines.v[j]);
	}
	return 0;
}

typedef int make_settings(struct resources_maker *m, const struct oci_resources *r, struct error *err);

static const struct { const char *controller, *v1_controller; make_settings *v1, *v2; } groups[] = {
	{ "cpuset", "cpuset", cpuset, cpuset },
	{ "memory", "memory", resources_memory_v1, resources_memory_v2 },
	{ "cpu", "cpu", resources_cpu_v1, resources_cpu_v2 },
	{ "pids", "pids", pids, pids },
	{ "io", "blkio", resources_block_io_v1, resources_block_io_v2 },
	{ "hugetlb", "hugetlb", hugetlb, hugetlb },
	{ "net_cls", "net_cls", network_class, network_class },
	{ "net_prio", "net_prio", network_priority, network_priority },
	{ "rdma", "rdma", rdma, rdma },
};

int resources_settings(struct arena *arena, const struct oci_resources *r, const struct strings *v1, const char *where,
		       struct settings *ret, struct error *err)
{
	struct settings list = { 0 };
	struct resources_maker m = { .arena = arena, .list = &list, .where = where };

	*ret = list;
	if (!r || resources_check(r, where, err) < 0)
		return r ? -1 : 0;
	for (size_t i = 0; i < ELEMENTS(groups); i++) {
		m.v1 = strings_has(v1, groups[i].v1_controller);
		m.controller = m.v1 ? groups[i].v1_controller : groups[i].controller;
		if ((m.v1 ? groups[i].v1 : groups[i].v2)(&m, r, err) < 0)
			return -1;
	}
	m.v1 = false;
	if (unified(&m, r, err) < 0)
		return -1;
	*ret = list;
	return 0;
}

bool resources_has_limits(const struct oci_resources *r)
{
	return r && (r->memory || r->cpu || r->pids || r->block_io || r->hugepage_limits.n || r->network || r->rdma.n ||
		     r->unified.n);
}
