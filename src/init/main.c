/* bryo-init - the first process of a container started with --init, and the sleeper that holds the rootless namespace
 *
 * bryo-init [--] COMMAND [ARG...]   runs the command as a child in its own process group, passes every signal on to it,
 *                                   reaps whatever is orphaned, and ends with the command's exit code (128+n).
 * bryo-init --hold                  sleeps for ever with nothing open; SIGTERM ends it.
 *
 * Linked statically, because inside a container there may be no library at all. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *text)
{
	if (write(2, text, strlen(text)) < 0)
		return;
}

static int hold(void)
{
	prctl(PR_SET_NAME, "bryo-hold");
	signal(SIGHUP, SIG_IGN);
	setsid();
	if (chdir("/") < 0)
		return 125;
	syscall(SYS_close_range, 0u, ~0u, 0u);
	for (;;)
		pause();
}

/* The child gets the terminal, as a shell's job would, so that ^C reaches the command and not its init. */
static void run_command(char *const *argv, const sigset_t *old)
{
	setpgid(0, 0);
	tcsetpgrp(0, getpid());		/* SIGTTOU is still blocked; fails when there is no terminal */
	sigprocmask(SIG_SETMASK, old, NULL);
	execvp(argv[0], argv);
	say("bryo-init: cannot execute ");
	say(argv[0]);
	say(errno == ENOENT ? ": No such file or directory\n" : errno == EACCES ? ": Permission denied\n" : "\n");
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reaps all that ended. True when the command was among them. */
static int reap(pid_t command, int *ret_code)
{
	int status, found = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		found = 1;
	}
	return found;
}

static int supervise(pid_t command, const sigset_t *all)
{
	int code = 0;

	for (;;) {
		int signum = sigwaitinfo(all, NULL);

		if (signum < 0)
			continue;
		if (signum == SIGCHLD) {
			if (reap(command, &code))
				return code;
		} else if (signum != SIGTTIN && signum != SIGTTOU) {
			kill(command, signum);
		}
	}
}

int main(int argc, char **argv)
{
	sigset_t all, old;
	pid_t command;

	if (argc == 2 && strcmp(argv[1], "--hold") == 0)
		return hold();
	argv++;
	if (*argv && strcmp(*argv, "--") == 0)
		argv++;
	if (!*argv) {
		say("usage: bryo-init [--] COMMAND [ARG...]\n");
		return 125;
	}
	sigfillset(&all);
	/* What the processor raises is not for others, and must not be lost in a blocked set. */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigprocmask(SIG_SETMASK, &all, &old);
	command = fork();
	if (command < 0) {
		say("bryo-init: cannot fork\n");
		return 125;
	}
	if (command == 0)
		run_command(argv, &old);
	return supervise(command, &all);
}
