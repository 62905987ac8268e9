/* state and list: what containers there are */
#include <errno.h>
#include <fcntl.h>

#include "oci/record.h"
#include "sys/fd.h"

/* A frozen container keeps its state while somebody looks at it; nobody is waited for. */
static struct json *state_of(struct oci *o, const char *id, struct error *err)
{
	_cleanup_opened_ struct opened c = { .dir_fd = -1 };

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

struct json *oci_list(struct oci *o, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(AT_FDCWD, o->root);
	struct json *list = json_new_list(o->arena);
	struct dirent *entry;

	if (!dir && errno == ENOENT)
		return list;
	if (!dir) {
		error_errno(err, "state directory %s", o->root);
		return NULL;
	}
	while ((entry = readdir(dir))) {
		struct error failure = { 0 };
		struct json *state;

		if (record_check_id(entry->d_name, NULL) < 0)
			continue;
		state = state_of(o, entry->d_name, &failure);
		if (state)
			json_append(o->arena, list, state);
		else if (is_worth_a_word(&failure))
			oci_warn(o, "%s", failure.text);
	}
	return list;
}
