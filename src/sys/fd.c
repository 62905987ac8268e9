#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t done = read(fd, (char *)p + got, n - got);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		if (done == 0)
			break;
		got += (size_t)done;
	}
	return (ssize_t)got;
}

int fd_read_buffer(int fd, struct buffer *b)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		if (buffer_add(b, chunk, (size_t)n) < 0)
			return -1;
	}
}

static int set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -1;
	return fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0 ? -1 : 0;
}

int fd_set_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_set_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_pipe(int ret[2])
{
	return pipe2(ret, O_CLOEXEC);
}

uint64_t fd_raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 0;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) < 0 ? 0 : files.rlim_cur;
}

void fd_fill_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

const char *fd_path(int fd, char *buf)
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
	return buf;
}

/* What a file was when its size was asked for. */
static char *read_sized(struct arena *arena, int fd, size_t size, size_t *ret_size)
{
	char *text = arena_alloc(arena, size + 1);
	ssize_t n = fd_read_all(fd, text, size);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	if (ret_size)
		*ret_size = (size_t)n;
	return text;
}

static char *read_to_end(struct arena *arena, int fd, size_t limit, size_t *ret_size)
{
	_cleanup_buffer_ struct buffer b = BUFFER(limit + 1);
	char *copy;

	if (fd_read_buffer(fd, &b) < 0)
		return NULL;
	if (b.size > limit) {
		errno = EFBIG;
		return NULL;
	}
	copy = arena_memdup(arena, b.data ? b.data : "", b.size);
	if (ret_size)
		*ret_size = b.size;
	return copy;
}

/* Files of /proc say a size of 0: those are read to their end. */
char *fd_read_regular(struct arena *arena, int fd, size_t limit, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	if (st.st_size > 0 && (uint64_t)st.st_size > limit) {
		errno = EFBIG;
		return NULL;
	}
	return st.st_size > 0 ? read_sized(arena, fd, (size_t)st.st_size, ret_size) : read_to_end(arena, fd, limit, ret_size);
}

char *fd_read_file(struct arena *arena, int dirfd, const char *name, size_t limit, size_t *ret_size)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? NULL : fd_read_regular(arena, fd, limit, ret_size);
}

char *fd_read_given(struct arena *arena, const char *path, size_t limit, size_t *ret_size)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISFIFO(st.st_mode))
		return fd_read_regular(arena, fd, limit, ret_size);
	return fd_set_nonblock(fd, false) < 0 ? NULL : read_to_end(arena, fd, limit, ret_size);
}

static int write_new(int dirfd, const char *name, const void *p, size_t n, mode_t mode, bool durable)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return -1;
	if (fchmod(fd, mode) < 0 || fd_write_all(fd, p, n) < 0)
		return -1;
	return durable ? fsync(fd) : 0;
}

/* fsyncs the directory that holds name. */
static int sync_parent(int dirfd, const char *name)
{
	const char *slash = strrchr(name, '/');
	char parent[4096] = ".";
	_cleanup_fd_ int fd = -1;

	if (slash)
		snprintf(parent, sizeof(parent), "%.*s", slash == name ? 1 : (int)(slash - name), name);
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fsync(fd);
}

int fd_write_file(int dirfd, const char *name, const void *p, size_t n, mode_t mode, bool durable)
{
	char temporary[4096];
	int saved;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp-%d", name, (int)getpid()) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (write_new(dirfd, temporary, p, n, mode, durable) == 0 && renameat(dirfd, temporary, dirfd, name) == 0)
		return durable ? sync_parent(dirfd, name) : 0;
	saved = errno;
	unlinkat(dirfd, temporary, 0);
	errno = saved;
	return -1;
}

int fd_mkdirs(int dirfd, const char *path, mode_t mode)
{
	char part[4096];
	size_t n = strlen(path);
	struct stat st;

	if (n >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno == EEXIST)
		return fstatat(dirfd, path, &st, 0) < 0 ? -1 : S_ISDIR(st.st_mode) ? 0 : (errno = ENOTDIR, -1);
	if (errno != ENOENT)
		return -1;
	memcpy(part, path, n + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dirfd, part, mode) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return mkdirat(dirfd, path, mode) < 0 && errno != EEXIST ? -1 : 0;
}

