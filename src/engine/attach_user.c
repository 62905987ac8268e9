#include "engine/attach_user.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/pidfd.h"

/* With a terminal of the container's own, signals from the keyboard are bytes for it; those that are sent to this
 * process are for this process. Without, they are for the container, except those of the shell's job control. */
static void wanted_signals(const struct attach_options *o, sigset_t *ret)
{
	static const int for_terminal[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTOU };
	static const int not_passed_on[] = { SIGCHLD, SIGPIPE, SIGURG, SIGWINCH, SIGTSTP, SIGCONT, SIGTTIN, SIGTTOU,
					     SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };

	if (o->terminal) {
		sigemptyset(ret);
		for (size_t i = 0; i < ELEMENTS(for_terminal); i++)
			sigaddset(ret, for_terminal[i]);
	} else if (o->signal_pidfd >= 0) {
		sigfillset(ret);
		for (size_t i = 0; i < ELEMENTS(not_passed_on); i++)
			sigdelset(ret, not_passed_on[i]);
	} else {
		sigemptyset(ret);
	}
}

int attach_user_open(struct attach_user *u, const struct attach_options *o, struct error *err)
{
	bool any;
	sigset_t set;

	*u = (struct attach_user){ .o = o, .tty = -1, .sized = -1, .signals = -1 };
	wanted_signals(o, &set);
	any = o->terminal || o->signal_pidfd >= 0;
	if (sigprocmask(SIG_BLOCK, &set, &u->old_mask) < 0)
		return error_errno(err, "block signals");
	if (any && (u->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
		sigprocmask(SIG_SETMASK, &u->old_mask, NULL);
		return error_errno(err, "receive signals");
	}
	if (!o->terminal)
		return 0;
	u->sized = tty_is(o->in) ? o->in : tty_is(o->out) ? o->out : -1;
	if (tty_is(o->in) && tty_raw(o->in, &u->old_mode) == 0)
		u->tty = o->in;
	return 0;
}

/* Somebody stops this process from outside: the shell must find its terminal as it was. */
static void stop(struct attach_user *u)
{
	if (u->tty >= 0)
		tty_restore(u->tty, &u->old_mode);
	raise(SIGSTOP);
	if (u->tty >= 0)
		tty_raw(u->tty, &u->old_mode);
}

bool attach_user_signals(struct attach_user *u)
{
	struct signalfd_siginfo info;
	bool resized = false;

	while (u->signals >= 0 && read(u->signals, &info, sizeof(info)) == sizeof(info)) {
		int signum = (int)info.ssi_signo;

		if (signum == SIGWINCH) {
			resized = true;
		} else if (!u->o->terminal) {
			/* A terminal's ^Z is for the shell's job too. */
			pidfd_signal(u->o->signal_pidfd, signum);
		} else if (signum == SIGTSTP) {
			stop(u);
			resized = true;
		} else if (signum != SIGTTOU) {
			u->deadly = signum;
		}
	}
	return resized;
}

void attach_user_close(struct attach_user *u)
{
	if (u->tty >= 0)
		tty_restore(u->tty, &u->old_mode);
	u->tty = -1;
	fd_close(&u->signals);
	sigprocmask(SIG_SETMASK, &u->old_mask, NULL);
}

void attach_user_die(int signum)
{
	sigset_t set;

	signal(signum, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signum);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signum);
}
