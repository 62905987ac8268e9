#include "store/skeleton.h"

#include <errno.h>
#include <fcntl.h>
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

char *skeleton_path(struct arena *arena, const struct store *s)
{
	return faccessat(s->root_fd, "skeleton", F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? NULL :
	       arena_printf(arena, "%s/skeleton", s->path);
}
