#include "sys/errand.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"

struct message {
	struct msghdr header;
	struct iovec part;
	char control[CMSG_SPACE(sizeof(int))];
};

static void prepare(struct message *m, struct error *err)
{
	memset(m, 0, sizeof(*m));
	m->part = (struct iovec){ err, sizeof(*err) };
	m->header = (struct msghdr){ .msg_iov = &m->part, .msg_iovlen = 1, .msg_control = m->control,
				     .msg_controllen = sizeof(m->control) };
}

/* In the child: the error, empty when all is well, and the descriptor beside it. */
static void hand_over(int socket, int fd, struct error *err)
{
	struct cmsghdr *rights;
	struct message m;

	prepare(&m, err);
	if (fd < 0)
		m.header.msg_controllen = 0;
	rights = CMSG_FIRSTHDR(&m.header);
	if (rights) {
		*rights = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	}
	while (sendmsg(socket, &m.header, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* The descriptor, or 0 where none is expected. */
static int take_over(int socket, bool wants_fd, struct error *err)
{
	struct error said = { 0 };
	struct cmsghdr *rights;
	struct message m;
	ssize_t n;
	int fd = -1;

	prepare(&m, &said);
	do
		n = recvmsg(socket, &m.header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	rights = n < 0 ? NULL : CMSG_FIRSTHDR(&m.header);
	if (rights && rights->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(rights), sizeof(int));
	if (fd < 0 && (n != sizeof(said) || (wants_fd && said.kind == ERROR_NONE)))
		return error_set(err, ERROR_INTERRUPTED, "the process that was sent on an errand came to nothing");
	if (fd < 0 && said.kind == ERROR_NONE)
		return 0;
	if (fd < 0 && err)
		*err = said;
	return fd;
}

static int send_out(int (*work)(void *context, struct error *err), void *context, bool wants_fd, struct error *err)
{
	struct error own = { 0 };
	int ends[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "make a socket pair");
	pid = fork();
	if (pid == 0) {
		fd = work(context, &own);
		hand_over(ends[1], wants_fd ? fd : -1, &own);
		_exit(0);
	}
	close(ends[1]);
	fd = pid < 0 ? error_errno(err, "start a process") : take_over(ends[0], wants_fd, err);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

int errand_fd(int (*make)(void *context, struct error *err), void *context, struct error *err)
{
	return send_out(make, context, true, err);
}

int errand_run(int (*work)(void *context, struct error *err), void *context, struct error *err)
{
	return send_out(work, context, false, err);
}
