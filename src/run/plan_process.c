#include "run/plan.h"

#include <string.h>
#include <sys/resource.h>

static const struct { const char *name; int resource; } limits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },		{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },		{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },		{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
};

int plan_check_process(const struct oci_process *process, struct error *err)
{
	if (process->args.n == 0 || str_is_empty(process->args.v[0]))
		return error_set(err, ERROR_INVALID, "no command to run");
	if (str_is_empty(process->cwd) || process->cwd[0] != '/')
		return error_set(err, ERROR_INVALID, "the working directory \"%s\" is not an absolute path",
				 process->cwd ? process->cwd : "");
	if (process->user.uid >= UINT32_MAX || process->user.gid >= UINT32_MAX)
		return error_set(err, ERROR_INVALID, "a user or group id beyond 32 bits");
	for (size_t i = 0; i < process->env.n; i++)
		if (!strchr(process->env.v[i], '='))
			return error_set(err, ERROR_INVALID, "environment entry \"%.64s\" has no \"=\"",
					 process->env.v[i]);
	return 0;
}

static int add_limit(struct run_plan *plan, const struct oci_rlimit *limit, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(limits); i++) {
		struct op *op;

		if (!str_eq(limits[i].name, limit->type))
			continue;
		if (limit->soft > limit->hard)
			return error_set(err, ERROR_INVALID, "%s: the soft limit is above the hard one", limit->type);
		op = plan_add(plan, OP_RLIMIT);
		op->source = limit->type;
		op->flags = (uint64_t)limits[i].resource;
		op->value = limit->soft;
		op->value2 = limit->hard;
		return 0;
	}
	return error_set(err, ERROR_INVALID, "unknown resource limit \"%s\"", limit->type ? limit->type : "");
}

/* --- capabilities */

static int cap_mask(const struct strings *names, uint64_t *ret, struct error *err)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < names->n; i++) {
		int number = caps_number(names->v[i]);

		if (number < 0)
			return error_set(err, ERROR_INVALID, "unknown capability \"%s\"", names->v[i]);
		mask |= CAPS_BIT(number);
	}
	*ret = mask;
	return 0;
}

/* Without a capabilities object there are none. What the rules of capabilities(7) would refuse at run time is made
 * consistent here: effective within permitted, ambient within permitted and inheritable. */
static int set_caps(struct cap_sets *caps, const struct oci_capabilities *c, struct error *err)
{
	*caps = (struct cap_sets){ 0 };
	if (!c)
		return 0;
	if (cap_mask(&c->bounding, &caps->bounding, err) < 0 || cap_mask(&c->effective, &caps->effective, err) < 0 ||
	    cap_mask(&c->permitted, &caps->permitted, err) < 0 ||
	    cap_mask(&c->inheritable, &caps->inheritable, err) < 0 || cap_mask(&c->ambient, &caps->ambient, err) < 0)
		return -1;
	caps->effective &= caps->permitted;
	caps->ambient &= caps->permitted & caps->inheritable;
	return 0;
}

/* --- command */

static const char *env_get(const struct strings *env, const char *name)
{
	for (size_t i = env->n; i-- > 0;) {
		const char *rest = str_after(env->v[i], name);

		if (rest && *rest == '=')
			return rest + 1;
	}
	return NULL;
}

static void add_candidates(struct run_plan *plan, const struct oci_process *process)
{
	static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *name = process->args.v[0], *path = env_get(&process->env, "PATH");
	struct strings dirs;

	if (strchr(name, '/')) {
		strings_add(plan->arena, &plan->process.candidates, name);
		return;
	}
	dirs = strings_split(plan->arena, path ? path : default_path, ":");
	for (size_t i = 0; i < dirs.n; i++)
		strings_addf(plan->arena, &plan->process.candidates, "%s/%s", *dirs.v[i] ? dirs.v[i] : ".", name);
}

static int set_user(struct run_plan *plan, const struct oci_process *process, struct error *err)
{
	struct plan_process *p = &plan->process;
	gid_t *groups = arena_new_array(plan->arena, gid_t, process->user.additional_gids.n + 1);

	for (size_t i = 0; i < process->user.additional_gids.n; i++) {
		if (process->user.additional_gids.v[i] >= UINT32_MAX)
			return error_set(err, ERROR_INVALID, "a group id beyond 32 bits");
		groups[i] = (gid_t)process->user.additional_gids.v[i];
	}
	p->uid = (uint32_t)process->user.uid;
	p->gid = (uint32_t)process->user.gid;
	p->groups = groups;
	p->groups_n = process->user.additional_gids.n;
	p->umask = process->user.umask ? (mode_t)(*process->user.umask & 0777) : 0022;
	return set_caps(&p->caps, process->capabilities, err);
}

static void set_terminal(struct plan_process *p, const struct oci_process *process)
{
	p->terminal = process->terminal;
	if (!process->console_size)
		return;
	p->rows = (unsigned short)process->console_size->height;
	p->columns = (unsigned short)process->console_size->width;
}

int plan_add_process(struct run_plan *plan, const struct oci_process *process, struct error *err)
{
	struct plan_process *p = &plan->process;

	if (plan->preserve_fds_n > PRESERVE_MAX)
		return error_set(err, ERROR_INVALID, "more than %d descriptors to preserve", PRESERVE_MAX);
	if (set_user(plan, process, err) < 0)
		return -1;
	set_terminal(p, process);
	p->no_new_privileges = process->no_new_privileges;
	p->argv = process->args.v;
	p->envp = process->env.n ? process->env.v : arena_new_array(plan->arena, char *, 1);
	add_candidates(plan, process);
	for (size_t i = 0; i < process->rlimits.n; i++)
		if (add_limit(plan, &process->rlimits.v[i], err) < 0)
			return -1;
	plan_add(plan, OP_NEW_SID);
	plan_add(plan, OP_STDIO);
	plan_add(plan, OP_UMASK)->value = p->umask;
	plan_add(plan, OP_CHDIR)->target = process->cwd;
	plan_add(plan, OP_USER);
	plan_add(plan, OP_FIND_COMMAND)->source = process->args.v[0];
	plan_add(plan, OP_READY);
	if (p->filter_n && p->listener)
		plan_add_slot(plan, OP_SECCOMP);	/* the connection to the receiver */
	else if (p->filter_n)
		plan_add(plan, OP_SECCOMP);
	plan_add(plan, OP_EXEC)->source = process->args.v[0];
	return 0;
}
