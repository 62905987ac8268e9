/* bryo-gateway NETNS READY [pair] - the way out of the rootless network namespace, of which NETNS is a descriptor
 *
 * Started by bryo (net/gateway) as uid 0 of the rootless user namespace, in the host's network namespace. When packets can
 * flow it writes a byte to READY, forgets its standard streams and becomes the supervisor: it holds the namespace and everything
 * that it was given (interface, listening sockets), starts the worker that serves it, and starts it again when it dies.
 * With the word pair, or without /dev/net/tun, out0 is one end of a veth pair. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/string.h"
#include "gateway/gateway.h"
#include "gateway/sandbox.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define CALM_MS 2000			/* who lived so long was well */
#define DELAY_MIN_MS 20
#define DELAY_MAX_MS 5000

struct worker {
	pid_t pid;
	int pidfd, socket;
	int64_t started;
};

static int fail(const struct error *err)
{
	fprintf(stderr, "%s%s%s\n", err->text, *err->hint ? "; " : "", err->hint);
	return 1;
}

static int start_worker(const struct setup *setup, int netns, struct worker *ret)
{
	struct facts facts;
	int sockets[2];

	facts_read(&facts);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -1;
	ret->started = clock_now_ms();
	ret->pid = fork();
	if (ret->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		prctl(PR_SET_NAME, "bryo-gateway-w", 0, 0, 0);
		close(sockets[0]);
		close(netns);
		gateway_run(setup, sockets[1], &facts);
	}
	close(sockets[1]);
	ret->socket = sockets[0];
	ret->pidfd = ret->pid < 0 ? -1 : pidfd_open_pid(ret->pid);
	if (ret->pidfd >= 0)
		return 0;
	close(sockets[0]);	/* of which the worker, if there is one, dies */
	return -1;
}

/* Serves one worker until it ends. */
static void serve(struct worker *w)
{
	struct pollfd p[2] = { { .fd = w->pidfd, .events = POLLIN }, { .fd = w->socket, .events = POLLIN } };
	struct facts facts;
	char byte;

	while (!p[0].revents) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (!(p[1].revents & POLLIN) || recv(w->socket, &byte, 1, MSG_DONTWAIT) <= 0) {
			if (p[1].revents)
				p[1].fd = -1;
			continue;
		}
		facts_read(&facts);
		if (send(w->socket, &facts, sizeof(facts), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			p[1].fd = -1;
	}
	kill(w->pid, SIGKILL);
	pidfd_reap(w->pidfd);
	close(w->pidfd);
	close(w->socket);
}

static void forget_standard_streams(void)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null < 3)
		fd_take(&null);
}

/* netns is of no use to it, who has no capability to go there: it is kept for those who have lost it (net/gateway). */
_Noreturn static void supervise(const struct setup *setup, int netns)
{
	int64_t delay = DELAY_MIN_MS;
	struct worker w;

	for (;;) {
		while (start_worker(setup, netns, &w) < 0)
			poll(NULL, 0, DELAY_MAX_MS);
		serve(&w);
		delay = delay < DELAY_MAX_MS / 2 ? delay * 2 : DELAY_MAX_MS;
		if (clock_now_ms() - w.started > CALM_MS)
			delay = DELAY_MIN_MS;
		poll(NULL, 0, (int)delay);
	}
}

int main(int argc, char **argv)
{
	unsigned netns, ready;
	struct setup setup;
	struct error err = { 0 };

	if (argc < 3 || str_to_u32(argv[1], &netns) < 0 || str_to_u32(argv[2], &ready) < 0) {
		fputs("bryo-gateway is started by bryo\n", stderr);
		return 125;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	fd_set_cloexec((int)ready, true);
	fd_set_cloexec((int)netns, true);
	if (setup_make((int)netns, argc > 3 && str_eq(argv[3], "pair"), &setup, &err) < 0 ||
	    sandbox_drop_privileges(&err) < 0)
		return fail(&err);
	/* What is sent before the worker runs waits for it in the kernel's queues. */
	if (chdir("/") < 0 || write((int)ready, "", 1) < 0)
		return 1;
	forget_standard_streams();
	close((int)ready);
	supervise(&setup, (int)netns);
}
