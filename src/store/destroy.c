#include "store/destroy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "store/stage.h"
#include "sys/fd.h"

/* Every store has these. */
static const char *const signs[] = {
	"blobs/sha256", "layers", "images/names", "containers/names", "volumes", "trash", "tmp",
};

/* What a store may have. The signs' own directories go last, so that what is left of a reset that was cut short is
 * still known as a store. */
static const char *const entries[] = {
	"collect.lock", "driver", "events", "ids", "labels", "lock", "mounts", "names.lock", "networks", "networks.lock", "objects",
	"skeleton", "trees", "trash", "volumes", "containers", "images", "layers", "blobs", "tmp",
};

int destroy_look(const char *path, struct error *err)
{
	_cleanup_fd_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0)
		return error_errno(err, "open %s", path);
	for (size_t i = 0; i < ELEMENTS(signs); i++)
		if (faccessat(dir, signs[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return error_set(err, ERROR_STATE, "%s is not a store of bryo: it has no %s; nothing is removed", path, signs[i]);
	return 1;
}

static void list_left(struct arena *arena, int dir, struct strings *ret)
{
	_cleanup_dir_ DIR *d = fd_opendir(dir, ".");
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (!stage_is_dot(entry->d_name))
			strings_add(arena, ret, entry->d_name);
}

int destroy_store(struct arena *arena, struct store *s, struct strings *ret_left, struct error *err)
{
	_cleanup_fd_ int dir = fcntl(s->root_fd, F_DUPFD_CLOEXEC, 3);

	*ret_left = (struct strings){ 0 };
	if (dir < 0)
		return error_errno(err, "open %s", s->path);
	store_close(s);
	for (size_t i = 0; i < ELEMENTS(entries); i++)
		if (fd_remove_tree(dir, entries[i]) < 0)
			return error_errno(err, "remove %s/%s", s->path, entries[i]);
	list_left(arena, dir, ret_left);
	if (ret_left->n == 0 && rmdir(s->path) < 0 && errno != ENOENT)
		return error_errno(err, "remove %s", s->path);
	return 0;
}
