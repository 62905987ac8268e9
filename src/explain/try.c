#include "explain/try.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/caps.h"
#include "sys/fd.h"

#define GROUPS_MAX 1024

int try_request_fill(struct try_request *r, enum access_op op, const char *path, const char *to, struct error *err)
{
	*r = (struct try_request){ .op = op, .uid = ID_NONE, .gid = ID_NONE };
	if (strlen(path) >= sizeof(r->path) || (to && strlen(to) >= sizeof(r->to)))
		return error_set(err, ERROR_USAGE, "%s: the path is too long", path);
	memcpy(r->path, path, strlen(path) + 1);
	if (to)
		memcpy(r->to, to, strlen(to) + 1);
	return 0;
}

static int answer(int result)
{
	return result < 0 ? errno : 0;
}

/* What follows when all questions about rights are answered, and says nothing of them. */
static int unless(int sys, int passed)
{
	return sys == passed ? 0 : sys;
}

/* --- opening */
static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	if (fd < 0)
		return unless(unless(errno, ENXIO), ETXTBSY);	/* nobody at the other end; it is being executed */
	close(fd);
	return 0;
}

static bool is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

static int try_read(const struct try_request *r)
{
	return is_device(r->path) ? answer(faccessat(AT_FDCWD, r->path, R_OK, AT_EACCESS)) : try_open(r->path, O_RDONLY);
}

static int try_write(const struct try_request *r)
{
	if (is_device(r->path))
		return answer(faccessat(AT_FDCWD, r->path, W_OK, AT_EACCESS));
	return try_open(r->path, r->op == ACCESS_APPEND ? O_WRONLY | O_APPEND : O_WRONLY);
}

static int try_exec(const struct try_request *r)
{
	struct stat st;

	if (faccessat(AT_FDCWD, r->path, X_OK, AT_EACCESS) < 0)
		return errno;
	return stat(r->path, &st) == 0 && !S_ISREG(st.st_mode) ? EACCES : 0;
}

static int try_list(const struct try_request *r)
{
	return try_open(r->path, O_RDONLY | O_DIRECTORY);
}

static int try_search(const struct try_request *r)
{
	struct stat st;

	if (stat(r->path, &st) < 0)
		return errno;
	return S_ISDIR(st.st_mode) ? answer(faccessat(AT_FDCWD, r->path, X_OK, AT_EACCESS)) : ENOTDIR;
}

