/* The operation `objects-check`: reads objects, those named or all of them, and answers which are not what their names
 * say. One that is missing is damaged; whatever else lies in objects/ is none and is left alone. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sys/fd.h"
#include "transfer/objects.h"
#include "transfer/work.h"

struct check {
	struct work *work;
	struct objects objects;
	struct transfer_event *result;
	struct progress progress;
};

static int check_one(struct check *c, const char *name, struct error *err)
{
	int good = object_name_is_valid(name) ? objects_verify(&c->objects, name, err) : 0;

	if (good < 0)
		return -1;
	c->result->checked++;
	progress_note(&c->progress, "Verifying", c->result->checked);
	if (!good && c->result->damaged_objects.n < TRANSFER_DAMAGED_MAX)
		strings_add(c->work->arena, &c->result->damaged_objects, name);
	return 0;
}

static int check_directory(struct check *c, const char *directory, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->objects.dir, directory);
	char name[OBJECT_NAME_SIZE];
	struct dirent *d;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, "read objects/%s", directory);
	while ((d = readdir(dir))) {
		if (strlen(d->d_name) != OBJECT_NAME_SIZE - 3)
			continue;
		snprintf(name, sizeof(name), "%c/%.21s", directory[0], d->d_name);
		if (object_name_is_valid(name) && check_one(c, name, err) < 0)
			return -1;
	}
	return 0;
}

static int check_all(struct check *c, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->objects.dir, ".");
	struct dirent *d;

	if (!dir)
		return error_errno(err, "read objects/");
	while ((d = readdir(dir)))
		if (strlen(d->d_name) == 1 && d->d_name[0] != '.' && check_directory(c, d->d_name, err) < 0)
			return -1;
	return 0;
}

int op_objects_check(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct check c = { .work = w, .result = ret };
	int result = 0;

	if (w->places.objects < 0)
		return error_set(err, ERROR_USAGE, "the store has no directory for objects");
	if (objects_init(&c.objects, w->places.objects, err) < 0)
		return -1;
	progress_init(&c.progress, w->channel, "sha256:objects", 0);
	if (!r->names.n)
		result = check_all(&c, err);
	for (size_t i = 0; i < r->names.n && result == 0; i++)
		result = check_one(&c, r->names.v[i], err);
	objects_done(&c.objects);
	return result;
}
