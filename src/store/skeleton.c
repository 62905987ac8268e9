#include "store/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

static const char *const directories[] = {
	"skeleton/dev", "skeleton/etc", "skeleton/proc", "skeleton/run", "skeleton/sys",
};
static const char *const files[] = {
	"skeleton/etc/hostname", "skeleton/etc/hosts", "skeleton/etc/resolv.conf", "skeleton/run/.containerenv",
};

int skeleton_make(const struct store *s, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(directories); i++)
		if (fd_mkdirs(s->root_fd, directories[i], 0755) < 0)
			return error_errno(err, "make %s/%s", s->path, directories[i]);
	for (size_t i = 0; i < ELEMENTS(files); i++) {
		int fd = openat(s->root_fd, files[i], O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

		if (fd < 0)
			return error_errno(err, "make %s/%s", s->path, files[i]);
		close(fd);
	}
	if (symlinkat("/proc/mounts", s->root_fd, "skeleton/etc/mtab") < 0 && errno != EEXIST)
		return error_errno(err, "make %s/skeleton/etc/mtab", s->path);
	return 0;
}

/* In trees of any two images they are the same. */
static const struct timespec ages_ago[2];

static int add_directory(int root, const char *name)
{
	if (mkdirat(root, name, 0755) < 0)
		return errno == EEXIST ? 0 : -1;
	return utimensat(root, name, ages_ago, AT_SYMLINK_NOFOLLOW);
}

static int add_link(int root)
{
	_cleanup_fd_ int etc = fd_open_dir(root, "etc");
	struct stat st;

	if (etc < 0)
		return 0;
	if (fstat(etc, &st) < 0 || symlinkat("/proc/mounts", etc, "mtab") < 0)
		return errno == EEXIST ? 0 : -1;
	utimensat(etc, "mtab", ages_ago, AT_SYMLINK_NOFOLLOW);
	return futimens(etc, (struct timespec[2]){ st.st_atim, st.st_mtim });
}

/* What is there, a link or a file in place of a directory too, is the image's: then this one is left out. */
static int add_file(int root, const char *path, struct error *err)
{
	const char *slash = strchr(path, '/');
	char parent[32] = "";
	_cleanup_fd_ int dir = -1;
	struct stat st;
	int fd;

	memcpy(parent, path, (size_t)(slash - path));
	dir = fd_open_dir(root, parent);
	if (dir < 0)
		return 0;
	if (fstat(dir, &st) < 0)
		return error_errno(err, "look at /%s", parent);
	fd = openat(dir, slash + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : error_errno(err, "make /%s", path);
	futimens(fd, ages_ago);
	close(fd);
	return futimens(dir, (struct timespec[2]){ st.st_atim, st.st_mtim }) < 0 ? error_errno(err, "make /%s", path) : 0;
}

int skeleton_add(int root, struct error *err)
{
	struct stat st;

	if (fstat(root, &st) < 0)
		return error_errno(err, "look at the root of the tree");
	for (size_t i = 0; i < ELEMENTS(directories); i++)
		if (add_directory(root, str_after(directories[i], "skeleton/")) < 0)
			return error_errno(err, "make /%s", str_after(directories[i], "skeleton/"));
	for (size_t i = 0; i < ELEMENTS(files); i++)
		if (add_file(root, str_after(files[i], "skeleton/"), err) < 0)
			return -1;
	if (add_link(root) < 0)
		return error_errno(err, "make /etc/mtab");
	return futimens(root, (struct timespec[2]){ st.st_atim, st.st_mtim }) < 0 ? error_errno(err, "make the tree") : 0;
}

char *skeleton_path(struct arena *arena, const struct store *s)
{
	return faccessat(s->root_fd, "skeleton", F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? NULL :
	       arena_printf(arena, "%s/skeleton", s->path);
}
