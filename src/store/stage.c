#include "store/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"

#define RANDOM_BYTES 12
#define STRAY_AGE_S 3600	/* a file that is no stage, record or link */

/* --- making */

/* The collector removes a lock file only while it holds it, so a file that lost its name in between is no lock. */
static int lock_new(const struct store *s, const char *name)
{
	for (int tries = 0; tries < 100; tries++) {
		int fd = lock_open(s->tmp_fd, name, LOCK_EXCLUSIVE, true);
		struct stat st;

		if (fd < 0)
			return -1;
		if (fstat(fd, &st) == 0 && st.st_nlink > 0)
			return fd;
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

int store_stage_named(struct store *s, const char *name, struct error *err)
{
	char lock_name[256];
	int lock, saved;

	snprintf(lock_name, sizeof(lock_name), "%s.lock", name);
	lock = lock_new(s, lock_name);
	if (lock < 0)
		return error_errno(err, "lock %s/tmp/%s", s->path, lock_name);
	if (mkdirat(s->tmp_fd, name, 0700) == 0)
		return lock;
	saved = errno;
	unlinkat(s->tmp_fd, lock_name, 0);
	close(lock);
	errno = saved;
	return error_errno(err, "make %s/tmp/%s", s->path, name);
}

int store_stage(struct arena *arena, struct store *s, char **ret_name, struct error *err)
{
	char name[2 * RANDOM_BYTES + 1];
	int lock;

	if (fd_random_hex(name, RANDOM_BYTES) < 0)
		return error_errno(err, "random numbers");
	lock = store_stage_named(s, name, err);
	if (lock >= 0)
		*ret_name = arena_strdup(arena, name);
	return lock;
}

void store_stage_done(struct store *s, const char *name, int *lock)
{
	char lock_name[256];

	if (*lock < 0)
		return;
	snprintf(lock_name, sizeof(lock_name), "%s.lock", name);
	fd_remove_tree(s->tmp_fd, name);
	unlinkat(s->tmp_fd, lock_name, 0);
	fd_close(lock);
}

int store_claim(struct store *s, struct store_claim *ret, struct error *err)
{
	*ret = (struct store_claim){ .mark = -1 };
	ret->lock = store_lock(s, LOCK_SHARED, true, err);
	if (ret->lock < 0)
		return -1;
	if (fd_random_hex(ret->name, RANDOM_BYTES) < 0)
		error_errno(err, "random numbers");
	else
		ret->mark = store_stage_named(s, ret->name, err);
	if (ret->mark >= 0)
		return 0;
	fd_close(&ret->lock);
	return -1;
}

void store_claim_done(struct store *s, struct store_claim *claim)
{
	store_stage_done(s, claim->name, &claim->mark);
	fd_close(&claim->lock);
}

static int sync_parent(const struct store *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[512];
	_cleanup_fd_ int fd = -1;

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	fd = openat(s->root_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fsync(fd);
}

int store_write(struct store *s, const char *path, const void *p, size_t n, bool durable, struct error *err)
{
	char name[64] = "record.";
	_cleanup_fd_ int fd = -1;

	if (fd_random_hex(name + strlen(name), RANDOM_BYTES) < 0)
		return error_errno(err, "random numbers");
	fd = lock_new(s, name);
	if (fd < 0)
		return error_errno(err, "make %s/tmp/%s", s->path, name);
	if (fd_write_all(fd, p, n) == 0 && (!durable || fsync(fd) == 0) &&
	    renameat(s->tmp_fd, name, s->root_fd, path) == 0 && (!durable || sync_parent(s, path) == 0))
		return 0;
	error_errno(err, "write %s/%s", s->path, path);
	unlinkat(s->tmp_fd, name, 0);
	return -1;
}

static int sync_name(const struct store *s, const char *path, struct error *err)
{
	return sync_parent(s, path) < 0 ? error_errno(err, "write %s/%s to disk", s->path, path) : 0;
}

int store_link(struct store *s, const char *text, const char *path, struct error *err)
{
	char name[64];

	if (symlinkat(text, s->root_fd, path) == 0)
		return sync_name(s, path, err);
	/* A collector may take a link in tmp/ for a leftover before it is renamed: then once more. */
	for (int tries = 0; tries < 10 && errno == (tries ? ENOENT : EEXIST); tries++) {
		snprintf(name, sizeof(name), "link.");
		if (fd_random_hex(name + strlen(name), RANDOM_BYTES) < 0 || symlinkat(text, s->tmp_fd, name) < 0)
			break;
		if (renameat(s->tmp_fd, name, s->root_fd, path) == 0)
			return sync_name(s, path, err);
	}
	error_errno(err, "write %s/%s", s->path, path);
	unlinkat(s->tmp_fd, name, 0);
	return -1;
}

int store_discard(struct store *s, const char *path, bool now, struct error *err)
{
	const char *base = strrchr(path, '/');
	char suffix[17], target[320];

	base = base ? base + 1 : path;
	if (fd_random_hex(suffix, 8) < 0)
		return error_errno(err, "random numbers");
	snprintf(target, sizeof(target), "trash/%.200s.%s", base, suffix);
	if (renameat(s->root_fd, path, s->root_fd, target) < 0) {
		if (errno == ENOENT || (fd_remove_tree(s->root_fd, path) == 0))
			return 0;
		return error_errno(err, "remove %s/%s", s->path, path);
	}
	/* It has lost its name; what cannot be deleted now stays in trash/ for the next collection. */
	if (now)
		fd_remove_tree(s->root_fd, target);
	return 0;
}

/* --- finding what was left */

static bool is_old(const struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->tmp_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime + STRAY_AGE_S < time(NULL);
}

static bool is_directory(const struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->tmp_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* The name of the lock that says whether an entry of tmp/ is in use; NULL when age or nothing decides. */
static const char *lock_of(const struct store *s, const char *name, char buf[320])
{
	if (str_ends(name, ".lock") || str_starts(name, "record."))
		return name;
	if (!is_directory(s, name))
		return NULL;
	snprintf(buf, 320, "%s.lock", name);
	return buf;
}

bool stage_is_live(const struct store *s, const char *name)
{
	char buf[320];
	const char *lock = lock_of(s, name, buf);

	if (lock)
		return lock_is_held(s->tmp_fd, lock);
	return !str_starts(name, "link.") && !is_old(s, name);
}

bool stage_has_leftovers(const struct store *s)
{
	_cleanup_dir_ DIR *trash = fd_opendir(s->root_fd, "trash");
	_cleanup_dir_ DIR *tmp = fd_opendir(s->tmp_fd, ".");
	struct dirent *entry;

	while (trash && (entry = readdir(trash)))
		if (!stage_is_dot(entry->d_name))
			return true;
	while (tmp && (entry = readdir(tmp)))
		if (!stage_is_dot(entry->d_name) && !stage_is_live(s, entry->d_name))
			return true;
	return false;
}

static void request(const struct store *s, const char *path)
{
	int fd = openat(s->root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

void stage_request_sweep(const struct store *s)
{
	request(s, "trash/sweep");
}

void stage_request_object_sweep(const struct store *s)
{
	request(s, STAGE_SWEEP_OBJECTS);
}
