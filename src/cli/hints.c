#include "cli/hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/output.h"
#include "engine/image.h"
#include "engine/last.h"
#include "engine/mounts.h"
#include "store/image.h"
#include "sys/tty.h"

#define NEW "/new"			/* a file that a process may want to make */

/* --- a run line */

struct create_request *hints_parse_run(struct cli *cli, const struct strings *words, struct run_line *ret, struct error *err)
{
	struct strings line = { 0 };
	struct create_request *r;
	struct args args;

	strings_add(cli->arena, &line, "bryo");
	strings_add(cli->arena, &line, "run");
	strings_add_all(cli->arena, &line, words);
	if (args_parse(cli->arena, &cli_program, (int)line.n, line.v, &args, err) < 0)
		return NULL;
	if (args.help || !args.operands.n)
		return error_set(err, ERROR_USAGE, "the run line has no image"), NULL;
	r = args.request;
	r->image = args.operands.v[0];
	for (size_t i = 1; i < args.operands.n; i++)
		strings_add(cli->arena, &r->command, args.operands.v[i]);
	*ret = (struct run_line){ .words = *words, .image_at = words->n - args.operands.n };
	return r;
}

static struct mount_list mounts_of(struct cli *cli, const struct create_request *r)
{
	const char *cwd = cli->engine.identity.cwd;
	struct mount_list list = { 0 };

	for (size_t i = 0; i < r->volumes.n; i++)
		mounts_parse_volume(cli->arena, r->volumes.v[i], cwd, &list, NULL);
	for (size_t i = 0; i < r->mounts.n; i++)
		mounts_parse_mount(cli->arena, r->mounts.v[i], cwd, &list, NULL);
	return list;
}

/* --- asking */

struct asker {
	struct cli *cli;
	struct explain *x;
	const struct create_request *r;
	const struct run_line *line;
	struct hints *hints;
};

/* true: it is denied, and added. */
static bool ask(struct asker *a, enum access_op op, const char *path)
{
	struct facts_question q = { .op = op, .path = arena_strdup(a->cli->arena, path), .new_uid = ID_NONE, .new_gid = ID_NONE };
	struct verdict v = { 0 };

	if (explain_run(a->x, a->r, a->line, &q, &v, NULL) < 0 || v.kind != VERDICT_DENIED || !v.blocks.n || !v.blocks.v[0].certain)
		return false;
	*ARRAY_ADD(a->cli->arena, &a->hints->denied) = v;
	return true;
}

static bool is_read_only(const struct container_mount *m)
{
	return m->read_only || strings_has(&m->options, "ro");
}

/* When the same alone denies both, the harder says more: its fixes are those of both. */
static void keep_one(struct hints *h)
{
	struct verdict *last = &h->denied.v[h->denied.n - 1];

	if (last->reason == last[-1].reason && last->blocks.n == last[-1].blocks.n)
		last[-1] = *last;
	h->denied.n--;
}

/* A directory is for looking into and making files in, a file for reading and writing. */
static void ask_mount(struct asker *a, const struct container_mount *m)
{
	struct stat st;
	bool file = str_eq(m->type, "bind") && m->source && stat(m->source, &st) == 0 && !S_ISDIR(st.st_mode);
	bool closed = ask(a, file ? ACCESS_READ : ACCESS_LIST, m->destination);

	if (!is_read_only(m) && ask(a, file ? ACCESS_WRITE : ACCESS_CREATE,
				    file ? m->destination : arena_printf(a->cli->arena, "%s" NEW, m->destination)) && closed)
		keep_one(a->hints);
}

static void ask_devices(struct asker *a)
{
	struct device_list list = { 0 };

	for (size_t i = 0; i < a->r->device.n; i++)
		mounts_parse_device(a->cli->arena, a->r->device.v[i], &list, NULL);
	for (size_t i = 0; i < list.n; i++)
		ask(a, ACCESS_WRITE, list.v[i].container);
}

int hints_collect(struct cli *cli, struct explain *x, const struct strings *words, struct hints *ret, struct error *err)
{
	struct run_line line;
	struct create_request *r = hints_parse_run(cli, words, &line, err);
	struct asker a = { cli, x, r, &line, ret };
	struct mount_list list;

	if (!r)
		return -1;
	list = mounts_of(cli, r);
	for (size_t i = 0; i < list.n; i++)
		if (str_eq(list.v[i].type, "bind") || str_eq(list.v[i].type, "volume"))
			ask_mount(&a, &list.v[i]);
	ask_devices(&a);
	return 0;
}

/* --- saying */

/* Refusals that surprise because of the container; what the user may not do himself is no surprise. */
static bool is_surprise(const struct verdict *v)
{
	static const enum reason reasons[] = {
		REASON_UID_SHIFT, REASON_GROUP_DROPPED, REASON_ACL_WRONG_ID, REASON_CAP_INERT, REASON_CAP_DROPPED, REASON_FUSE_PRIVATE,
		REASON_SELINUX_LABEL, REASON_NETWORK_OWNER,
	};

	for (size_t i = 0; i < ELEMENTS(reasons); i++)
		if (v->reason == reasons[i])
			return true;
	return false;
}

