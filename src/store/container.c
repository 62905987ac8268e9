#include "store/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "spec/reference.h"
#include "store/container_name.h"
#include "store/container_rootfs.h"
#include "store/container_show.h"
#include "store/layer.h"
#include "store/near.h"
#include "store/stage.h"
#include "sys/fd.h"

#define CONFIG_MAX ((size_t)16 << 20)
#define ID_SIZE 64

bool container_store_is_id(const char *s)
{
	return s && strlen(s) == ID_SIZE && strspn(s, "0123456789abcdef") == ID_SIZE;
}

static int check_id(const char *id, struct error *err)
{
	return container_store_is_id(id) ? 0 : error_set(err, ERROR_USAGE, "\"%s\" is not a container id", id ? id : "");
}

static int no_such(const char *name, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "no container with ID or name \"%s\" found: no such container", name);
	return error_code(err, "no-such-container");
}

/* --- creating */

static int write_config(int dir, const char *config_json, struct error *err)
{
	_cleanup_fd_ int fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, config_json, strlen(config_json)) < 0)
		return error_errno(err, "write config.json");
	return 0;
}

/* Under the shared lock of the store, so that no layer goes between the question and the container that needs it. */
static int fill_stage(struct arena *arena, struct store *s, int dir, const char *config_json,
		      const struct strings *layers, const struct id_maps *maps, struct error *err)
{
	for (size_t i = 0; layers && i < layers->n; i++)
		if (!layer_has(s, layers->v[i], layer_form_of(s->driver))) {
			error_set(err, ERROR_NOT_FOUND, "the image's layer %s is not in the store any more", layers->v[i]);
			return error_hint(err, "pull or load the image again");
		}
	if (write_config(dir, config_json, err) < 0)
		return -1;
	return layers ? container_rootfs_make(arena, s, dir, layers, maps && maps->uid.n ? maps : NULL, err) : 0;
}

/* Before the rename: a directory that has its name has its records. The first loop only starts the writing, so that both
 * files go into one commit of the file system. */
static int sync_records(int dir, struct error *err)
{
	static const char *const names[] = { "config.json", "rootfs.json" };
	int fds[ELEMENTS(names)], r = 0;

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		fds[i] = openat(dir, names[i], O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fds[i] >= 0)
			sync_file_range(fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	}
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		if (fds[i] >= 0 && fsync(fds[i]) < 0 && r == 0)
			r = error_errno(err, "write %s to disk", names[i]);
		fd_close(&fds[i]);
	}
	return r;
}

