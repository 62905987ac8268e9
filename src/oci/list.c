/* state and list: what containers there are */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "oci/record.h"
#include "sys/fd.h"

/* A frozen container keeps its state while somebody looks at it; nobody is waited for. */
static struct json *state_of(struct oci *o, const char *id, struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;

	return record_find(o, id, false, &c, err) < 0 ? NULL : record_state(o->arena, &c.record, c.status);
}

struct json *oci_state(struct oci *o, const char *id, struct error *err)
{
	return state_of(o, id, err);
}

/* One that is being made has no record yet. */
static bool is_worth_a_word(const struct error *err)
{
	return !error_is(err, ERROR_STATE) && !error_is(err, ERROR_NOT_FOUND);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_ids(struct oci *o, struct strings *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(AT_FDCWD, o->root);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, "state directory %s", o->root);
	while ((entry = readdir(dir)))
		if (record_check_id(entry->d_name, NULL) == 0)
			strings_add(o->arena, ret, entry->d_name);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return 0;
}

struct json *oci_list(struct oci *o, struct error *err)
{
	struct json *list = json_new_list(o->arena);
	struct strings ids = { 0 };

	if (read_ids(o, &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.n; i++) {
		struct error failure = { 0 };
		struct json *state = state_of(o, ids.v[i], &failure);

		if (state)
			json_append(o->arena, list, state);
		else if (is_worth_a_word(&failure))
			oci_warn(o, "%s", failure.text);
	}
	return list;
}
