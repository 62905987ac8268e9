#include "engine/exec_relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/attach_user.h"
#include "sys/fd.h"

#define OUTPUT_SIZE 65536

static bool may_be_passed(int fd, bool labels)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return true;
	return !labels && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Output and errors to the same place keep their order through the same pipe. */
static bool are_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int exec_relay_open(struct exec_relay *r, const int caller[3], const struct label_pipes *pipes, struct error *err)
{
	*r = (struct exec_relay){ { -1, -1, -1 }, { -1, -1, -1 }, { caller[0], caller[1], caller[2] } };
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (may_be_passed(caller[i], pipes->label)) {
			r->child[i] = caller[i];
			continue;
		}
		if (i == 2 && r->ours[1] >= 0 && are_same(caller[1], caller[2])) {
			r->child[2] = r->child[1];
			continue;
		}
		if (label_pipe(pipes, ends, err) < 0) {
			exec_relay_close(r);
			return -1;
		}
		r->child[i] = ends[i == 0 ? 0 : 1];
		r->ours[i] = ends[i == 0 ? 1 : 0];
		fd_set_nonblock(r->ours[i], true);
	}
	return 0;
}

/* The process has its copies. */
static void close_child_ends(struct exec_relay *r)
{
	for (int i = 0; i < 3; i++)
		if (r->ours[i] >= 0)
			fd_close(&r->child[i]);
}

void exec_relay_close(struct exec_relay *r)
{
	close_child_ends(r);
	for (int i = 0; i < 3; i++)
		fd_close(&r->ours[i]);
}

/* poll said that the pipe takes PIPE_BUF bytes. Nobody reads it: neither do we read more. */
static void copy_input(struct exec_relay *r)
{
	char chunk[PIPE_BUF];
	ssize_t n = read(r->caller[0], chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || fd_write_all(r->ours[0], chunk, (size_t)n) < 0)
		fd_close(&r->ours[0]);
}

/* 1: something was copied; 0: nothing is there, or nothing comes any more. */
static int copy_output(struct exec_relay *r, int i, struct error *err)
{
	static char chunk[OUTPUT_SIZE];
	ssize_t n = read(r->ours[i], chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		fd_close(&r->ours[i]);
		return 0;
	}
	return fd_write_all(r->caller[i], chunk, (size_t)n) < 0 ? error_errno(err, "write the command's output") : 1;
}

enum { AT_PIPE, AT_OUT, AT_ERR, AT_IN, AT_PROCESS, AT_SIGNALS, AT_N };

static int step(struct exec_relay *r, int pidfd, struct attach_user *user, bool *ret_ended, struct error *err)
{
	bool room = false;
	struct pollfd p[AT_N] = {
		[AT_PIPE] = { .fd = r->ours[0], .events = POLLOUT },
		[AT_OUT] = { .fd = r->ours[1], .events = POLLIN },
		[AT_ERR] = { .fd = r->ours[2], .events = POLLIN },
		[AT_IN] = { .fd = -1, .events = POLLIN },
		[AT_PROCESS] = { .fd = pidfd, .events = POLLIN },
		[AT_SIGNALS] = { .fd = user->signals, .events = POLLIN },
	};

	/* Input is asked for only while there is room for it, and room only matters while there is input. */
	if (r->ours[0] >= 0 && poll(p, 1, 0) > 0) {
		if (p[AT_PIPE].revents & POLLERR)
			fd_close(&r->ours[0]);
		else
			room = p[AT_PIPE].revents & POLLOUT;
		if (room)
			p[AT_IN].fd = r->caller[0];
		if (room || r->ours[0] < 0)
			p[AT_PIPE].fd = -1;
	}
	if (poll(p, AT_N, -1) < 0)
		return errno == EINTR ? 0 : error_errno(err, "wait for the command");
	if (p[AT_SIGNALS].revents)
		attach_user_signals(user);
	if (p[AT_IN].revents)
		copy_input(r);
	for (int i = 1; i < 3; i++)
		if (p[i].revents && copy_output(r, i, err) < 0)
			return -1;
	*ret_ended = p[AT_PROCESS].revents;
	return 0;
}

/* What the process left in the pipes; others that hold them may go on without a reader. */
static int drain(struct exec_relay *r, struct error *err)
{
	for (int i = 1; i < 3; i++) {
		int more = 1;

		while (more > 0 && r->ours[i] >= 0)
			more = copy_output(r, i, err);
		if (more < 0)
			return -1;
	}
	return 0;
}

int exec_relay_run(struct exec_relay *r, int pidfd, struct error *err)
{
	struct attach_options o = { .in = -1, .out = -1, .err_ = -1, .signal_pidfd = pidfd, .reader_pidfd = -1 };
	struct attach_user user;
	bool ended = false;
	int result = 0;

	close_child_ends(r);
	if (attach_user_open(&user, &o, err) < 0)
		return -1;
	__sighandler_t old = signal(SIGPIPE, SIG_IGN);
	while (!ended && result == 0)
		result = step(r, pidfd, &user, &ended, err);
	if (result == 0)
		result = drain(r, err);
	signal(SIGPIPE, old);
	attach_user_close(&user);
	return result;
}
