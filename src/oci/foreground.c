#include "oci/foreground.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/notify.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/trace.h"
#include "sys/tty.h"

enum { SIGNALS, PROCESS, INPUT, OUTPUT, NOTIFY, POLLED };

int foreground_begin(struct foreground *f, struct error *err)
{
	sigset_t all;

	*f = (struct foreground){ .signals = -1, .notify = -1 };
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &f->mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	f->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->signals < 0 ? error_errno(err, "watch signals") : 0;
}

void foreground_end(struct foreground *f)
{
	fd_close(&f->signals);
	fd_close(&f->notify);
	sigprocmask(SIG_SETMASK, &f->mask, NULL);
}

/* --- signals */

static void reap_orphans(pid_t own)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 || info.si_pid == own)
			return;
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
	}
}

static void pass_size(const struct run_process *p)
{
	struct tty_size size;

	if (tty_get_size(STDIN_FILENO, &size) == 0)
		tty_set_size(p->console, size);
}

static void take_signals(const struct foreground *f, const struct run_process *p, bool has_terminal)
{
	struct signalfd_siginfo info;

	while (read(f->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap_orphans(p->pid);
			break;
		case SIGWINCH:
			if (has_terminal)
				pass_size(p);
			break;
		case SIGTTIN: case SIGTTOU: case SIGTSTP: case SIGPIPE:
			break;		/* meant for us */
		default:
			pidfd_signal(p->pidfd, (int)info.ssi_signo);
		}
	}
}

/* --- terminal */

/* One direction: read when its block is empty, written when poll says so. Nothing waits on one side while the other, or
 * a signal, has something to say. */
struct way {
	int from, to;			/* from -1: closed */
	char block[PIPE_BUF];		/* what a pipe with room takes at once */
	size_t begin, end;
};

static struct pollfd next_of(const struct way *w)
{
	if (w->from < 0)
		return (struct pollfd){ .fd = -1 };
	if (w->begin < w->end)
		return (struct pollfd){ .fd = w->to, .events = POLLOUT };
	return (struct pollfd){ .fd = w->from, .events = POLLIN };
}

static void pass(struct way *w)
{
	ssize_t n;

	if (w->begin < w->end) {
		n = write(w->to, w->block + w->begin, w->end - w->begin);
		w->begin += n > 0 ? (size_t)n : 0;
	} else {
		n = read(w->from, w->block, sizeof(w->block));
		w->begin = 0;
		w->end = n > 0 ? (size_t)n : 0;
	}
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		w->from = -1;
}

/* What the process printed right before its end is still in the pty. */
static void drain(struct way *w)
{
	struct pollfd p = { .fd = w->from, .events = POLLIN };

	while (w->from >= 0 && (w->begin < w->end || (poll(&p, 1, 0) > 0 && (p.revents & POLLIN))))
		pass(w);
}

static int relay(const struct foreground *f, const struct run_process *p, bool has_terminal, struct error *err)
{
	struct way in = { .from = p->console >= 0 ? STDIN_FILENO : -1, .to = p->console };
	struct way out = { .from = p->console, .to = STDOUT_FILENO };
	struct pollfd polled[POLLED] = {
		[SIGNALS] = { .fd = f->signals, .events = POLLIN }, [PROCESS] = { .fd = p->pidfd, .events = POLLIN },
	};

	if (p->console >= 0)
		fd_set_nonblock(p->console, true);
	while (!polled[PROCESS].revents) {
		polled[INPUT] = next_of(&in);
		polled[OUTPUT] = next_of(&out);
		if (poll(polled, POLLED, -1) < 0) {
			if (errno != EINTR)
				return error_errno(err, "wait for the process");
			continue;
		}
		if (polled[SIGNALS].revents)
			take_signals(f, p, has_terminal);
		if (polled[INPUT].revents)
			pass(&in);
		if (polled[OUTPUT].revents)
			pass(&out);
	}
	drain(&out);
	return 0;
}

int foreground_wait(struct foreground *f, struct run_process *p, int *ret_exit_code, struct error *err)
{
	bool has_terminal = p->console >= 0 && tty_is(STDIN_FILENO);
	struct termios old;
	int result;
	_cleanup_trace_ struct trace_span span = trace_begin("wait for the end");

	if (has_terminal)
		pass_size(p);
	has_terminal = has_terminal && tty_raw(STDIN_FILENO, &old) == 0;
	result = relay(f, p, has_terminal, err);
	if (has_terminal)
		tty_restore(STDIN_FILENO, &old);
	fd_close(&p->console);
	if (result < 0)
		return -1;
	*ret_exit_code = pidfd_reap(p->pidfd);
	return 0;
}
