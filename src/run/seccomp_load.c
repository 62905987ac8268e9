#include "run/seccomp_load.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "run/seccomp_machine.h"
#include "sys/seccomp.h"

#define WAITING (-1)		/* of `listener`: not yet */
#define NONE (-2)		/* there will be none */
#define UNKNOWN (-1)		/* of `result` */
#define STACK_SIZE (64u << 10)

/* What the process and its helper share. */
struct hand_over {
	const struct seccomp_load *load;
	atomic_int listener;		/* its descriptor */
	atomic_int result;		/* errno of the hand-over, 0: done */
};

/* --- the helper */

static int wait_for_listener(const struct hand_over *h)
{
	const struct timespec moment = { .tv_nsec = 20000 };
	int fd;

	while ((fd = atomic_load(&h->listener)) == WAITING)
		nanosleep(&moment, NULL);
	return fd;
}

static size_t print_pid(char text[16], pid_t pid)
{
	char digits[16];
	size_t n = 0, length;

	do
		digits[n++] = (char)('0' + pid % 10);
	while (pid /= 10);
	length = n;
	for (size_t i = 0; n > 0; i++)
		text[i] = digits[--n];
	return length;
}

/* The descriptor goes with the first bytes. */
static ssize_t send_some(int socket, struct iovec *parts, size_t n, const int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = n };
	ssize_t sent;

	if (fd) {
		struct cmsghdr *c;

		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), fd, sizeof(int));
	}
	do
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno == EAGAIN)
		errno = ETIMEDOUT;
	return sent;
}

static int send_all(int socket, struct iovec *parts, size_t n, int fd)
{
	const int *with = &fd;

	while (n > 0) {
		ssize_t sent = send_some(socket, parts, n, with);

		if (sent < 0)
			return -1;
		with = NULL;
		for (; n > 0 && (size_t)sent >= parts->iov_len; parts++, n--)
			sent -= (ssize_t)parts->iov_len;
		if (n == 0)
			break;
		parts->iov_base = (char *)parts->iov_base + sent;
		parts->iov_len -= (size_t)sent;
	}
	return 0;
}

static int send_state(const struct seccomp_load *load, int fd)
{
	const struct seccomp_listener *l = load->listener;
	struct iovec parts[2 * ELEMENTS(l->pieces)];
	char pid[16];
	size_t n = 0, length = print_pid(pid, load->pid);

	for (size_t i = 0; i < l->pieces_n; i++) {
		if (i)
			parts[n++] = (struct iovec){ pid, length };
		parts[n++] = (struct iovec){ (void *)(unsigned long)l->pieces[i], strlen(l->pieces[i]) };
	}
	return send_all(load->receiver, parts, n, fd);
}

/* What it closes is closed for the process too. The report comes before the result, at which the process ends. */
static void hand_over(const struct hand_over *h, int fd, int *ret_number)
{
	const struct seccomp_load *load = h->load;

	*ret_number = send_state(load, fd) < 0 ? errno : 0;
	close(fd);
	close(load->receiver);
	if (!*ret_number)
		return;
	errno = *ret_number;
	load->report(load->context, "hand the seccomp listener to its receiver");
}

static int help(void *argument)
{
	struct hand_over *h = argument;
	int number = 0, fd = wait_for_listener(h);

	if (fd != NONE)
		hand_over(h, fd, &number);
	atomic_store(&h->result, number);	/* the last look at it */
	return 0;
}

/* --- the process */

/* With this argument, and no other. */
static bool passes(const struct seccomp_load *load, long number, uint64_t argument)
{
	uint32_t action = seccomp_machine_action(load->v, load->n, number, (const uint64_t[3]){ argument });

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

/* sched_yield never fails: errno, which is one for both, stays the helper's. */
static int wait_for_result(const struct hand_over *h, bool yields)
{
	int result;

	while ((result = atomic_load(&h->result)) == UNKNOWN)
		if (yields)
			syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	return result;
}

/* Without a call that could wait for an answer. */
static _Noreturn void end(const struct seccomp_load *load)
{
	if (passes(load, SYS_exit_group, 127))
		syscall(SYS_exit_group, 127, 0, 0, 0, 0, 0);
	__builtin_trap();
}

static int load_with_listener(const struct seccomp_load *load, const char **ret_what)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));
	struct hand_over h = { .load = load, .listener = WAITING, .result = UNKNOWN };
	bool yields = passes(load, SYS_sched_yield, 0);
	int fd, number;

	*ret_what = "make a helper for the seccomp listener";
	if (clone(help, stack + sizeof(stack), CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, &h) < 0)
		return -1;
	*ret_what = "load the seccomp filter with a listener";
	fd = seccomp_load_filter(load->v, load->n, load->flags);
	number = errno;
	atomic_store(&h.listener, fd < 0 ? NONE : fd);
	if (wait_for_result(&h, yields || fd < 0) != 0)
		end(load);
	errno = number;
	return fd < 0 ? -1 : 0;
}

int seccomp_load(const struct seccomp_load *load, const char **ret_what)
{
	if (load->listener)
		return load_with_listener(load, ret_what);
	*ret_what = "load the seccomp filter";
	return seccomp_load_filter(load->v, load->n, load->flags);
}

bool seccomp_load_forbids(const struct seccomp_load *load, long number, const uint64_t args[3])
{
	switch (seccomp_machine_action(load->v, load->n, number, args)) {
	case SECCOMP_RET_KILL_PROCESS: case SECCOMP_RET_KILL_THREAD: case SECCOMP_RET_TRAP: case SECCOMP_RET_ERRNO:
		return true;
	default:
		return false;
	}
}

pid_t seccomp_load_own_pid(void)
{
	char text[24];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);
	pid_t pid = 0;

	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		pid = pid * 10 + (text[i] - '0');
	return pid ? pid : getpid();
}
