#include "cli/selection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/inspect.h"

static int newest(struct engine *e, struct container *ret, struct error *err)
{
	struct containers all = { 0 };
	size_t best = 0;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	if (all.n == 0) {
		error_set(err, ERROR_NOT_FOUND, "no containers exist: no such container");
		return error_code(err, "no-such-container");
	}
	for (size_t i = 1; i < all.n; i++)
		if (all.v[i].created_ns > all.v[best].created_ns)
			best = i;
	*ret = all.v[best];
	return 0;
}

int selection_one(struct cli *cli, bool latest, const char *missing, struct container *ret, struct error *err)
{
	const struct strings *names = &cli->args->operands;
	struct engine *e;

	if (!latest && names->n == 0)
		return error_set(err, ERROR_USAGE, "%s", missing);
	e = cli_engine(cli, err);
	if (!e)
		return -1;
	return latest ? newest(e, ret, err) : container_load(e, names->v[0], ret, err);
}

static bool has_status(struct engine *e, const struct container *c, unsigned mask)
{
	struct container_state state = { 0 };
	struct error ignored = { 0 };

	return !mask || (container_load_state(e, c, &state, &ignored) == 0 && mask & STATUS(state.status));
}

static void run_one(struct cli *cli, const struct selection *s, const char *name, selection_action action, void *context,
		    int *code)
{
	struct container c = { 0 };
	struct error err = { 0 };

	if (container_load(&cli->engine, name, &c, &err) < 0 &&
	    !(s->damaged && error_is(&err, ERROR_INVALID) && container_load_damaged(&cli->engine, name, &c, &err) == 0)) {
		if (!(s->ignore && error_is(&err, ERROR_NOT_FOUND)))
			cli_failed(cli, code, &err);
		return;
	}
	if (action(cli, &c, name, context, &err) < 0)
		cli_failed(cli, code, &err);
}

static void run_container(struct cli *cli, struct container *c, selection_action action, void *context, int *code)
{
	struct error err = { 0 };

	if (action(cli, c, c->id, context, &err) < 0)
		cli_failed(cli, code, &err);
}

static int add_cidfile(struct cli *cli, const char *path, bool ignore, struct strings *names, struct error *err)
{
	char id[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, sizeof(id) - 1);

	if (fd < 0 && errno == ENOENT && ignore)
		return 0;
	if (n < 0)
		error_errno(err, "reading CIDFile %s", path);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	id[n] = '\0';
	id[strcspn(id, "\n")] = '\0';
	strings_add(cli->arena, names, id);
	return 0;
}

/* Ids of the containers that the filters let through. */
static int add_filtered(struct cli *cli, const struct selection *s, struct strings *names, struct error *err)
{
	struct ps_request request = { .all = true, .filters = s->filters };
	struct json *rows;

	if (container_rows(&cli->engine, &request, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++) {
		const char *id = json_get_string(rows->list.v[i], "Id");

		if (id)
			strings_add(cli->arena, names, id);
	}
	return 0;
}

static int run_all(struct cli *cli, const struct selection *s, unsigned mask, selection_action action, void *context,
		   struct error *err)
{
	struct containers all = { 0 };
	struct strings damaged = { 0 };
	int code = 0;

	if (s->damaged && container_list_damaged(&cli->engine, &damaged, err) < 0)
		return -1;
	for (size_t i = 0; i < damaged.n; i++)
		run_one(cli, s, damaged.v[i], action, context, &code);

	if (container_load_all(&cli->engine, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (has_status(&cli->engine, &all.v[i], mask))
			run_container(cli, &all.v[i], action, context, &code);
	return code;
}

int selection_run(struct cli *cli, const struct selection *s, unsigned all_mask, selection_action action, void *context,
		  struct error *err)
{
	struct strings names = { 0 };
	struct container c = { 0 };
	int code = 0;

	strings_add_all(cli->arena, &names, &cli->args->operands);
	if (!names.n && !s->all && !s->latest && !s->cidfiles.n && !s->filters.n)
		return error_set(err, ERROR_USAGE, "you must provide at least one name or id");
	if (names.n && (s->all || s->latest))
		return error_set(err, ERROR_USAGE, "--%s and names of containers cannot be used together",
				 s->all ? "all" : "latest");
	if (!cli_engine(cli, err))
		return -1;
	for (size_t i = 0; i < s->cidfiles.n; i++)
		if (add_cidfile(cli, s->cidfiles.v[i], s->ignore, &names, err) < 0)
			return -1;
	if (s->filters.n && add_filtered(cli, s, &names, err) < 0)
		return -1;
	if (s->all && !s->filters.n)
		return run_all(cli, s, all_mask, action, context, err);
	if (s->latest) {
		if (newest(&cli->engine, &c, err) < 0)
			return -1;
		run_container(cli, &c, action, context, &code);
	}
	for (size_t i = 0; i < names.n; i++)
		run_one(cli, s, names.v[i], action, context, &code);
	return code;
}
