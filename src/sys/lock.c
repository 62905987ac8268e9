#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The whole file, from its start to any length. */
static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

int lock_open(int dirfd, const char *name, enum lock_mode mode, bool wait)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct flock lock = whole_file(mode == LOCK_SHARED ? F_RDLCK : F_WRLCK);
	int saved;

	if (fd < 0)
		return -1;
	while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) < 0) {
		if (errno == EINTR)
			continue;
		saved = errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

bool lock_is_held(int dirfd, const char *name)
{
	struct flock lock = whole_file(F_WRLCK);
	int fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool held;

	if (fd < 0)
		return error_passes(errno);
	held = fcntl(fd, F_OFD_GETLK, &lock) < 0 ? error_passes(errno) : lock.l_type != F_UNLCK;
	close(fd);
	return held;
}
