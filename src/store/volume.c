#include "store/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/reference.h"
#include "store/near.h"
#include "sys/fd.h"

#define RECORD_MAX ((size_t)1 << 20)

JSON_SHAPE(volume,
	JSON_FIELD(volume, name, "name", T_STRING, .required = true),
	JSON_FIELD(volume, driver, "driver", T_STRING),
	JSON_FIELD(volume, created, "created", T_STRING),
	JSON_FIELD(volume, labels, "labels", T_MAP),
	JSON_FIELD(volume, options, "options", T_MAP),
	JSON_FIELD(volume, anonymous, "anonymous", T_BOOL),
	JSON_FIELD(volume, needs_copy_up, "needsCopyUp", T_BOOL),
	JSON_FIELD(volume, needs_chown, "needsChown", T_BOOL));

static int not_found(const char *name, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "no volume with name \"%s\" found: no such volume", name);
	return error_code(err, "no-such-volume");
}

static int check_name(const char *name, struct error *err)
{
	if (name && strlen(name) < 200 && reference_is_object_name(name))
		return 0;
	return error_set(err, ERROR_USAGE, "invalid volume name \"%s\": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*",
			 name ? name : "");
}

static int fill_stage(struct arena *arena, struct store *s, const char *stage, const struct volume *v,
		      struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &volume_shape, v), 0);
	_cleanup_fd_ int dir = fd_open_dir(s->tmp_fd, stage);
	_cleanup_fd_ int record = -1;

	if (dir < 0 || mkdirat(dir, "_data", 0755) < 0 || fchmodat(dir, "_data", 0755, 0) < 0)
		return error_errno(err, "make %s/tmp/%s/_data", s->path, stage);
	record = openat(dir, "volume.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (record < 0 || fd_write_all(record, text, strlen(text)) < 0 || fsync(record) < 0)
		return error_errno(err, "write %s/tmp/%s/volume.json", s->path, stage);
	return 0;
}

static int is_taken(const char *name, struct error *err)
{
	error_set(err, ERROR_EXISTS, "volume with name %s already exists: volume already exists", name);
	return error_code(err, "name-taken");
}

int volume_create(struct arena *arena, struct store *s, const struct volume *v, struct error *err)
{
	char path[280];
	char *stage;
	int lock, result;

	if (check_name(v->name, err) < 0)
		return -1;
	lock = store_stage(arena, s, &stage, err);
	if (lock < 0)
		return error_frame(err, "create volume %s", v->name);
	snprintf(path, sizeof(path), "volumes/%s", v->name);
	result = fill_stage(arena, s, stage, v, err);
	if (result == 0 && renameat2(s->tmp_fd, stage, s->root_fd, path, RENAME_NOREPLACE) < 0 &&
	    (errno != EINVAL || renameat(s->tmp_fd, stage, s->root_fd, path) < 0))
		result = errno == EEXIST || errno == ENOTEMPTY ? is_taken(v->name, err) :
								 error_errno(err, "create volume %s", v->name);
	store_stage_done(s, stage, &lock);
	return result;
}

/* One of the user's, under a name. A tmpfs is mounted at _data. */
static bool has_directory(const struct volume *v)
{
	const char *device = map_get(&v->options, "device");

	return device && *device == '/' && !str_eq(map_get(&v->options, "type"), "tmpfs");
}

int volume_read(struct arena *arena, const struct store *s, const char *name, struct volume *ret, struct error *err)
{
	char path[300];
	size_t n;
	char *text;

	if (check_name(name, NULL) < 0)
		return not_found(name, err);
	snprintf(path, sizeof(path), "volumes/%s/volume.json", name);
	text = fd_read_file(arena, s->root_fd, path, RECORD_MAX, &n);
	*ret = (struct volume){ 0 };
	if (text && json_decode(arena, &volume_shape, ret, text, n, path, err) == 0 && strcmp(ret->name, name) == 0) {
		if (has_directory(ret))
			ret->mountpoint = arena_strdup(arena, map_get(&ret->options, "device"));
		else
			ret->mountpoint = arena_printf(arena, "%s/volumes/%s/_data", s->path, name);
		return 0;
	}
	snprintf(path, sizeof(path), "volumes/%s", name);
	if (!text && errno == ENOENT && faccessat(s->root_fd, path, F_OK, 0) < 0) {
		not_found(name, err);
		return near_hint(s, NEAR_VOLUME, name, err);
	}
	if (!text && error_is_unread(errno))
		return error_errno(err, "read %s/%s/volume.json", s->path, path);
	error_set(err, ERROR_INVALID, "the record of volume %s is damaged", name);
	return error_hint(err, "its data is in %s/volumes/%s/_data; mend its record with `bryo system check --repair`, or remove the "
			  "volume with `bryo volume rm %s`", s->path, name, name);
}

int volume_write(struct arena *arena, struct store *s, const struct volume *v, struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &volume_shape, v), 0);
	char path[300];

	if (check_name(v->name, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "volumes/%s/volume.json", v->name);
	return store_write(s, path, text, strlen(text), true, err);
}

static int compare_volumes(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->name, ((const struct volume *)b)->name);
}

int volume_list(struct arena *arena, const struct store *s, struct volumes *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "volumes");
	struct dirent *entry;

	*ret = (struct volumes){ 0 };
	if (!dir)
		return error_errno(err, "open %s/volumes", s->path);
	while ((entry = fd_next_entry(dir))) {
		struct error why = { 0 };
		struct volume v;

		if (volume_read(arena, s, entry->d_name, &v, &why) == 0)
			*ARRAY_ADD(arena, ret) = v;
		else if (!error_is(&why, ERROR_NOT_FOUND))
			strings_add(arena, &ret->broken, entry->d_name);
	}
	if (errno)
		return error_errno(err, "list %s/volumes", s->path);
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_volumes);
	return 0;
}

int volume_lock(const struct store *s, const char *name, struct error *err)
{
	char path[280];
	int fd;

	if (check_name(name, NULL) < 0)
		return not_found(name, err);
	snprintf(path, sizeof(path), "volumes/%s", name);
	fd = fd_open_dir(s->root_fd, path);
	if (fd < 0)
		return errno == ENOENT ? not_found(name, err) : error_errno(err, "open volume %s", name);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			break;		/* a file system without locks of directories (NFS): go without */
	return fd;
}

int volume_remove(struct store *s, const char *name, struct error *err)
{
	_cleanup_fd_ int fd = volume_lock(s, name, err);
	char path[280];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "volumes/%s", name);
	return store_discard(s, path, true, err);
}
