#include "run/seccomp_load.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

/* What the process and its helper share. `life` holds the helper's id; it is his robust futex, in which the kernel sets
 * FUTEX_OWNER_DIED when he ends, however he does. */
struct shared {
	atomic_int listener;		/* its descriptor */
	atomic_int result;		/* errno of the hand-over, 0: done */
	atomic_uint life;
	struct robust_list link;
	struct robust_list_head head;
};

/* --- the helper */

static int watch_life(struct shared *s)
{
	s->link.next = &s->head.list;
	s->head = (struct robust_list_head){
		.list = { &s->link },
		.futex_offset = (char *)&s->life - (char *)&s->link,
	};
	if (syscall(SYS_set_robust_list, &s->head, sizeof(s->head)) < 0)
		return -1;
	atomic_store(&s->life, (unsigned)syscall(SYS_gettid));
	return 0;
}

static int wait_for_listener(const struct shared *s)
{
	const struct timespec moment = { .tv_nsec = 20000 };
	int fd;

	while ((fd = atomic_load(&s->listener)) == WAITING)
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

static int hand_over(const struct seccomp_load *load, int fd)
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

/* Its memory is a copy of the runtime's, and its descriptors are the process's: the container may not look into it. It
 * closes for both. The report comes before the result, at which the process ends and takes the helper with it. */
static _Noreturn void help(const struct seccomp_load *load, struct shared *s, pid_t parent)
{
	int fd, number = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	if (getppid() != parent || watch_life(s) < 0)
		_exit(1);
	fd = wait_for_listener(s);
	if (fd == NONE)
		_exit(0);
	if (hand_over(load, fd) < 0)
		number = errno;
	close(fd);
	close(load->receiver);
	if (number) {
		errno = number;
		load->report(load->context, "hand the seccomp listener to its receiver");
	}
	atomic_store(&s->result, number);
	_exit(0);
}

/* --- the process */

static pid_t start_helper(const struct seccomp_load *load, struct shared *s)
{
	/* He goes without a zombie; exec sets the standard again. */
	const struct sigaction standard = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	pid_t parent = getpid(), helper;

	sigaction(SIGCHLD, &standard, NULL);
	helper = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (helper == 0)
		help(load, s, parent);
	return helper;
}

static bool is_over(const struct shared *s)
{
	return atomic_load(&s->life) & FUTEX_OWNER_DIED;
}

/* Until the end of the helper will be noted. */
static int wait_for_helper(const struct shared *s, pid_t helper)
{
	while (!atomic_load(&s->life)) {
		if (kill(helper, 0) < 0 && !atomic_load(&s->life))
			return -1;
		sched_yield();
	}
	return 0;
}

static bool passes(const struct seccomp_load *load, long number, const uint64_t args[3])
{
	uint32_t action = seccomp_machine_action(load->v, load->n, number, args);

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

/* Under the filter. */
static void wait_for_end(const struct seccomp_load *load, const struct shared *s, pid_t helper)
{
	const uint64_t of_wait[3] = { (uint64_t)helper, 0, 0 }, of_yield[3] = { 0 };
	bool yields = passes(load, SYS_sched_yield, of_yield);

	if (passes(load, SYS_wait4, of_wait))
		while (syscall(SYS_wait4, helper, NULL, 0, NULL) < 0 && errno == EINTR)
			continue;
	while (!is_over(s))
		if (yields)
			sched_yield();
}

/* The receiver did not take it, which is reported, or the helper was killed, which the caller may tell if he is let.
 * Without a call that could wait for an answer. */
static int fail(const struct seccomp_load *load, const struct shared *s)
{
	static const uint64_t none[3];
	bool exits = passes(load, SYS_exit_group, none);

	if (exits && atomic_load(&s->result) == UNKNOWN && passes(load, SYS_sendmsg, none)) {
		errno = ECHILD;
		return -1;
	}
	if (exits)
		_exit(127);
	__builtin_trap();
}

static int load_with_listener(const struct seccomp_load *load, struct shared *s, const char **ret_what)
{
	pid_t helper;
	int fd, number;

	*ret_what = "make a helper for the seccomp listener";
	helper = start_helper(load, s);
	if (helper < 0 || wait_for_helper(s, helper) < 0)
		return -1;
	*ret_what = "load the seccomp filter with a listener";
	fd = seccomp_load_filter(load->v, load->n, load->flags);
	number = errno;
	atomic_store(&s->listener, fd < 0 ? NONE : fd);
	if (fd < 0) {
		errno = number;
		return -1;
	}
	*ret_what = "hand the seccomp listener to its receiver";
	wait_for_end(load, s, helper);
	return atomic_load(&s->result) == 0 ? 0 : fail(load, s);
}

int seccomp_load(const struct seccomp_load *load, const char **ret_what)
{
	struct shared *s;

	*ret_what = "load the seccomp filter";
	if (!load->listener)
		return seccomp_load_filter(load->v, load->n, load->flags);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return -1;
	s->listener = WAITING;
	s->result = UNKNOWN;
	return load_with_listener(load, s, ret_what);
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
