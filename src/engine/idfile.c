#include "engine/idfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int refuse_existing(const char *path, struct error *err)
{
	return error_set(err, ERROR_EXISTS,
			 "container id file exists. Ensure another container is not using it or delete %s", path);
}

int idfile_check(const char *path, struct error *err)
{
	return path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? refuse_existing(path, err) : 0;
}

int idfile_write(const char *path, const char *text, bool fresh, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (fresh ? O_EXCL : O_TRUNC), 0644);
	size_t n = strlen(text);

	if (fd < 0 && errno == EEXIST)
		return refuse_existing(path, err);
	if (fd < 0)
		return error_errno(err, "create %s", path);
	if (write(fd, text, n) != (ssize_t)n) {
		error_errno(err, "write %s", path);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}
