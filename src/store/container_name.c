#include "store/container_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "spec/reference.h"
#include "store/stage.h"
#include "sys/fd.h"

#define ID_SIZE 64
#define PATH_SIZE 320

static bool name_path(const char *name, char path[PATH_SIZE])
{
	if (strlen(name) > 250 || !reference_is_object_name(name))
		return false;
	snprintf(path, PATH_SIZE, "containers/names/%s", name);
	return true;
}

/* false with errno; EINVAL: it is something else. */
static bool read_link(const struct store *s, const char *path, char ret_id[ID_SIZE + 1])
{
	ssize_t n = readlinkat(s->root_fd, path, ret_id, ID_SIZE + 1);
	bool good = n == ID_SIZE;

	if (n < 0)
		return false;
	ret_id[good ? ID_SIZE : 0] = '\0';
	good = strspn(ret_id, "0123456789abcdef") == ID_SIZE;
	errno = good ? errno : EINVAL;
	return good;
}

bool container_name_lookup(const struct store *s, const char *name, char ret_id[ID_SIZE + 1])
{
	char path[PATH_SIZE];

	return name_path(name, path) && read_link(s, path, ret_id);
}

/* Neither there nor being made. The directory is asked for last: its maker unlocks the stage after the rename. */
static bool is_stale(const struct store *s, const char *id)
{
	char path[ID_SIZE + 16];

	snprintf(path, sizeof(path), "%s.lock", id);
	if (lock_is_held(s->tmp_fd, path))
		return false;
	snprintf(path, sizeof(path), "containers/%s", id);
	return faccessat(s->root_fd, path, F_OK, 0) < 0 && errno == ENOENT;
}

/* Under a lock, so that of two who take the same stale name the second sees the first one's link. */
static int take_over(struct store *s, const char *path, const char *id, char ret_owner[ID_SIZE + 1])
{
	_cleanup_fd_ int lock = lock_open(s->root_fd, "names.lock", LOCK_EXCLUSIVE, true);

	if (lock < 0)
		return -1;
	if (read_link(s, path, ret_owner)) {
		if (!is_stale(s, ret_owner))
			return errno = EEXIST, -1;
	} else if (error_is_unread(errno)) {
		return -1;
	}
	unlinkat(s->root_fd, path, 0);
	return symlinkat(id, s->root_fd, path);
}

int container_name_claim(struct store *s, const char *name, const char *id, struct error *err)
{
	char path[PATH_SIZE], owner[ID_SIZE + 1] = "another container";

	if (!name_path(name, path))
		return error_set(err, ERROR_USAGE, "invalid container name \"%s\": names must match "
				 "[a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument", name);
	if (symlinkat(id, s->root_fd, path) == 0)
		return 0;
	if (errno == EEXIST && take_over(s, path, id, owner) == 0)
		return 0;
	if (errno != EEXIST)
		return error_errno(err, "claim the container name %s", name);
	error_set(err, ERROR_EXISTS, "the container name \"%s\" is already in use by %s. You have to remove that "
		  "container to be able to reuse that name: that name is already in use", name, owner);
	error_code(err, "name-taken");
	return error_fix(err, "bryo rm -f %s", name);
}

void container_name_release(struct store *s, const char *name, const char *id)
{
	char path[PATH_SIZE], owner[ID_SIZE + 1];

	if (name_path(name, path) && read_link(s, path, owner) && strcmp(owner, id) == 0)
		unlinkat(s->root_fd, path, 0);
}

int container_name_release_all(struct store *s, const char *id)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "containers/names");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name))
			container_name_release(s, entry->d_name, id);
	return dir ? 0 : -1;
}

static bool is_dangling(const struct store *s, const char *entry)
{
	char path[PATH_SIZE], owner[ID_SIZE + 1];

	snprintf(path, sizeof(path), "containers/names/%s", entry);
	return read_link(s, path, owner) ? is_stale(s, owner) : errno == EINVAL;
}

void container_names_dangling(struct arena *arena, const struct store *s, struct strings *ret)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "containers/names");
	struct dirent *entry;

	*ret = (struct strings){ 0 };
	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && is_dangling(s, entry->d_name))
			strings_add(arena, ret, entry->d_name);
}

int container_name_discard(struct store *s, const char *entry, struct error *err)
{
	_cleanup_fd_ int lock = lock_open(s->root_fd, "names.lock", LOCK_EXCLUSIVE, true);
	char path[PATH_SIZE];

	if (lock < 0)
		return error_errno(err, "lock the names of containers");
	snprintf(path, sizeof(path), "containers/names/%s", entry);
	return is_dangling(s, entry) ? store_discard(s, path, true, err) : 0;
}