static const char *what_of(const struct verdict *v)
{
	return str_eq(v->access, "create") ? "make files in " : str_eq(v->access, "write") ? "write to " :
	       str_eq(v->access, "list") ? "look into " : "read ";
}

static void say_denied(struct cli *cli, const struct verdict *v)
{
	const struct verdict_fix *f = v->fixes.n ? &v->fixes.v[0] : NULL;
	const char *place = str_eq(v->access, "create") ? arena_strndup(cli->arena, v->path, strlen(v->path) - strlen(NEW)) : v->path;
	const char *cure = f && f->run_add.n ? arena_printf(cli->arena, "; %s", strings_join(cli->arena, &f->run_add, " ")) : "";

	fprintf(stderr, "hint[%s]: user %u of the container can't %s%s%s\n", reason_code(v->reason), v->subject.uid, what_of(v),
		output_clean(cli->arena, place), output_clean(cli->arena, cure));
}

/* keep-id decides who the user's id is, and the image decides who runs. */
static void say_keep_id(struct cli *cli, const struct create_request *r)
{
	struct image image;
	struct image_config config;
	const char *user;

	if (!str_eq(r->userns, "keep-id") || !str_is_empty(r->user) || r->rootfs ||
	    image_find(cli->arena, &cli->engine.store, r->image, &image, NULL, NULL) < 0 ||
	    image_read_config(&cli->engine, &image, &config, NULL) < 0)
		return;
	user = config.config.user;
	if (!str_is_empty(user) && !str_eq(user, "root") && !str_eq(user, "0"))
		fprintf(stderr, "hint[keep-id-user]: the image runs as %s, who is not you with --userns=keep-id; "
			"--userns=keep-id:uid=N,gid=N with the number of %s\n", output_clean(cli->arena, user), output_clean(cli->arena, user));
}

static bool say_all(struct cli *cli, struct hints_watch *w)
{
	struct hints found = { 0 };
	bool any = false;

	if (hints_collect(cli, &w->x, &w->words, &found, NULL) < 0)
		return false;
	for (size_t i = 0; i < found.denied.n; i++)
		if (is_surprise(&found.denied.v[i])) {
			say_denied(cli, &found.denied.v[i]);
			any = true;
		}
	return any;
}

/* --- around a run */

static bool is_worth_it(const struct create_request *r)
{
	const char *variable = getenv("BRYO_HINTS");

	if (str_eq(r->hints, "never") || str_eq(variable, "0") || r->quiet || r->detach)
		return false;
	return r->volumes.n || r->mounts.n || r->device.n || str_eq(r->userns, "keep-id");
}

int hints_begin(struct cli *cli, const struct args *args, const struct create_request *r, struct hints_watch *ret,
		struct error *err)
{
	*ret = (struct hints_watch){ .request = r, .words = args->words };
	if (r->hints && !str_eq(r->hints, "never") && !str_eq(r->hints, "auto")) {
		error_set(err, ERROR_USAGE, "unknown value of --hints \"%s\": auto and never are known", r->hints);
		return error_code(err, "bad-value");
	}
	ret->on = is_worth_it(r);
	if (ret->on && outside_start(&ret->x.outside, NULL) < 0)
		ret->on = false;
	return 0;
}

/* Root in the container is the user himself: nothing surprises. */
static bool may_be_other(struct cli *cli, const struct create_request *r)
{
	struct image image;
	struct image_config config;

	if (!str_is_empty(r->user))
		return !str_eq(r->user, "root") && !str_eq(r->user, "0") && !str_eq(r->user, "0:0");
	return image_find(cli->arena, &cli->engine.store, r->image, &image, NULL, NULL) == 0 &&
	       image_read_config(&cli->engine, &image, &config, NULL) == 0 && !str_is_empty(config.config.user);
}

void hints_before(struct cli *cli, struct hints_watch *w)
{
	w->x.e = &cli->engine;
	if (!w->on || w->request->rootfs || !tty_is(STDERR_FILENO) || !may_be_other(cli, w->request))
		return;
	say_keep_id(cli, w->request);
	say_all(cli, w);
	w->said = true;
}

void hints_after(struct cli *cli, struct hints_watch *w, int exit_code, bool ran)
{
	struct last_run last = { w->words, cli->engine.identity.cwd, exit_code, (int64_t)time(NULL) };

	if (exit_code == 0 || exit_code > 127 || !cli->engine_is_open)
		return;
	last_write(&cli->engine, &last);
	if (!w->on || !ran)
		return;
	w->x.e = &cli->engine;
	if (!w->said)
		say_keep_id(cli, w->request);
	if (say_all(cli, w))
		fprintf(stderr, "hint: run `bryo explain --last`\n");
}

void hints_end(struct hints_watch *w)
{
	if (w->on)
		outside_done(&w->x.outside);
}
