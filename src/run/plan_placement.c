#include "run/plan.h"

#include <limits.h>
#include <sys/personality.h>

#include "run/placement.h"

static int wrong(const struct run_plan *plan, const char *member, const char *what, struct error *err)
{
	return error_set(err, ERROR_INVALID, "%s.%s: %s", plan->process_at, member, what);
}

/* --- personality */

static int add_personality(struct run_plan *plan, const struct oci_personality *p, struct error *err)
{
	static const struct { const char *name; unsigned long value; } domains[] = {
		{ "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 },
	};

	if (p->flags.n)
		return error_set(err, ERROR_UNSUPPORTED, ".linux.personality.flags[0]: there are no flags");
	for (size_t i = 0; i < ELEMENTS(domains); i++)
		if (str_eq(domains[i].name, p->domain)) {
			plan_add(plan, OP_PERSONALITY)->value = domains[i].value;
			return 0;
		}
	return error_set(err, ERROR_INVALID, ".linux.personality.domain: \"%s\" is neither LINUX nor LINUX32", p->domain);
}

/* --- processors and memory nodes */

/* "0-3,7": a bit for each; -1 for anything else. */
static int parse_list(const char *text, struct plan_bits *ret)
{
	*ret = (struct plan_bits){ { 0 } };
	for (const char *at = text; *at; at += *at == ',') {
		unsigned first = 0, last, digits = 0;

		for (; *at >= '0' && *at <= '9' && first < PLAN_BITS; at++, digits++)
			first = first * 10 + (unsigned)(*at - '0');
		last = first;
		if (digits && *at == '-') {
			at++;
			for (last = digits = 0; *at >= '0' && *at <= '9' && last < PLAN_BITS; at++, digits++)
				last = last * 10 + (unsigned)(*at - '0');
		}
		if (!digits || last >= PLAN_BITS || last < first || (*at && *at != ','))
			return -1;
		for (unsigned bit = first; bit <= last; bit++)
			ret->word[bit / 64] |= 1UL << bit % 64;
	}
	return *text ? 0 : -1;
}

static int add_bits(struct run_plan *plan, struct op *op, const char *text, const char *position, struct error *err)
{
	struct plan_bits *bits = arena_new_one(plan->arena, struct plan_bits);

	op->bits = bits;
	op->source = text;
	op->flags = 1;		/* as it says, or not at all */
	if (parse_list(text, bits) < 0)
		return error_set(err, ERROR_INVALID, "%s: \"%.64s\" is not a list such as 0-3,7", position, text);
	return 0;
}

/* The caller may have tied himself to some processors: the container gets what its cgroup allows. */
static void add_all_processors(struct run_plan *plan)
{
	struct plan_bits *bits = arena_new_one(plan->arena, struct plan_bits);
	struct op *op = plan_add(plan, OP_AFFINITY);

	for (size_t i = 0; i < ELEMENTS(bits->word); i++)
		bits->word[i] = ULONG_MAX;
	op->bits = bits;
	op->source = "all";
}

/* Given for further processes only, as exec_cpu_affinity says. */
static int add_affinity(struct run_plan *plan, const struct oci_process *process, struct error *err)
{
	const struct oci_cpu_affinity *a = process->exec_cpu_affinity;
	const char *lists[] = { a ? a->initial : NULL, a ? a->final : NULL };
	static const char *const names[] = { "initial", "final" };

	if (plan->process.reset_affinity)
		add_all_processors(plan);
	for (size_t i = 0; i < ELEMENTS(lists); i++) {
		const char *position = arena_printf(plan->arena, "%s.execCPUAffinity.%s", plan->process_at, names[i]);
		struct op unused = { 0 };
		bool further = plan->target_pidfd >= 0;

		if (!str_is_empty(lists[i]) &&
		    add_bits(plan, further ? plan_add(plan, OP_AFFINITY) : &unused, lists[i], position, err) < 0)
			return -1;
	}
	return 0;
}

static int add_memory_policy(struct run_plan *plan, const struct oci_memory_policy *p, struct error *err)
{
	struct op *op = plan_add(plan, OP_MEMORY_POLICY);

	if (placement_memory_mode(p->mode, &op->value) < 0)
		return error_set(err, ERROR_INVALID, ".linux.memoryPolicy.mode: unknown mode \"%.64s\"", p->mode);
	for (size_t i = 0; i < p->flags.n; i++)
		if (placement_memory_flag(p->flags.v[i], &op->value) < 0)
			return error_set(err, ERROR_INVALID, ".linux.memoryPolicy.flags[%zu]: unknown flag \"%.64s\"", i,
					 p->flags.v[i]);
	op->fstype = p->mode;
	return str_is_empty(p->nodes) ? 0 : add_bits(plan, op, p->nodes, ".linux.memoryPolicy.nodes", err);
}

/* --- scheduler */

static int add_scheduler(struct run_plan *plan, const struct oci_scheduler *o, struct error *err)
{
	struct plan_scheduler *s = arena_new_one(plan->arena, struct plan_scheduler);
	struct op *op = plan_add(plan, OP_SCHEDULER);

	if (placement_policy(o->policy, &s->policy) < 0)
		return error_set(err, ERROR_INVALID, "%s.scheduler.policy: unknown policy \"%.64s\"", plan->process_at, o->policy);
	for (size_t i = 0; i < o->flags.n; i++)
		if (placement_scheduler_flag(o->flags.v[i], &s->flags) < 0)
			return error_set(err, ERROR_INVALID, "%s.scheduler.flags[%zu]: unknown flag \"%.64s\"", plan->process_at, i,
					 o->flags.v[i]);
	if (o->nice && (*o->nice < -20 || *o->nice > 19))
		return wrong(plan, "scheduler.nice", "not between -20 and 19", err);
	if (o->priority < 0 || o->priority > 99)
		return wrong(plan, "scheduler.priority", "not between 0 and 99", err);
	s->nice = o->nice ? (int32_t)*o->nice : 0;
	s->priority = (uint32_t)o->priority;
	s->runtime = o->runtime;
	s->deadline = o->deadline;
	s->period = o->period;
	op->source = o->policy;
	op->scheduler = s;
	return 0;
}

static int add_io_priority(struct run_plan *plan, const struct oci_io_priority *p, struct error *err)
{
	struct op *op = plan_add(plan, OP_IO_PRIORITY);

	if (placement_io_class(p->class, &op->value) < 0)
		return error_set(err, ERROR_INVALID, "%s.ioPriority.class: unknown class \"%.64s\"", plan->process_at, p->class);
	if (p->priority < 0 || p->priority > 7)
		return wrong(plan, "ioPriority.priority", "not between 0 and 7", err);
	op->value |= (uint64_t)p->priority;
	op->source = p->class;
	return 0;
}

int plan_add_placement(struct run_plan *plan, const struct oci_process *process, const struct oci_linux *l,
		       struct error *err)
{
	if (l && l->personality && add_personality(plan, l->personality, err) < 0)
		return -1;
	if (add_affinity(plan, process, err) < 0)
		return -1;
	if (l && l->memory_policy && add_memory_policy(plan, l->memory_policy, err) < 0)
		return -1;
	if (process->scheduler && add_scheduler(plan, process->scheduler, err) < 0)
		return -1;
	return process->io_priority ? add_io_priority(plan, process->io_priority, err) : 0;
}