/* A kind of socket that hardly anybody listens with: he who does otherwise is not disturbed. */
static int try_connect(const struct try_request *r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;
	bool is_socket;

	if (fd < 0 || strlen(r->path) >= sizeof(address.sun_path))
		return answer(faccessat(AT_FDCWD, r->path, W_OK, AT_EACCESS));
	memcpy(address.sun_path, r->path, strlen(r->path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	is_socket = errno == EPROTOTYPE || (errno == ECONNREFUSED && stat(r->path, &st) == 0 && S_ISSOCK(st.st_mode));
	return is_socket ? 0 : errno == ECONNREFUSED || errno == EPROTOTYPE ? ECONNREFUSED : errno;
}

/* --- making */
static int try_create(const struct try_request *r)
{
	int fd = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)		/* a file, or a link to what is there or not */
		return try_open(r->path, O_WRONLY | O_CREAT);
	if (fd < 0)
		return errno;
	close(fd);
	unlink(r->path);
	return 0;
}

static int try_mkdir(const struct try_request *r)
{
	if (mkdir(r->path, 0700) < 0)
		return errno;
	rmdir(r->path);
	return 0;
}

static int and_unlink(int result, const char *path)
{
	if (result < 0)
		return errno;
	unlink(path);
	return 0;
}

static int try_symlink(const struct try_request *r)
{
	return and_unlink(symlink("nowhere", r->path), r->path);
}

static int try_mknod(const struct try_request *r)
{
	return and_unlink(mknod(r->path, r->mode | 0600, S_ISCHR(r->mode) ? makedev(1, 3) : 0), r->path);
}

static int try_link(const struct try_request *r)
{
	return and_unlink(link(r->path, r->to), r->to);
}

/* --- removing */

/* A mount point is refused by the real call; everything else by that for the other kind, once all else is good. */
static bool is_mount_point(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int try_unlink(const struct try_request *r)
{
	if (is_directory(r->path) || is_mount_point(r->path))
		return answer(unlink(r->path));
	return rmdir(r->path) < 0 ? unless(errno, ENOTDIR) : 0;
}

static int try_rmdir(const struct try_request *r)
{
	struct stat st;

	if ((lstat(r->path, &st) == 0 && !S_ISDIR(st.st_mode)) || is_mount_point(r->path))
		return answer(rmdir(r->path));
	return unlink(r->path) < 0 ? unless(errno, EISDIR) : 0;
}

static int try_rename(const struct try_request *r)
{
	unsigned how = RENAME_NOREPLACE;
	struct stat from, to;

	if (lstat(r->to, &to) == 0) {
		if (lstat(r->path, &from) == 0 && S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
			return answer(rename(r->path, r->to));
		how = RENAME_EXCHANGE;
	}
	if (renameat2(AT_FDCWD, r->path, AT_FDCWD, r->to, how) < 0)
		return errno;
	return answer(renameat2(AT_FDCWD, r->to, AT_FDCWD, r->path, how));
}

/* --- attributes */
static int set_times(const char *path, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	return utimensat(AT_FDCWD, path, times, 0);
}

/* chmod asks the same; and this may be done with the values that are there. */
static int try_owner(const struct try_request *r)
{
	struct stat st;

	return stat(r->path, &st) < 0 ? errno : answer(set_times(r->path, &st));
}

static int try_touch(const struct try_request *r)
{
	struct stat st;

	if (stat(r->path, &st) < 0 || utimensat(AT_FDCWD, r->path, NULL, 0) < 0)
		return errno;
	set_times(r->path, &st);
	return 0;
}

static int try_chown(const struct try_request *r)
{
	struct stat st;

	if (stat(r->path, &st) < 0 || chown(r->path, r->uid, r->gid) < 0)
		return errno;
	if (chown(r->path, st.st_uid, st.st_gid) == 0 && (st.st_mode & (S_ISUID | S_ISGID)))
		chmod(r->path, st.st_mode & 07777);
	return 0;
}

static int (*const tries[ACCESS_COUNT])(const struct try_request *r) = {
	[ACCESS_READ] = try_read, [ACCESS_WRITE] = try_write, [ACCESS_APPEND] = try_write, [ACCESS_EXEC] = try_exec,
	[ACCESS_LIST] = try_list, [ACCESS_SEARCH] = try_search, [ACCESS_CONNECT] = try_connect,
	[ACCESS_CREATE] = try_create, [ACCESS_MKDIR] = try_mkdir, [ACCESS_SYMLINK] = try_symlink,
	[ACCESS_MKNOD] = try_mknod, [ACCESS_LINK] = try_link, [ACCESS_UNLINK] = try_unlink, [ACCESS_RMDIR] = try_rmdir,
	[ACCESS_RENAME] = try_rename, [ACCESS_CHMOD] = try_owner, [ACCESS_CHOWN] = try_chown, [ACCESS_UTIMES] = try_owner,
	[ACCESS_TOUCH] = try_touch,
};

int try_access(const struct try_request *r)
{
	return (unsigned)r->op < ACCESS_COUNT ? tries[r->op](r) : EINVAL;
}

/* --- as somebody else */
static int take_groups(const struct access_process *p)
{
	gid_t groups[GROUPS_MAX];
	size_t n = p->groups.n < GROUPS_MAX ? p->groups.n : GROUPS_MAX;

	for (size_t i = 0; i < n; i++)
		groups[i] = p->groups.v[i];
	return setgroups(n, groups);
}

static int become(const struct access_process *p, const struct try_place *where)
{
	if ((where->user_ns >= 0 && setns(where->user_ns, CLONE_NEWUSER) < 0) ||
	    (where->mount_ns >= 0 && setns(where->mount_ns, CLONE_NEWNS) < 0))
		return -1;
	if (!where->keep_groups && take_groups(p) < 0)
		return -1;
	umask(022);
	if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 || setresuid(p->uid, p->uid, p->uid) < 0)
		return -1;
	return caps_set(p->capabilities, p->capabilities, 0);
}

struct outcome { int failed, sys; };

_Noreturn static void child(int out, const struct access_process *p, const struct try_place *where,
			    const struct try_request *r)
{
	struct outcome o = { 0 };

	if (become(p, where) < 0)
		o.failed = errno;
	else
		o.sys = try_access(r);
	_exit(fd_write_all(out, &o, sizeof(o)) < 0);
}

int try_as(const struct access_process *p, const struct try_place *where, const struct try_request *r, int *ret_sys,
	   struct error *err)
{
	struct outcome o;
	ssize_t n;
	int ends[2];
	pid_t pid;

	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	pid = fork();
	if (pid == 0)
		child(ends[1], p, where, r);
	close(ends[1]);
	n = pid < 0 ? -1 : fd_read_all(ends[0], &o, sizeof(o));
	close(ends[0]);
	if (pid < 0)
		return error_errno(err, "start a process");
	waitpid(pid, NULL, 0);
	if (n != sizeof(o))
		return error_set(err, ERROR_FAILED, "the process that tries the access ended without an answer");
	errno = o.failed;
	if (o.failed)
		return error_errno(err, "become user %u:%u of the container", p->uid, p->gid);
	*ret_sys = o.sys;
	return 0;
}
