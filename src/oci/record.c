#include "oci/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/pidfd.h"
#include "sys/trace.h"

#define STATE_MAX ((size_t)4 << 20)
#define F JSON_FIELD

const char *const record_status_names[] = { "creating", "created", "running", "paused", "stopped" };

JSON_SHAPE(record,
	F(record, id, "id", T_STRING, .required = true),
	F(record, bundle, "bundle", T_STRING, .required = true),
	F(record, rootfs, "rootfs", T_STRING),
	F(record, created, "created", T_STRING),
	F(record, owner, "owner", T_STRING),
	F(record, pid, "pid", T_INT, .required = true),
	F(record, start_time, "startTime", T_UINT, .required = true),
	F(record, boot_id, "bootId", T_STRING),
	F(record, annotations, "annotations", T_MAP),
	F(record, cgroup, "cgroup", T_EMBED, .shape = &cgroup_shape),
	F(record, rdt_group, "rdtGroup", T_STRING),
	F(record, needs_config, "needsConfig", T_BOOL));

/* The alphabet of runc's ids; a first dot is for this directory's own entries. */
int record_check_id(const char *id, struct error *err)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
	char odd = id[strspn(id, alphabet)];

	if (odd)
		error_set(err, ERROR_USAGE, "invalid container ID \"%.64s\": `%c` is not allowed in it", id, odd);
	else if (!*id || *id == '.' || strlen(id) > RECORD_ID_MAX)
		error_set(err, ERROR_USAGE, "invalid container ID \"%.64s\": it has %s", id,
			  !*id ? "no characters" : *id == '.' ? "a dot as the first character" : "too many characters");
	else
		return 0;
	return error_hint(err, "1 to %d letters, digits and _ + - ., the first no dot", RECORD_ID_MAX);
}

/* --- the state directory */

/* What others can write to could name any process as a container's. */
static int check_root(struct oci *o, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "state directory %s", o->root);
	if ((st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & 0022))
		return 0;
	error_set(err, ERROR_DENIED, "state directory %s: it can be changed by other users", o->root);
	return error_hint(err, "chmod go-w it, or name another one by --root");
}

static int open_root(struct oci *o, bool create, struct error *err)
{
	if (o->root_fd >= 0)
		return 0;
	if (create && fd_mkdirs(AT_FDCWD, o->root, 0700) < 0)
		return error_errno(err, "make the state directory %s", o->root);
	o->root_fd = open(o->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->root_fd < 0)
		return error_errno(err, "state directory %s", o->root);
	return check_root(o, o->root_fd, err);
}

static int not_found(const char *id, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, "container `%s` does not exist", id);
}

/* flock: a directory can have it, and it is freed with its last holder. */
static int take_lock(int dir_fd)
{
	int result;

	do
		result = flock(dir_fd, LOCK_EX);
	while (result < 0 && errno == EINTR);
	return result;
}

