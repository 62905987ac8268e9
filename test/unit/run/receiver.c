#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MESSAGE_MAX (64u << 10)
#define LISTENERS_MAX 8

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), cwd = open(".", O_PATH | O_CLOEXEC);
	char dir[200];
	int result;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", strrchr(path, '/') + 1);
	result = chdir(dir) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4) < 0;
	if (fchdir(cwd) < 0 || result)
		return -1;
	close(cwd);
	return fd;
}

/* All bytes until the end of the connection; the descriptor must come with the first. */
static size_t receive(int connection, char *text, int *ret_listener)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { text, MESSAGE_MAX };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
	size_t size = 0;

	if (n <= 0 || !CMSG_FIRSTHDR(&header) || CMSG_FIRSTHDR(&header)->cmsg_type != SCM_RIGHTS)
		_exit(2);
	memcpy(ret_listener, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(int));
	do
		size += (size_t)n;
	while ((n = read(connection, text + size, MESSAGE_MAX - size)) > 0);
	return size;
}

static void answer(int listener)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp response = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return;
	response.id = call.id;
	if (call.data.nr == SYS_getppid)
		response.val = 4242;
#ifdef SYS_mkdir
	else if (call.data.nr == SYS_mkdir)
		response.error = -EXDEV;
#endif
	else if (call.data.nr == SYS_mkdirat)
		response.error = -EXDEV;
	else
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static _Noreturn void serve(int socket, int told, enum receiver_manner manner)
{
	static char text[MESSAGE_MAX];
	struct pollfd polled[1 + LISTENERS_MAX] = { { .fd = socket, .events = POLLIN } };
	nfds_t n = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (manner == RECEIVER_SLEEPS)
		pause();
	for (;;) {
		poll(polled, n, -1);
		for (nfds_t i = 1; i < n; i++)
			if (polled[i].revents & POLLIN)
				answer(polled[i].fd);
			else if (polled[i].revents)
				polled[i].fd = -1;
		if (!(polled[0].revents & POLLIN))
			continue;
		int listener, connection = accept4(socket, NULL, NULL, SOCK_CLOEXEC);

		if (manner == RECEIVER_LEAVES || n > LISTENERS_MAX)
			_exit(0);
		send(told, text, receive(connection, text, &listener), 0);
		close(connection);
		if (manner == RECEIVER_TAKES)
			_exit(0);
		polled[n++] = (struct pollfd){ .fd = listener, .events = POLLIN };
	}
}

void receiver_start(struct receiver *r, const char *dir, enum receiver_manner manner, bool far)
{
	int ends[2], socket;
	struct timeval patience = { .tv_sec = 10 };

	snprintf(r->path, sizeof(r->path), "%s/%s", dir, far ? "a-directory-whose-name-is-so-long-that-no-address-of-a-"
		 "socket-has-room-for-its-path-and-there-is-a-reason" : "near");
	mkdir(r->path, 0700);
	strcat(r->path, "/receiver");
	unlink(r->path);
	socket = listen_at(r->path);
	assert_true(socket >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	r->told = ends[0];
	r->pid = fork();
	if (r->pid == 0)
		serve(socket, ends[1], manner);
	assert_true(r->pid > 0);
	close(socket);
	close(ends[1]);
}

char *receiver_message(const struct receiver *r, struct arena *arena)
{
	char *text = arena_alloc(arena, MESSAGE_MAX + 1);
	ssize_t n = recv(r->told, text, MESSAGE_MAX, 0);

	if (n <= 0)
		fail_msg("the receiver was told nothing");
	return text;
}

void receiver_wait(struct receiver *r)
{
	waitpid(r->pid, NULL, 0);
	r->pid = 0;
}

void receiver_stop(struct receiver *r)
{
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		receiver_wait(r);
	}
	if (r->told >= 0)
		close(r->told);
	unlink(r->path);
	*r = (struct receiver){ .told = -1 };
}
