#include "engine/update.h"

#include "engine/life.h"
#include "engine/limits.h"
#include "engine/state.h"

/* Texts of a request that belong together: who says one of them says them all. */
#define LIMIT(member) offsetof(struct create_request, member)
static const size_t groups[][4] = {
	{ LIMIT(memory), LIMIT(memory_swap) },
	{ LIMIT(memory_reservation) },
	{ LIMIT(cpus), LIMIT(cpu_period), LIMIT(cpu_quota) },
	{ LIMIT(cpu_shares) }, { LIMIT(cpuset_cpus) }, { LIMIT(cpuset_mems) }, { LIMIT(pids_limit) }, { LIMIT(blkio_weight) },
	{ LIMIT(restart) },
};
static const size_t lists[] = {
	LIMIT(blkio_weight_device), LIMIT(device_read_bps), LIMIT(device_write_bps), LIMIT(device_read_iops),
	LIMIT(device_write_iops), LIMIT(cgroup_conf),
};

static char **text_of(const struct create_request *r, size_t offset)
{
	return (char **)((char *)r + offset);
}

static struct strings *list_of(const struct create_request *r, size_t offset)
{
	return (struct strings *)((char *)r + offset);
}

/* --cpus takes the place of a quota and its period, and they of it. */
static void replace_quota(const struct create_request *changes, struct create_request *all)
{
	if (changes->cpus)
		all->cpu_period = all->cpu_quota = NULL;
	else if (changes->cpu_period || changes->cpu_quota)
		all->cpus = NULL;
}

/* all: what the container has, then what it will have. part: what is to be applied. */
static void merge(const struct create_request *changes, struct create_request *all, struct create_request *part)
{
	replace_quota(changes, all);
	for (size_t i = 0; i < ELEMENTS(groups); i++) {
		bool said = false;

		for (size_t j = 0; j < ELEMENTS(groups[i]) && groups[i][j]; j++) {
			char *text = *text_of(changes, groups[i][j]);

			said = said || text;
			if (text)
				*text_of(all, groups[i][j]) = text;
		}
		for (size_t j = 0; said && j < ELEMENTS(groups[i]) && groups[i][j]; j++)
			*text_of(part, groups[i][j]) = *text_of(all, groups[i][j]);
	}
	for (size_t i = 0; i < ELEMENTS(lists); i++)
		if (list_of(changes, lists[i])->n)
			*list_of(part, lists[i]) = *list_of(all, lists[i]) = *list_of(changes, lists[i]);
}

/* A limit is lifted where a new container would just have none. */
static void lift(struct arena *arena, const struct create_request *changes, struct oci_resources *r)
{
	static int64_t none = -1;

	if (changes->cpus && !(r->cpu && r->cpu->quota)) {
		r->cpu = r->cpu ? r->cpu : arena_new_one(arena, struct oci_cpu);
		r->cpu->quota = &none;
	}
	if (changes->pids_limit && !r->pids) {
		r->pids = arena_new_one(arena, struct oci_pids);
		r->pids->limit = &none;
	}
}

static int apply(struct engine *e, const struct container_state *s, const struct create_request *changes,
		 const struct create_request *part, struct error *err)
{
	struct cgroup none = { 0 };
	struct oci_resources resources;

	if (limits_resources(e->arena, part, &resources, err) < 0)
		return -1;
	lift(e->arena, changes, &resources);
	if (cgroup_update(e->arena, s->cgroup ? s->cgroup : &none, &resources, "", err) == 0)
		return 0;
	if (error_is(err, ERROR_UNSUPPORTED) && engine_cgroup(e, NULL) == 0 && e->cgroup.why)
		error_hint(err, "%s", e->cgroup.why);
	return error_frame(err, "change the limits of the running container");
}

int container_update(struct engine *e, struct container *c, const struct create_request *changes, struct error *err)
{
	struct create_request all = c->request, part = { 0 };
	enum restart_policy policy;
	struct container_state s;
	uint32_t restarts;

	merge(changes, &all, &part);
	if (changes->restart && restart_parse(changes->restart, &policy, &restarts) < 0)
		return error_set(err, ERROR_USAGE, "invalid restart policy \"%s\": no, on-failure[:N], always or unless-stopped",
				 changes->restart);
	if (limits_check(e->arena, &all, err) < 0 || container_load_state(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s) && apply(e, &s, changes, &part, err) < 0)
		return -1;
	if (state_is_live(&s) && changes->restart)
		engine_warn(e, "the new restart policy of container %s holds from its next start on", c->name);
	c->request = all;
	if (container_save(e, c, err) < 0)
		return -1;
	life_event(e, c, "update");
	return 0;
}
