#include "run/plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/inroot.h"

/* Copies a directory of the image into a fresh tmpfs. Runs between clone and exec, so nothing is allocated; the
 * source may be hostile, so both sides are walked by descriptors and no link is followed. */

#define DEPTH_MAX 64

struct entry {			/* struct linux_dirent64 */
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

static int copy_directory(int from, int to, int depth);

/* Owner, mode and times as the source has them. An owner that cannot be set stays the one that made the copy. */
static int copy_attributes(int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM && errno != EINVAL)
		return -1;
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int copy = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	off_t left = st->st_size;
	ssize_t n = source < 0 || copy < 0 ? -1 : 1;

	while (left > 0 && n > 0) {
		n = sendfile(copy, source, NULL, (size_t)left);
		left -= n > 0 ? n : 0;
	}
	if (source >= 0)
		close(source);
	if (copy >= 0)
		close(copy);
	return n < 0 ? -1 : copy_attributes(to, name, st);
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlinkat(target, to, name) < 0 ? -1 : copy_attributes(to, name, st);
}

static int copy_subdirectory(int from, int to, const char *name, const struct stat *st, int depth)
{
	int source, copy, result = -1;

	if (mkdirat(to, name, 0700) < 0)
		return -1;
	source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	copy = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source >= 0 && copy >= 0)
		result = copy_directory(source, copy, depth + 1);
	if (source >= 0)
		close(source);
	if (copy >= 0)
		close(copy);
	return result < 0 ? -1 : copy_attributes(to, name, st);
}

/* Devices, sockets and FIFOs are left out. */
static int copy_entry(int from, int to, const char *name, int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(from, to, name, &st, depth);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st);
	return S_ISLNK(st.st_mode) ? copy_link(from, to, name, &st) : 0;
}

static int copy_directory(int from, int to, int depth)
{
	char block[2048] __attribute__((aligned(8)));
	long n;

	if (depth > DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	while ((n = syscall(SYS_getdents64, from, block, sizeof(block))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)(block + at);

			at += e->size;
			if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
				continue;
			if (copy_entry(from, to, e->name, depth) < 0)
				return -1;
		}
	}
	return (int)n;
}

int child_copy_up(struct child *c, const struct op *op, int mount, const char **ret_what)
{
	int from = inroot_open(c->root, op->target, O_RDONLY | O_DIRECTORY, 0), result, to;
	struct stat st;

	if (from < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	*ret_what = "copy the directory's content";
	to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = to < 0 || fstat(from, &st) < 0 ? -1 : copy_directory(from, to, 0);
	close(from);
	if (to >= 0)
		close(to);
	return result;
}
