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

static int wrong(const struct run_plan *plan, const char *member, const char *what, struct error *err)
{
	return error_set(err, ERROR_INVALID, "%s.%s: %s", plan->process_at, member, what);
}

int plan_check_process(const struct run_plan *plan, const struct oci_process *process, struct error *err)
{
	if (!plan->process.none && (process->args.n == 0 || str_is_empty(process->args.v[0])))
		return wrong(plan, "args", "no command to run", err);
	if (str_is_empty(process->cwd) || process->cwd[0] != '/')
		return error_set(err, ERROR_INVALID, "%s.cwd: the working directory \"%s\" is not an absolute path",
				 plan->process_at, process->cwd ? process->cwd : "");
	if (process->user.uid >= UINT32_MAX)
		return wrong(plan, "user.uid", "beyond 32 bits", err);
	if (process->user.gid >= UINT32_MAX)
		return wrong(plan, "user.gid", "beyond 32 bits", err);
	if (process->user.umask && *process->user.umask > 0777)
		return wrong(plan, "user.umask", "more than 0777 (octal)", err);
	for (size_t i = 0; i < process->env.n; i++)
		if (!strchr(process->env.v[i], '='))
			return error_set(err, ERROR_INVALID, "%s.env[%zu]: \"%.64s\" has no \"=\"", plan->process_at, i,
					 process->env.v[i]);
	return 0;
}

/* --- limits */

static int limit_number(const char *type)
{
	for (size_t i = 0; i < ELEMENTS(limits); i++)
		if (str_eq(limits[i].name, type))
			return limits[i].resource;
	return -1;
}

static int add_limit(struct run_plan *plan, const struct oci_process *process, size_t i, struct error *err)
{
	const struct oci_rlimit *limit = &process->rlimits.v[i];
	int resource = limit_number(limit->type);
	struct op *op;

	if (resource < 0)
		return error_set(err, ERROR_INVALID, "%s.rlimits[%zu].type: unknown resource limit \"%s\"", plan->process_at, i,
				 limit->type ? limit->type : "");
	for (size_t j = 0; j < i; j++)
		if (str_eq(process->rlimits.v[j].type, limit->type))
			return error_set(err, ERROR_INVALID, "%s.rlimits[%zu].type: a second %s", plan->process_at, i, limit->type);
	if (limit->soft > limit->hard)
		return error_set(err, ERROR_INVALID, "%s.rlimits[%zu].soft: the soft limit is above the hard one",
				 plan->process_at, i);
	op = plan_add(plan, OP_RLIMIT);
	op->source = limit->type;
	op->flags = (uint64_t)resource;
	op->value = limit->soft;
	op->value2 = limit->hard;
	return 0;
}

/* --- capabilities */

/* What is unknown here cannot be given, and the specification wants a warning, no more. */
static uint64_t cap_mask(struct run_plan *plan, const struct strings *names, const char *set)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < names->n; i++) {
		int number = caps_number(names->v[i]);

		if (number < 0)
			plan_warn(plan, "%s.capabilities.%s[%zu]: unknown capability \"%.64s\"", plan->process_at, set, i,
				  names->v[i]);
		else
			mask |= CAPS_BIT(number);
	}
	return mask;
}

/* Without a capabilities object there are none. What the rules of capabilities(7) would refuse at run time is made
 * consistent here: effective within permitted, ambient within permitted and inheritable. */
static struct cap_sets make_caps(struct run_plan *plan, const struct oci_capabilities *c)
{
	struct cap_sets caps = { 0 };