int fd_open_dir(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

DIR *fd_opendir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

struct dirent *fd_next_entry(DIR *dir)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

int fd_random_hex(char *buf, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char *bytes = (unsigned char *)buf + n;	/* the second half; read before it is written over */

	if (getrandom(bytes, n, 0) != (ssize_t)n)		/* up to 256 bytes never come in part */
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = bytes[i];

		buf[2 * i] = digits[byte >> 4];
		buf[2 * i + 1] = digits[byte & 15];
	}
	buf[2 * n] = '\0';
	return 0;
}

/* --- removal of trees */

/* A tree may be deeper than there are descriptors. Below this depth a directory is first moved up to the top of the
 * tree, where the next round finds it. */
#define REMOVE_DEPTH 48

struct removal {
	int top;		/* the tree's own directory */
	unsigned moved;		/* how many deep directories were moved up */
	bool again;		/* ... in this round */
	int failed;		/* first errno */
};

static void note_failure(struct removal *r)
{
	if (errno != ENOENT && !r->failed)
		r->failed = errno;
}

/* Opens a directory that is to be emptied; one that its owner closed to himself is opened first. */
static int open_for_removal(int dirfd, const char *name)
{
	char path[32];
	int handle, fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0300) == 0300)
		return fd;
	if (fd >= 0) {
		fchmod(fd, 0700);
		return fd;
	}
	if (errno != EACCES)
		return -1;
	handle = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0)
		return -1;
	chmod(fd_path(handle, path), 0700);
	fd = openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(handle);
	return fd;
}

static void move_up(struct removal *r, int dirfd, const char *name)
{
	char deep[32];
	int result, fd = open_for_removal(dirfd, name);

	if (fd >= 0)
		close(fd);
	/* Only an empty directory can be in the place, or the next number is tried; NFS knows no RENAME_NOREPLACE. */
	do {
		snprintf(deep, sizeof(deep), ".deep-%u", r->moved++);
		result = renameat(dirfd, name, r->top, deep);
	} while (result < 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
	if (result == 0)
		r->again = true;
	else
		note_failure(r);
}

static void empty_directory(struct removal *r, int fd, int depth);

static void remove_entry(struct removal *r, int dirfd, const char *name, bool maybe_directory, int depth)
{
	int fd;

	if (!maybe_directory || depth >= REMOVE_DEPTH) {
		if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
			return;
		if (errno != EISDIR && errno != EPERM) {
			note_failure(r);
			return;
		}
	}
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return;
	if (errno == ENOTDIR && unlinkat(dirfd, name, 0) == 0)
		return;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES) {
		note_failure(r);
		return;
	}
	if (depth >= REMOVE_DEPTH) {
		move_up(r, dirfd, name);
		return;
	}
	fd = open_for_removal(dirfd, name);
	if (fd < 0) {
		note_failure(r);
		return;
	}
	empty_directory(r, fd, depth + 1);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && !(r->again && errno == ENOTEMPTY))
		note_failure(r);
}

/* Takes fd. */
static void empty_directory(struct removal *r, int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		note_failure(r);
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		remove_entry(r, fd, entry->d_name, entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN, depth);
	}
	closedir(dir);
}

int fd_remove_tree(int dirfd, const char *name)
{
	struct removal r = { .top = -1 };

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return -1;
	r.top = open_for_removal(dirfd, name);
	if (r.top < 0)
		return -1;
	do {
		int fd = openat(r.top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		r.again = false;
		r.failed = 0;
		if (fd < 0)
			note_failure(&r);
		else
			empty_directory(&r, fd, 0);
	} while (r.again && !r.failed);
	close(r.top);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (r.failed)
		errno = r.failed;
	return -1;
}