/* A file without contents is there or not, but never half. */
static int mark_volatile(int dir, struct error *err)
{
	_cleanup_fd_ int fd = openat(dir, "volatile", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? error_errno(err, "make a mark") : 0;
}

bool container_store_is_volatile(const struct store *s, const char *id)
{
	char path[ID_SIZE + 32];

	snprintf(path, sizeof(path), "containers/%.64s/volatile", id);
	return faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Gives the staged directory its name and its place. */
static int publish(struct store *s, const char *id, const char *name, struct error *err)
{
	char path[ID_SIZE + 16];

	snprintf(path, sizeof(path), "containers/%s", id);
	if (name && container_name_claim(s, name, id, err) < 0)
		return -1;
	if (renameat(s->tmp_fd, id, s->root_fd, path) == 0)
		return 0;
	if (errno == EEXIST || errno == ENOTEMPTY)
		error_set(err, ERROR_EXISTS, "a container with the id %s exists", id);
	else
		error_errno(err, "rename to %s/%s", s->path, path);
	if (name)
		container_name_release(s, name, id);
	return -1;
}

int container_store_create(struct arena *arena, struct store *s, const char *id, const char *name,
			   const char *config_json, const struct strings *layers, const struct id_maps *maps,
			   bool durable, struct error *err)
{
	_cleanup_fd_ int shared = -1, dir = -1;
	int stage;

	if (check_id(id, err) < 0)
		return -1;
	shared = store_lock(s, LOCK_SHARED, true, err);
	stage = shared < 0 ? -1 : store_stage_named(s, id, err);
	if (stage < 0)
		return -1;
	dir = fd_open_dir(s->tmp_fd, id);
	if (dir < 0)
		error_errno(err, "open %s/tmp/%s", s->path, id);
	else
		flock(dir, LOCK_EX | LOCK_NB);		/* nobody else knows it yet */
	if (dir < 0 || fill_stage(arena, s, dir, config_json, layers, maps, err) < 0 ||
	    (durable ? sync_records(dir, err) : mark_volatile(dir, err)) < 0 || publish(s, id, name, err) < 0)
		fd_close(&dir);
	store_stage_done(s, id, &stage);
	return fd_take(&dir);
}

/* --- reading */

static bool is_still(const struct store *s, const char *path, int fd)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && fstatat(s->root_fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

int container_store_open(const struct store *s, const char *id, int lock_mode, struct error *err)
{
	char path[ID_SIZE + 16];
	int fd;

	if (!container_store_is_id(id))
		return no_such(id ? id : "", err);
	snprintf(path, sizeof(path), "containers/%s", id);
	fd = fd_open_dir(s->root_fd, path);
	if (fd < 0)
		return errno == ENOENT ? no_such(id, err) : error_errno(err, "open %s/%s", s->path, path);
	if (lock_mode < 0)
		return fd;
	/* Some network file systems have no locks of directories; there it goes without. */
	while (flock(fd, lock_mode == LOCK_SHARED ? LOCK_SH : LOCK_EX) < 0 && errno == EINTR)
		;
	if (is_still(s, path, fd))
		return fd;
	close(fd);
	return no_such(id, err);
}

int container_store_write(struct store *s, const char *id, const char *config_json, bool durable, struct error *err)
{
	char path[ID_SIZE + 32];

	if (check_id(id, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "containers/%s/config.json", id);
	return store_write(s, path, config_json, strlen(config_json), durable, err);
}

char *container_store_read(struct arena *arena, const struct store *s, const char *id, size_t *ret_size,
			   struct error *err)
{
	char path[ID_SIZE + 32];
	char *text;
	size_t n = 0;

	if (!container_store_is_id(id)) {
		no_such(id ? id : "", err);
		return NULL;
	}
	snprintf(path, sizeof(path), "containers/%s/config.json", id);
	text = fd_read_file(arena, s->root_fd, path, CONFIG_MAX, &n);
	if (text && n > 0) {
		*ret_size = n;
		return text;
	}
	if (!text && errno != ENOENT) {
		error_errno(err, "read %s/%s", s->path, path);
		return NULL;
	}
	path[strlen("containers/") + ID_SIZE] = '\0';
	if (faccessat(s->root_fd, path, F_OK, 0) < 0) {
		no_such(id, err);
		return NULL;
	}
	error_set(err, ERROR_INVALID, "the record of container %.12s is %s", id, text ? "empty" : "missing");
	error_hint(err, "remove it with `bryo rm --force %.12s`", id);
	return NULL;
}

int container_store_list(struct arena *arena, const struct store *s, struct strings *ret_ids, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "containers");
	struct dirent *entry;

	*ret_ids = (struct strings){ 0 };
	if (!dir)
		return error_errno(err, "open %s/containers", s->path);
	while ((entry = fd_next_entry(dir)))
		if (container_store_is_id(entry->d_name))
			strings_add(arena, ret_ids, entry->d_name);
	return errno ? error_errno(err, "list %s/containers", s->path) : 0;
}

static bool exists(const struct store *s, const char *id)
{
	char path[ID_SIZE + 16];

	snprintf(path, sizeof(path), "containers/%s", id);
	return faccessat(s->root_fd, path, F_OK, 0) == 0;
}

static char *find_prefix(struct arena *arena, const struct store *s, const char *prefix, struct error *err)
{
	struct strings ids;
	char *found = NULL;

	if (container_store_list(arena, s, &ids, err) < 0)
		return NULL;
	for (size_t i = 0; i < ids.n; i++) {
		if (!str_starts(ids.v[i], prefix))
			continue;
		if (found) {
			error_set(err, ERROR_USAGE, "\"%s\" is ambiguous: containers %.12s and %.12s begin so", prefix, found,
				  ids.v[i]);
			return NULL;
		}
		found = ids.v[i];
	}
	if (!found)
		no_such(prefix, err);
	return found;
}

char *container_store_find(struct arena *arena, const struct store *s, const char *name_or_id, struct error *err)
{
	char id[ID_SIZE + 1];

	if (container_store_is_id(name_or_id) && exists(s, name_or_id))
		return arena_strdup(arena, name_or_id);
	if (container_name_lookup(s, name_or_id, id) && exists(s, id))
		return arena_strdup(arena, id);
	if (*name_or_id && !name_or_id[strspn(name_or_id, "0123456789abcdef")])
		return find_prefix(arena, s, name_or_id, err);
	no_such(name_or_id, err);
	near_hint(s, NEAR_CONTAINER, name_or_id, err);
	return NULL;
}

/* --- changing and removing */

int container_store_rename(struct store *s, const char *id, const char *old_name, const char *new_name,
			   struct error *err)
{
	if (check_id(id, err) < 0 || container_name_claim(s, new_name, id, err) < 0)
		return -1;
	if (old_name)
		container_name_release(s, old_name, id);
	return 0;
}

/* trash/<id>.<random>, or trash/<id>.v<random> when its volumes go too. */
static int make_entry(const char *id, bool volumes, char entry[ID_SIZE + 32])
{
	char suffix[17];

	if (fd_random_hex(suffix, 8) < 0)
		return -1;
	snprintf(entry, ID_SIZE + 32, "%s.%s%s", id, volumes ? "v" : "", suffix);
	return 0;
}

bool container_store_is_removed(const char *entry, char ret_id[ID_SIZE + 1], bool *ret_volumes)
{
	if (strlen(entry) < ID_SIZE + 2 || entry[ID_SIZE] != '.')
		return false;
	memcpy(ret_id, entry, ID_SIZE);
	ret_id[ID_SIZE] = '\0';
	*ret_volumes = entry[ID_SIZE + 1] == 'v';
	return container_store_is_id(ret_id);
}

int container_store_remove(struct store *s, const char *id, bool volumes, struct error *err)
{
	char path[ID_SIZE + 16], entry[ID_SIZE + 32], target[ID_SIZE + 48];

	if (check_id(id, err) < 0)
		return -1;
	container_show_end(s, id);
	container_store_unmount(s, id);
	if (make_entry(id, volumes, entry) < 0)
		return error_errno(err, "random numbers");
	snprintf(path, sizeof(path), "containers/%s", id);
	snprintf(target, sizeof(target), "trash/%s", entry);
	if (renameat(s->root_fd, path, s->root_fd, target) == 0)
		store_bury(s, entry);
	else if (errno != ENOENT)
		return error_errno(err, "remove container %.12s", id);
	container_name_release_all(s, id);
	return 0;
}