	if (!c)
		return caps;
	caps.bounding = cap_mask(plan, &c->bounding, "bounding");
	caps.permitted = cap_mask(plan, &c->permitted, "permitted");
	caps.effective = cap_mask(plan, &c->effective, "effective") & caps.permitted;
	caps.inheritable = cap_mask(plan, &c->inheritable, "inheritable");
	caps.ambient = cap_mask(plan, &c->ambient, "ambient") & caps.permitted & caps.inheritable;
	return caps;
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
			return error_set(err, ERROR_INVALID, "%s.user.additionalGids[%zu]: beyond 32 bits", plan->process_at, i);
		groups[i] = (gid_t)process->user.additional_gids.v[i];
	}
	p->uid = (uint32_t)process->user.uid;
	p->gid = (uint32_t)process->user.gid;
	p->groups = groups;
	p->groups_n = process->user.additional_gids.n;
	p->umask = process->user.umask ? (mode_t)(*process->user.umask & 0777) : 0022;
	p->caps = make_caps(plan, process->capabilities);
	return 0;
}

static void set_terminal(struct plan_process *p, const struct oci_process *process)
{
	p->terminal = process->terminal;
	if (!process->console_size)
		return;
	p->rows = (unsigned short)process->console_size->height;
	p->columns = (unsigned short)process->console_size->width;
}

/* "exec PROFILE" is AppArmor's word for what the next exec changes to. */
static void set_label(struct plan_process *p, const struct oci_process *process)
{
	p->selinux_label = str_is_empty(process->selinux_label) ? NULL : process->selinux_label;
	p->apparmor_profile = str_is_empty(process->apparmor_profile) ? NULL : process->apparmor_profile;
}

/* From the start on: what needs the leave of whoever starts the container. */
static int add_start(struct run_plan *plan, const struct oci_spec *spec, const struct oci_process *process,
		     struct error *err)
{
	plan_add(plan, OP_READY);
	if (plan->start_socket >= 0)
		plan_add(plan, OP_START);
	if (plan->process.selinux_label || plan->process.apparmor_profile)
		plan_add(plan, OP_LABEL);
	if (plan->target_pidfd < 0 && spec->hooks &&
	    plan_add_hooks(plan, spec->hooks->start_container.v, spec->hooks->start_container.n, "startContainer", err) < 0)
		return -1;
	if (plan->bypass_socket >= 0 && !plan->process.listener)	/* the kernel takes one listener */
		plan_add(plan, OP_BYPASS);
	if (plan->process.filter_n && plan->process.listener)
		plan_add_slot(plan, OP_SECCOMP);	/* the connection to the receiver */
	else if (plan->process.filter_n)
		plan_add(plan, OP_SECCOMP);
	plan_add(plan, OP_EXEC)->source = plan->process.none ? "" : process->args.v[0];
	return 0;
}

static void add_stdio(struct run_plan *plan)
{
	bool complete = plan->stdio[0] >= 0 && plan->stdio[1] >= 0 && plan->stdio[2] >= 0;

	if (complete || plan->process.terminal)
		plan_add(plan, OP_STDIO);
	else
		plan_add_slot(plan, OP_STDIO);
}

int plan_add_process(struct run_plan *plan, const struct oci_spec *spec, const struct oci_process *process,
		     struct error *err)
{
	struct plan_process *p = &plan->process;

	if (plan->preserve_fds_n > PRESERVE_MAX)
		return error_set(err, ERROR_INVALID, "more than %d descriptors to preserve", PRESERVE_MAX);
	if (set_user(plan, process, err) < 0)
		return -1;
	set_terminal(p, process);
	set_label(p, process);
	p->no_new_privileges = process->no_new_privileges;
	p->argv = process->args.v;
	p->envp = process->env.n ? process->env.v : arena_new_array(plan->arena, char *, 1);
	if (!p->none)
		add_candidates(plan, process);
	if (plan_add_placement(plan, process, spec->linux_, err) < 0)
		return -1;
	for (size_t i = 0; i < process->rlimits.n; i++)
		if (add_limit(plan, process, i, err) < 0)
			return -1;
	plan_add(plan, OP_NEW_SID);
	add_stdio(plan);
	plan_add(plan, OP_UMASK)->value = p->umask;
	plan_add(plan, OP_CHDIR)->target = process->cwd;
	plan_add(plan, OP_USER);
	if (!p->none)
		plan_add(plan, OP_FIND_COMMAND)->source = process->args.v[0];
	return add_start(plan, spec, process, err);
}
