#include "explain/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/state.h"
#include "engine/userns_mode.h"
#include "sys/caps.h"
#include "sys/fd.h"

/* --- trying */
static int fill_request(const struct access_facts *f, struct try_request *r, struct error *err)
{
	if (try_request_fill(r, f->op, f->path.text, f->to.text, err) < 0)
		return -1;
	r->uid = f->new_uid;
	r->gid = f->new_gid;
	r->mode = f->new_mode;
	return 0;
}

static void compare(struct verdict *v, int sys)
{
	v->tried = true;
	v->tried_sys = sys;
	v->disagrees = v->kind != VERDICT_UNKNOWN && sys != v->sys;
}

struct attempt {
	struct engine *e;
	const struct access_facts *f;
	bool keep_groups;
	int sys;
};

static int try_in(void *context, pid_t pid, struct error *err)
{
	struct attempt *a = context;
	_cleanup_fd_ int mounts = open(arena_printf(a->e->arena, "/proc/%d/ns/mnt", pid), O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int user = open(arena_printf(a->e->arena, "/proc/%d/ns/user", pid), O_RDONLY | O_CLOEXEC);
	struct try_place where = { user, mounts, a->keep_groups };
	struct try_request r;
	struct stat its, ours;

	if (mounts < 0 || user < 0 || fstat(user, &its) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return error_errno(err, "look at the namespaces of process %d", pid);
	if (its.st_ino == ours.st_ino)		/* nobody enters the one he is in */
		where.user_ns = -1;
	return fill_request(a->f, &r, err) < 0 ? -1 : try_as(&a->f->process, &where, &r, &a->sys, err);
}

static bool keeps_groups(const struct access_process *p)
{
	return p->host_groups.n > p->groups.n;
}

/* --- a run line */
struct look {
	struct explain *x;
	const struct create_request *request;
	const struct run_line *line;
	const struct facts_question *q;
	const struct preview *p;
	struct access_facts facts;
	struct verdict *v;
};

/* Who it would be after a change: of the user, the id map, groups and capabilities. */
static int process_again(void *context, const struct create_request *r, struct access_process *ret, struct error *err)
{
	const struct look *k = context;
	struct engine *e = k->x->e;

	return facts_process_of(e, k->p, r, ret, err);
}

static int decide(struct look *k, struct scene *scene, const struct access_process *process)
{
	struct engine *e = k->x->e;
	struct fix_source source = { .request = k->request, .home = e->identity.home, .context = k };

	if (k->line)
		source.line = *k->line;
	if (k->p)
		source.process = process_again;
	facts_gather(e, scene, process, k->q, &k->facts);
	access_decide(e->arena, &k->facts, k->v);
	fix_propose(e->arena, &k->facts, &source, k->v);
	return 0;
}

static int look_at_preview(void *context, const struct preview *p, struct error *err)
{
	struct look *k = context;
	struct access_process process;
	struct scene scene;
	int r = facts_of_preview(k->x->e, &k->x->outside, p, &scene, &process, err);

	k->p = p;
	if (r == 0)
		r = decide(k, &scene, &process);
	scene_done(&scene);
	return r;
}

static int try_run(struct look *k, struct error *err)
{
	struct attempt a = { k->x->e, &k->facts, keeps_groups(&k->facts.process), 0 };

	if (container_rehearse(k->x->e, k->request, try_in, &a, err) < 0)
		return error_frame(err, "try it");
	compare(k->v, a.sys);
	return 0;
}

int explain_run(struct explain *x, const struct create_request *r, const struct run_line *line,
		const struct facts_question *q, struct verdict *ret, struct error *err)
{
	struct look k = { .x = x, .request = r, .line = line, .q = q, .v = ret };

	if (container_preview(x->e, r, look_at_preview, &k, err) < 0)
		return -1;
	return x->try ? try_run(&k, err) : 0;
}

/* --- a container that is there */
static int explain_running(struct look *k, struct container *c, const struct container_state *state, struct error *err)
{
	struct access_process process;
	struct attempt a = { .e = k->x->e, .f = &k->facts };
	struct scene scene;
	int r = facts_of_running(k->x->e, &k->x->outside, c, state, &scene, &process, err);

	if (r == 0)
		r = decide(k, &scene, &process);
	scene_done(&scene);
	if (r < 0 || !k->x->try)
		return r;
	a.keep_groups = keeps_groups(&process);
	if (try_in(&a, (pid_t)state->pid, err) < 0)
		return error_frame(err, "try it");
	compare(k->v, a.sys);
	return 0;
}

int explain_container(struct explain *x, struct container *c, const struct facts_question *q, struct verdict *ret,
		      struct error *err)
{
	struct look k = { .x = x, .request = &c->request, .q = q, .v = ret };
	struct container_state state;

	if (container_load_state(x->e, c, &state, err) < 0)
		return -1;
	if (state_is_live(&state))
		return explain_running(&k, c, &state, err);
	if (container_preview_again(x->e, c, look_at_preview, &k, err) < 0)
		return -1;
	return x->try ? try_run(&k, err) : 0;
}

/* --- the user himself */
int explain_host(struct explain *x, const struct facts_question *q, struct verdict *ret, struct error *err)
{
	struct look k = { .x = x, .q = q, .v = ret };
	struct access_process process;
	struct try_request r;
	struct scene scene;

	if (facts_of_user(x->e, &x->outside, &scene, &process, err) < 0)
		return -1;
	decide(&k, &scene, &process);
	scene_done(&scene);
	if (!x->try)
		return 0;
	if (fill_request(&k.facts, &r, err) < 0)
		return -1;
	compare(ret, outside_try(&x->outside, &r));
	return 0;
}