/* Is it still the one of that name? Whoever had the lock before may have removed it. */
static bool is_current(struct oci *o, const char *id, int dir_fd)
{
	struct stat mine, there;

	return fstat(dir_fd, &mine) == 0 && fstatat(o->root_fd, id, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

int record_open(struct oci *o, const char *id, bool lock, struct error *err)
{
	_cleanup_fd_ int fd = -1;

	if (record_check_id(id, err) < 0)
		return -1;
	if (access(o->root, F_OK) < 0 && errno == ENOENT)
		return not_found(id, err);
	if (open_root(o, false, err) < 0)
		return -1;
	do {
		fd_close(&fd);
		fd = fd_open_dir(o->root_fd, id);
		if (fd < 0)
			return errno == ENOENT ? not_found(id, err) : error_errno(err, "state of container `%s`", id);
		if (lock && take_lock(fd) < 0)
			return error_errno(err, "lock container `%s`", id);
	} while (lock && !is_current(o, id, fd));
	return fd_take(&fd);
}

void record_unlock(int dir_fd)
{
	flock(dir_fd, LOCK_UN);
}

/* One that has just been made, or was there, locked; -1 with errno EAGAIN when it went away meanwhile. */
static int open_claimed(struct oci *o, const char *id, bool *ret_made)
{
	_cleanup_fd_ int fd = -1;

	*ret_made = mkdirat(o->root_fd, id, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return -1;
	fd = fd_open_dir(o->root_fd, id);
	if (fd < 0) {
		int number = errno == ENOENT ? EAGAIN : errno;

		if (*ret_made)
			unlinkat(o->root_fd, id, AT_REMOVEDIR);
		errno = number;
		return -1;
	}
	if (take_lock(fd) < 0)
		return -1;
	if (!is_current(o, id, fd)) {
		errno = EAGAIN;
		return -1;
	}
	return fd_take(&fd);
}

/* Who makes the directory need not be the first to lock it: the one that locks it without a state has the id. */
int record_claim(struct oci *o, const char *id, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("claim the id");
	_cleanup_fd_ int fd = -1;
	bool made;

	if (record_check_id(id, err) < 0 || open_root(o, true, err) < 0)
		return -1;
	for (;;) {
		fd_close(&fd);
		fd = open_claimed(o, id, &made);
		if (fd < 0 && errno == EAGAIN)
			continue;
		if (fd < 0)
			return error_errno(err, "make the state of container `%s`", id);
		if (faccessat(fd, "state.json", F_OK, 0) == 0)
			return error_set(err, ERROR_EXISTS, "container `%s` already exists", id);
		if (made)
			return fd_take(&fd);
		/* What a killed create left, perhaps with files in it. */
		if (record_remove(o, id, fd, err) < 0)
			return -1;
	}
}

int record_remove(struct oci *o, const char *id, int dir_fd, struct error *err)
{
	static const char *const files[] = { "start", "created", "config.json", "state.json" };

	/* The state goes last: until then a delete that was cut off can be repeated. */
	for (size_t i = 0; i < ELEMENTS(files); i++)
		unlinkat(dir_fd, files[i], 0);
	if (unlinkat(o->root_fd, id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (fd_remove_tree(o->root_fd, id) < 0)
		return error_errno(err, "remove the state of container `%s`", id);
	return 0;
}

/* --- the record */

int record_save(struct arena *arena, int dir_fd, const struct record *r, struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &record_shape, r), 0);

	if (fd_write_file(dir_fd, "state.json", text, strlen(text), 0600, false) < 0)
		return error_errno(err, "write the state of container `%s`", r->id);
	return 0;
}

int record_load(struct arena *arena, int dir_fd, struct record *ret, struct error *err)
{
	size_t size;
	char *text = fd_read_file(arena, dir_fd, "state.json", STATE_MAX, &size);

	if (!text && errno == ENOENT)
		return error_set(err, ERROR_STATE, "it is being created, or its creation was cut off");
	if (!text)
		return error_errno(err, "read state.json");
	return json_decode(arena, &record_shape, ret, text, size, "state.json", err);
}

/* --- its process */

static bool is_of_this_boot(const struct record *r)
{
	char boot[37];

	return str_is_empty(r->boot_id) || pidfd_boot_id(boot) < 0 || str_eq(boot, r->boot_id);
}

/* -1 with ESRCH when it is gone. */
static int open_process(const struct record *r)
{
	if (is_of_this_boot(r))
		return pidfd_open_same((pid_t)r->pid, r->start_time);
	errno = ESRCH;
	return -1;
}

static enum record_status status_of(const struct opened *c)
{
	if (c->process < 0)
		return RECORD_STOPPED;
	if (cgroup_is_frozen(&c->record.cgroup))
		return RECORD_PAUSED;
	return lock_is_held(c->dir_fd, "created") ? RECORD_CREATED : RECORD_RUNNING;
}

struct json *record_state(struct arena *arena, const struct record *r, enum record_status status)
{
	struct json *state = json_new_object(arena);

	json_set(arena, state, "ociVersion", json_new_string(arena, OCI_VERSION));
	json_set(arena, state, "id", json_new_string(arena, r->id));
	json_set(arena, state, "pid", json_new_int(arena, status == RECORD_STOPPED ? 0 : r->pid));
	json_set(arena, state, "status", json_new_string(arena, record_status_names[status]));
	json_set(arena, state, "bundle", json_new_string(arena, r->bundle));
	json_set(arena, state, "rootfs", json_new_string(arena, r->rootfs));
	json_set(arena, state, "created", json_new_string(arena, r->created));
	json_set(arena, state, "owner", json_new_string(arena, r->owner));
	if (r->cgroup.scope)
		json_set(arena, state, "systemd-scope", json_new_string(arena, r->cgroup.scope));
	if (r->annotations.n)
		json_set(arena, state, "annotations", json_new_map(arena, &r->annotations));
	return state;
}

int record_find(struct oci *o, const char *id, bool lock, struct opened *ret, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("find the container");

	*ret = (struct opened){ .dir_fd = record_open(o, id, lock, err), .process = -1 };
	if (ret->dir_fd < 0)
		return -1;
	if (record_load(o->arena, ret->dir_fd, &ret->record, err) < 0)
		return error_frame(err, "container `%s`", id);
	ret->process = open_process(&ret->record);
	if (ret->process < 0 && error_passes(errno))
		return error_errno(err, "look at the process of container `%s`", id);
	ret->status = status_of(ret);
	return 0;
}

void record_close(struct opened *c)
{
	fd_close(&c->dir_fd);
	fd_close(&c->process);
}
