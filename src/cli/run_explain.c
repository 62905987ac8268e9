#include "cli/run_explain.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/explain_text.h"
#include "cli/output.h"
#include "engine/container.h"
#include "explain/explain.h"
#include "explain/watch.h"

#define SHOWN_MAX 20

struct told {
	struct cli *cli;
	struct explain x;
	struct container *c;
	struct strings keys;		/* of what was explained: the same cause is not told twice */
	size_t shown;
};

/* --- telling */

static int ask(struct told *t, const struct watch_refusal *r, struct verdict *ret)
{
	struct facts_question q = { .op = r->op, .path = r->path, .new_uid = ID_NONE, .new_gid = ID_NONE };
	char *user = t->c->request.user;
	int result;

	*ret = (struct verdict){ 0 };
	result = explain_container(&t->x, t->c, &q, ret, NULL);
	if (result < 0 || r->uid == ID_NONE || r->gid == ID_NONE || (ret->subject.uid == r->uid && ret->subject.gid == r->gid))
		return result;
	/* It had become somebody else, as the entry points of servers do. */
	*ret = (struct verdict){ 0 };
	t->c->request.user = arena_printf(t->cli->arena, "%u:%u", r->uid, r->gid);
	result = explain_container(&t->x, t->c, &q, ret, NULL);
	t->c->request.user = user;
	return result;
}

static const char *key_of(struct told *t, const struct verdict *v)
{
	const struct verdict_block *b = v->blocks.n ? &v->blocks.v[0] : NULL;

	return arena_printf(t->cli->arena, "%s %s %s", reason_code(v->reason), b && b->container ? b->container : "",
			    b && b->host ? b->host : "");
}

static void tell(struct told *t, const struct watch_refusal *r)
{
	struct explain_style style = { .utf8 = explain_has_utf8(), .colored = cli_use_color(STDERR_FILENO),
				       .user = t->cli->engine.identity.user };
	const char *path = output_clean(t->cli->arena, r->path), *key;
	struct verdict v;

	if (ask(t, r, &v) < 0 || v.kind != VERDICT_DENIED) {
		fprintf(stderr, "refused: %s %s: %s; what decided it is not to be seen any more\n", access_op_name(r->op), path,
			strerror(r->sys));
		return;
	}
	key = key_of(t, &v);
	if (strings_has(&t->keys, key) || t->shown == SHOWN_MAX) {
		fprintf(stderr, "also refused[%s]: %s %s\n", reason_code(v.reason), access_op_name(r->op), path);
		return;
	}
	strings_add(t->cli->arena, &t->keys, key);
	fprintf(stderr, "%s%s", t->shown++ ? "\n" : "", explain_text(t->cli->arena, &v, &style));
}

static void tell_all(struct told *t, struct watch *w)
{
	struct watch_refusals refusals;

	if (watch_end(t->cli->arena, w, &refusals, NULL) < 0)
		return;
	if (!refusals.n)
		fputs("explain: the kernel refused no access to a path\n", stderr);
	for (size_t i = 0; i < refusals.n; i++)
		tell(t, &refusals.v[i]);
}

/* --- running */

static int start_watched(struct told *t, const struct create_request *r, int *ret_code, struct error *err)
{
	struct start_options so = { .attach = true, .interactive = r->interactive, .sig_proxy = !r->no_sig_proxy,
				    .detach_keys = "" };	/* to leave it is to stop watching */
	struct engine *e = t->x.e;
	struct container_state state;
	struct watch w = { 0 };
	bool detached;
	int result;

	if (container_init(e, t->c, err) < 0 || container_load_state(e, t->c, &state, err) < 0 ||
	    watch_start(&w, (pid_t)state.pid, err) < 0)
		return -1;
	result = container_start(e, t->c, &so, ret_code, &detached, err);
	tell_all(t, &w);
	return result;
}

static int run_in(struct told *t, const struct create_request *r, struct error *err)
{
	struct rm_options gone = { .force = true, .volumes = true, .ignore = true };
	struct create_request kept = *r;
	struct container c = { 0 };
	int code = 0, result;

	kept.rm = kept.rmi = false;		/* it is looked at after its end */
	if (container_create(t->x.e, &kept, &c, err) < 0)
		return -1;
	t->c = &c;
	result = start_watched(t, r, &code, err);
	if (r->rm)
		container_rm(t->x.e, &c, &gone, &(struct error){ 0 });
	return result < 0 ? -1 : code;
}

int run_explained(struct cli *cli, const struct create_request *r, struct error *err)
{
	struct told t = { .cli = cli };
	int result = -1;

	if (r->detach)
		return error_set(err, ERROR_USAGE, "--explain watches a container until its end: it cannot be detached");
	if (outside_start(&t.x.outside, err) < 0)
		return -1;
	t.x.e = cli_engine(cli, err);
	if (t.x.e)
		result = run_in(&t, r, err);
	outside_done(&t.x.outside);
	return result;
}
