#include "monitor/bypass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/seccomp_notify.h"

/* What becomes of the call: this, or what it answers. */
#define CONTINUE (-1)		/* else 0 or an errno */

struct call {
	struct monitor *m;
	uint64_t id;
	pid_t pid;
	int number;			/* of the socket in the caller */
	struct target target;
	struct own_socket own;
	struct epoll_place place;
	unsigned descriptor_flags;
	bool outside;
};

/* --- looking */

static int listener_of(const struct call *c)
{
	return c->m->config.bypass_fd;
}

static bool look_at_address(struct call *c, const struct seccomp_notif *n)
{
	struct sockaddr_storage address;
	size_t size = (size_t)n->data.args[2];

	return size <= sizeof(address) && caller_read(c->pid, n->data.args[1], &address, size) &&
	       target_parse(&c->target, &address, size);
}

static bool look_at_descriptor(struct call *c)
{
	int closes = caller_closes_on_exec(c->pid, c->number);
	struct stat st;

	if (closes < 0 || fstat(c->own.fd, &st) < 0)
		return false;
	c->descriptor_flags = closes ? O_CLOEXEC : 0;
	return caller_knows_once(c->pid, c->number, st.st_ino, &c->place);
}

static bool is_outside(const struct call *c)
{
	const struct monitor_config *config = &c->m->config;

	return target_is_outside(&c->target, config->bypass_route_fd, config->bypass_on_link);
}

/* A descriptor that was handed over and failed to connect may have to go back into the container's network. */
static bool look(struct call *c, const struct seccomp_notif *n, int fd)
{
	bool allowed = look_at_address(c, n);

	if (fd < 0 || !own_socket_examine(&c->own, fd, own_socket_cookie(c->m->config.bypass_route_fd)))
		return false;
	c->outside = allowed && is_outside(c);
	return (c->outside || c->own.is_host) && look_at_descriptor(c) && seccomp_notify_is_valid(listener_of(c), c->id);
}

/* --- replacing */

/* In a process with descriptors of its own: the set remembers the number besides the socket. */
static void join_epoll(const struct call *c, int twin)
{
	struct epoll_event event = { .events = c->place.events, .data.u64 = c->place.data };
	int set = c->place.epoll < 0 ? -1 : caller_take(c->pid, c->place.epoll);
	pid_t pid = set < 0 ? -1 : fork();

	if (pid == 0) {
		int moved = fcntl(set, F_DUPFD, c->number + 1);

		_exit(moved < 0 || dup2(twin, c->number) < 0 || epoll_ctl(moved, EPOLL_CTL_ADD, c->number, &event) < 0);
	}
	fd_close(&set);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int replace(const struct call *c, int twin)
{
	own_socket_finish(&c->own, twin);
	if (seccomp_notify_replace(listener_of(c), c->id, twin, c->number, c->descriptor_flags) < 0)
		return -1;
	join_epoll(c, twin);
	return 0;
}

static int back_inside(const struct call *c)
{
	_cleanup_fd_ int fd = own_socket_inner(&c->own, c->m->config.bypass_route_fd);

	if (fd >= 0)
		replace(c, fd);
	return CONTINUE;
}

/* Where the connection is under way already the continued call of a blocking socket waits for it, in the kernel and as the
 * caller. What the host cannot do at all is left to the normal path. */
static int connect_outside(const struct call *c)
{
	_cleanup_fd_ int twin = own_socket_twin(&c->own, &c->target);
	int number;

	if (twin < 0)
		return CONTINUE;
	number = connect(twin, &c->target.head, c->target.size) < 0 ? errno : 0;
	if (number == ECONNREFUSED)
		return number;
	if ((number && number != EINPROGRESS) || replace(c, twin) < 0)
		return CONTINUE;
	return number && !(c->own.flags & O_NONBLOCK) ? CONTINUE : number;
}

/* --- answering */

static int decide(struct call *c, const struct seccomp_notif *n)
{
	_cleanup_fd_ int fd = caller_take(c->pid, c->number);

	if (!look(c, n, fd))
		return CONTINUE;
	return c->outside ? connect_outside(c) : back_inside(c);
}

void bypass_open(struct monitor *m)
{
	const struct monitor_config *c = &m->config;

	if (c->bypass_fd < 0)
		return;
	seccomp_notify_stay_near(c->bypass_fd);
	monitor_watch(m, c->bypass_fd, TAG_BYPASS, 0, EPOLLIN);
}

void bypass_event(struct monitor *m, uint32_t events)
{
	struct seccomp_notif n;
	struct call c = { .m = m };
	int fate;

	if (!(events & EPOLLIN)) {	/* nobody is left who has the filter */
		monitor_watch(m, m->config.bypass_fd, TAG_BYPASS, 0, 0);
		return;
	}
	m->memory_used = true;
	if (seccomp_notify_receive(m->config.bypass_fd, &n) < 0)
		return;
	c.id = n.id;
	c.pid = (pid_t)n.pid;
	c.number = (int)n.data.args[0];
	fate = n.pid ? decide(&c, &n) : CONTINUE;	/* 0: somebody outside of what we can see */
	if (fate == CONTINUE)
		seccomp_notify_continue(m->config.bypass_fd, n.id);
	else
		seccomp_notify_answer(m->config.bypass_fd, n.id, fate);
}
