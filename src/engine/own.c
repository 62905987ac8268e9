#include "engine/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "sys/fd.h"

#define UNMAPPED 65534		/* what the kernel shows for owners outside the map */
#define DEPTH_MAX 512

struct owning {
	uid_t uid;
	gid_t gid;
	bool change;		/* the second walk; the first one only looks */
	struct error *err;
};

static int visit(const struct owning *o, int dir, const char *name, const struct stat *st)
{
	if (!o->change)
		return st->st_uid != UNMAPPED && st->st_gid != UNMAPPED ? 0 :
		       error_set(o->err, ERROR_DENIED, "%s belongs to a user outside of the id map", name);
	if (st->st_uid == o->uid && st->st_gid == o->gid)
		return 0;
	return fchownat(dir, name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW) < 0 ? error_errno(o->err, "change the owner of %s", name) : 0;
}

static int walk(const struct owning *o, int dir_fd, int depth)
{
	_cleanup_dir_ DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		error_errno(o->err, "read a directory");
		close(dir_fd);
		return -1;
	}
	while ((entry = fd_next_entry(dir))) {
		const char *name = entry->d_name;
		struct stat st;

		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (visit(o, dirfd(dir), name, &st) < 0)
			return -1;
		if (!S_ISDIR(st.st_mode))
			continue;
		int child = fd_open_dir(dirfd(dir), name);
		if (child < 0 || depth >= DEPTH_MAX) {
			fd_close(&child);
			return error_set(o->err, ERROR_DENIED, "%s: cannot be entered", name);
		}
		if (walk(o, child, depth + 1) < 0)
			return error_frame(o->err, "%s", name);
	}
	return errno ? error_errno(o->err, "list a directory") : 0;
}

static int walk_all(const char *path, const struct owning *o)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOTDIR) {
		if (stat(path, &st) < 0)
			return error_errno(o->err, "stat %s", path);
		return visit(o, AT_FDCWD, path, &st);
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		error_errno(o->err, "open %s", path);
		fd_close(&fd);
		return -1;
	}
	if (visit(o, AT_FDCWD, path, &st) < 0) {
		close(fd);
		return -1;
	}
	return walk(o, fd, 0);
}

int own_tree(struct engine *e, const char *path, uid_t uid, gid_t gid, struct error *err)
{
	struct owning o = { .uid = uid, .gid = gid, .err = err };

	if (strcmp(path, "/") == 0 || strcmp(path, e->identity.home) == 0) {
		error_set(err, ERROR_USAGE, "volume option U would give all of %s to the container's user", path);
		return error_hint(err, "mount a directory below it");
	}
	for (int round = 0; round < 2; round++) {
		o.change = round == 1;
		if (walk_all(path, &o) < 0)
			return error_frame(err, "volume option U on %s", path);
	}
	return 0;
}
