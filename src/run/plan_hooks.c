#include "run/plan.h"

#include <unistd.h>

/* All of a container's hooks read the same file, one after the other. */
static int state_slot(const struct run_plan *plan)
{
	for (size_t i = 0; i < plan->ops.n; i++)
		if (plan->ops.v[i].kind == OP_HOOK)
			return plan->ops.v[i].hook->state;
	return -1;
}

static char **words(struct run_plan *plan, const struct strings *list, char *first)
{
	char **v = arena_new_array(plan->arena, char *, list->n + 2);

	v[0] = first;
	for (size_t i = 0; i < list->n; i++)
		v[i] = list->v[i];
	return v;
}

/* Those of the runtime's side have its own environment when they have none, as with runc and crun; those that run in the
 * container have the container's. */
static char **environment(struct run_plan *plan, const struct oci_hook *h, bool inside)
{
	if (h->env.n)
		return words(plan, &h->env, NULL);
	return inside ? plan->process.envp : environ;
}

int run_check_hook(const struct oci_hook *h, const char *position, struct error *err)
{
	if (h->path[0] != '/')
		return error_set(err, ERROR_INVALID, "%s.path: \"%s\" is not an absolute path", position, h->path);
	if (h->timeout && (*h->timeout <= 0 || *h->timeout > INT32_MAX / 1000))
		return error_set(err, ERROR_INVALID, "%s.timeout: not a number of seconds above zero", position);
	return 0;
}

static int add_hook(struct run_plan *plan, const struct oci_hook *h, const char *position, bool inside, struct error *err)
{
	struct plan_hook *hook = arena_new_one(plan->arena, struct plan_hook);
	int state = state_slot(plan);
	struct op *op;

	if (run_check_hook(h, position, err) < 0)
		return -1;
	op = state < 0 ? plan_add_slot(plan, OP_HOOK) : plan_add(plan, OP_HOOK);
	hook->path = h->path;
	hook->argv = words(plan, &h->args, h->path);
	hook->envp = environment(plan, h, inside);
	hook->timeout = h->timeout ? *h->timeout : 0;
	hook->position = position;
	hook->called = inside ? arena_printf(plan->arena, "%s: %s", position, h->path) : h->path;
	hook->state = state < 0 ? op->slot : state;
	op->source = position;
	op->hook = hook;
	return 0;
}

int plan_add_hooks(struct run_plan *plan, const struct oci_hook *hooks, size_t n, const char *name, struct error *err)
{
	bool inside = str_eq(name, "startContainer");

	for (size_t i = 0; i < n; i++)
		if (add_hook(plan, &hooks[i], arena_printf(plan->arena, ".hooks.%s[%zu]", name, i), inside, err) < 0)
			return -1;
	return 0;
}
