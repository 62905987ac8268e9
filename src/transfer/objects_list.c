/* All objects of a store, by name. What else lies in objects/ is none and is left out. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "sys/fd.h"
#include "transfer/objects.h"

static int list_directory(struct arena *arena, int objects, const char *directory, struct strings *ret,
			  struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(objects, directory);
	char name[OBJECT_NAME_SIZE];
	struct dirent *d;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, "read objects/%s", directory);
	while ((d = readdir(dir))) {
		if (strlen(d->d_name) != OBJECT_NAME_SIZE - 3)
			continue;
		snprintf(name, sizeof(name), "%c/%.21s", directory[0], d->d_name);
		if (object_name_is_valid(name))
			strings_add(arena, ret, name);
	}
	return 0;
}

int objects_list(struct arena *arena, int objects, struct strings *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(objects, ".");
	struct dirent *d;

	if (!dir)
		return error_errno(err, "read objects/");
	while ((d = readdir(dir)))
		if (strlen(d->d_name) == 1 && d->d_name[0] != '.' &&
		    list_directory(arena, objects, d->d_name, ret, err) < 0)
			return -1;
	return 0;
}
