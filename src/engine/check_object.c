/* `system check`: layers that are lists of files, and the objects with their contents */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/check_part.h"
#include "store/layer.h"
#include "store/layer_indexes.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Damaged ones are removed for a repair: unpacking a layer makes those anew that are not there. */
static void take_damaged(struct check *c, const struct strings *damaged)
{
	c->bad_objects = *damaged;
	if (damaged->n > 1)
		qsort(damaged->v, damaged->n, sizeof(*damaged->v), compare);
	for (size_t i = 0; c->o->repair && i < damaged->n; i++)
		unlinkat(c->e->store.objects_fd, damaged->v[i], 0);
}

int check_objects(struct check *c, struct error *err)
{
	struct transfer_request request = { .op = "objects-check" };
	struct transfer_event result;

	if (c->o->quick)
		return 0;
	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	take_damaged(c, &result.damaged_objects);
	return 0;
}

bool check_is_list(const struct check *c, const char *chain_id)
{
	struct stat st;

	if (fstatat(c->e->store.root_fd, layer_index_path(c->e->arena, &c->e->store, chain_id), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	return c->e->store.driver == DRIVER_OBJECTS &&
	       fstatat(c->e->store.root_fd, layer_diff_path(c->e->arena, &c->e->store, chain_id), &st, AT_SYMLINK_NOFOLLOW) < 0;
}

static bool is_bad(const struct check *c, const char *name)
{
	return c->bad_objects.n && bsearch(&name, c->bad_objects.v, c->bad_objects.n, sizeof(*c->bad_objects.v), compare);
}

/* What is wrong with the contents of a file, or NULL. */
static char *problem_of_file(struct check *c, const struct layer_entry *e)
{
	char name[OBJECT_NAME_SIZE];
	struct stat st;

	if (e->type != LAYER_FILE || !e->size)
		return NULL;
	object_name(e->digest, name);
	if (is_bad(c, name))
		return arena_printf(c->e->arena, "/%s: its contents (objects/%s) are damaged", e->path, name);
	if (fstatat(c->e->store.objects_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return arena_printf(c->e->arena, "/%s: its contents (objects/%s) are missing", e->path, name);
	return S_ISREG(st.st_mode) && st.st_size == e->size ? NULL :
	       arena_printf(c->e->arena, "/%s: its contents (objects/%s) have another size", e->path, name);
}

char *check_list_problem(struct check *c, const char *chain_id)
{
	const struct strings one = { .v = (char *[]){ (char *)(uintptr_t)chain_id, NULL }, .n = 1 };
	_cleanup_arena_ struct arena *scratch = arena_new();
	const struct layer_entry *e;
	struct layer_indexes x;
	struct error why = { 0 };
	char *problem = NULL;
	int more;

	if (layer_indexes_open(scratch, &c->e->store, &one, &x, &why) < 0)
		return why.sys == ENOENT ? "its list of files is missing" : arena_strdup(c->e->arena, why.text);
	while ((more = layer_index_next(x.v[0], &e, &why)) > 0 && !problem)
		problem = problem_of_file(c, e);
	layer_indexes_close(&x);
	return more < 0 ? arena_strdup(c->e->arena, why.text) : problem;
}
