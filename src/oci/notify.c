#include "oci/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fd.h"

#define INSIDE "/run/notify"
#define NAME "notify"

static const char *host_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return str_is_empty(path) ? NULL : path;
}

int notify_prepare(struct arena *arena, int dir_fd, const char *dir, struct oci_spec *spec, struct error *err)
{
	struct oci_mount *m;

	if (!host_socket())
		return 0;
	if (mkdirat(dir_fd, NAME, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make the directory of the notify socket");
	m = ARRAY_ADD(arena, &spec->mounts);
	*m = (struct oci_mount){ .destination = INSIDE, .type = "bind", .source = arena_printf(arena, "%s/" NAME, dir) };
	m->options = strings_split(arena, "bind,ro,nosuid,nodev,noexec", ",");
	strings_add(arena, &spec->process->env, "NOTIFY_SOCKET=" INSIDE "/" NAME);
	return 0;
}

int notify_listen(int dir_fd, int *ret_listener, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*ret_listener = -1;
	if (!host_socket() || faccessat(dir_fd, NAME, F_OK, 0) < 0)
		return 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NAME "/" NAME, dir_fd);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(address.sun_path, 0777) < 0)
		return error_errno(err, "make the notify socket");
	*ret_listener = fd_take(&fd);
	return 0;
}

/* "@name" is an abstract one. */
static int pass_on(const char *text, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = host_socket();
	size_t n = strlen(path);

	if (n >= sizeof(address.sun_path))
		return error_set(err, ERROR_USAGE, "NOTIFY_SOCKET is too long");
	memcpy(address.sun_path, path, n);
	if (*path == '@')
		address.sun_path[0] = '\0';
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return error_errno(err, "pass the service's word on to NOTIFY_SOCKET");
	return 0;
}

/* Only that it is ready is the host's concern: the rest (FDSTORE, MAINPID) is of the container's own numbers. */
static bool says_ready(int listener)
{
	char text[4096], *rest = text, *line;
	ssize_t n = recv(listener, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (strcmp(line, "READY=1") == 0)
			return true;
	return false;
}

int notify_handle(int listener, pid_t pid, struct error *err)
{
	char text[64];

	if (!says_ready(listener))
		return 0;
	snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1\n", (int)pid);
	return pass_on(text, err) < 0 ? -1 : 1;
}

int notify_wait(int listener, int pidfd, pid_t pid, struct error *err)
{
	struct pollfd polled[2] = { { .fd = listener, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	int result = 0;

	while (result == 0 && !polled[1].revents) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return error_errno(err, "wait for the service");
		if (polled[0].revents)
			result = notify_handle(listener, pid, err);
	}
	return result < 0 ? -1 : 0;
}
