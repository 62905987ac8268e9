#include "sys/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

void attach_header(unsigned char header[8], enum attach_type type, uint32_t length)
{
	header[0] = (unsigned char)type;
	header[1] = header[2] = header[3] = 0;
	header[4] = (unsigned char)(length >> 24);
	header[5] = (unsigned char)(length >> 16);
	header[6] = (unsigned char)(length >> 8);
	header[7] = (unsigned char)length;
}

int attach_parse_header(const unsigned char header[8], enum attach_type *ret_type, uint32_t *ret_length)
{
	uint32_t length = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7];

	if (header[0] > ATTACH_EXIT || header[1] || header[2] || header[3] || length > ATTACH_FRAME_MAX) {
		errno = EPROTO;
		return -1;
	}
	*ret_type = header[0];
	*ret_length = length;
	return 0;
}

static int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

/* The descriptor may be non-blocking because a poll loop shares it: then this waits. */
int attach_send(int fd, enum attach_type type, const void *p, uint32_t n)
{
	unsigned char header[8];
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)p, n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n ? 2 : 1 };

	attach_header(header, type, n);
	while (msg.msg_iovlen) {
		ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (sent < 0) {
			if (errno == EINTR || (errno == EAGAIN && wait_writable(fd) == 0))
				continue;
			return -1;
		}
		while (msg.msg_iovlen && (size_t)sent >= msg.msg_iov->iov_len) {
			sent -= (ssize_t)msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (msg.msg_iovlen) {
			msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + sent;
			msg.msg_iov->iov_len -= (size_t)sent;
		}
	}
	return 0;
}

static int open_socket(int dirfd, const char *name, int type, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	return socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
}

static int close_failed(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static int bind_socket(int dirfd, const char *name, int type)
{
	struct sockaddr_un address;
	int fd = open_socket(dirfd, name, type, &address);

	if (fd < 0)
		return -1;
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return close_failed(fd);
	/* The mode of the socket file is the socket's mode at bind. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return close_failed(fd);
	return fd;
}

int attach_listen(int dirfd)
{
	int fd = bind_socket(dirfd, "attach", SOCK_STREAM);

	return fd >= 0 && listen(fd, 16) < 0 ? close_failed(fd) : fd;
}

static int connect_socket(int dirfd, const char *name, int type)
{
	struct sockaddr_un address;
	int fd = open_socket(dirfd, name, type, &address);

	if (fd < 0)
		return -1;
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		if (errno != EINTR)
			return close_failed(fd);
	return fd;
}

int attach_connect(int dirfd)
{
	return connect_socket(dirfd, "attach", SOCK_STREAM);
}

int attach_bypass_open(int dirfd)
{
	return bind_socket(dirfd, "bypass", SOCK_DGRAM);
}

int attach_bypass_connect(int dirfd)
{
	return connect_socket(dirfd, "bypass", SOCK_DGRAM);
}
