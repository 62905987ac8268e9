#include "monitor/bypass.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/seccomp_notify.h"
#include "sys/unix_socket.h"

struct call {
	struct monitor *m;
	int listener;
	uint64_t id;
	pid_t pid;
	int number;			/* of the socket in the caller */
	struct target target;
	struct own_socket own;
	struct epoll_place place;
	unsigned descriptor_flags;
	uint32_t device;		/* by which it leads outside; 0: it does not */
};

/* --- looking */

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

/* A descriptor that was handed over and failed to connect may have to go back into the container's network. */
static bool look(struct call *c, const struct seccomp_notif *n, int fd)
{
	bool allowed = look_at_address(c, n);

	if (fd < 0 || !own_socket_examine(&c->own, fd, c->m->container_cookie, c->m->bypass_seldom))
		return false;
	c->device = allowed ? target_bypass(&c->target, c->m) : 0;
	return (c->device || (c->own.is_host && c->target.size)) && look_at_descriptor(c) &&
	       seccomp_notify_is_valid(c->listener, c->id);
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
	if (seccomp_notify_replace(c->listener, c->id, twin, c->number, c->descriptor_flags) < 0)
		return -1;
	join_epoll(c, twin);
	return 0;
}

static int back_inside(struct call *c)
{
	_cleanup_fd_ int fd = own_socket_inner(&c->own, c->m->config.bypass_route_fd);

	if (fd >= 0)
		replace(c, fd);
	return CALL_CONTINUES;
}

/* The first socket of a family is asked for everything: what is not usual here may come from the container's sysctls. */
static int make_twin(struct call *c)
{
	struct monitor *m = c->m;
	bool *is_known = &m->bypass_family_known[c->own.domain == AF_INET6];
	int twin;

	c->own.seldom = c->own.seldom || !*is_known;
	twin = own_socket_twin(&c->own, c->device);
	m->bypass_seldom = m->bypass_seldom || c->own.has_seldom;
	*is_known = true;
	return twin;
}

/* Where the connection is under way already the continued call of a blocking socket waits for it, in the kernel and as the
 * caller. What the host cannot do at all is left to the normal path. */
static int connect_outside(struct call *c)
{
	_cleanup_fd_ int twin = make_twin(c);
	int number;

	if (twin < 0)
		return CALL_CONTINUES;
	if (c->own.has_timeout && !(c->own.flags & O_NONBLOCK)) {	/* at its end the kernel would say EALREADY */
		replace(c, twin);
		return CALL_CONTINUES;
	}
	number = connect(twin, &c->target.head, c->target.size) < 0 ? errno : 0;
	if (number == ECONNREFUSED)
		return number;
	if ((number && number != EINPROGRESS) || replace(c, twin) < 0)
		return CALL_CONTINUES;
	return number && !(c->own.flags & O_NONBLOCK) ? CALL_CONTINUES : number;
}

/* --- answering */

/* Never continued: between our look and the kernel's the number could be given to a socket of the host's. */
static int listen_for(const struct call *c, int backlog)
{
	_cleanup_fd_ int fd = caller_take(c->pid, c->number);

	if (fd < 0)
		return errno == EBADF ? EBADF : EPERM;
	return seccomp_notify_is_valid(c->listener, c->id) ? own_socket_listen(fd, backlog, c->pid) : EPERM;
}

static int decide(struct call *c, const struct seccomp_notif *n)
{
	_cleanup_fd_ int fd = -1;

	if (n->data.nr == SYS_listen)
		return listen_for(c, (int)n->data.args[1]);
	if (n->data.nr == SYS_setsockopt) {
		c->m->bypass_seldom = true;
		return CALL_CONTINUES;
	}
	if (n->data.nr != SYS_connect)
		return accept_for(c->m, c->listener, n);
	fd = caller_take(c->pid, c->number);
	if (!look(c, n, fd))
		return CALL_CONTINUES;
	return c->device ? connect_outside(c) : back_inside(c);
}

static void answer_one(struct monitor *m, int listener)
{
	struct call c = { .m = m, .listener = listener };
	struct seccomp_notif n;
	int fate;

	if (seccomp_notify_receive(listener, &n) < 0)
		return;
	c.id = n.id;
	c.pid = (pid_t)n.pid;
	c.number = (int)n.data.args[0];
	fate = decide(&c, &n);
	if (fate == CALL_CONTINUES)
		seccomp_notify_continue(listener, n.id);
	else if (fate != CALL_IS_ANSWERED)
		seccomp_notify_answer(listener, n.id, fate);
}

/* --- listeners: one of the container's, and one of each further process that was started in it */

static void watch(struct monitor *m, int listener)
{
	for (unsigned i = 0; i < BYPASS_LISTENERS; i++)
		if (m->bypass[i] <= 0) {
			m->bypass[i] = listener;
			seccomp_notify_stay_near(listener);
			monitor_watch(m, listener, TAG_BYPASS, i, EPOLLIN);
			return;
		}
	close(listener);	/* too many: connections and listening fail there */
}

void bypass_open(struct monitor *m)
{
	if (m->config.bypass_fd < 0)
		return;
	m->host_routes = netlink_open();
	m->container_cookie = own_socket_cookie(m->config.bypass_route_fd);
	port_prepare();
	accept_prepare();
	watch(m, m->config.bypass_fd);
	monitor_watch(m, m->config.bypass_door_fd, TAG_BYPASS_DOOR, 0, EPOLLIN);
}

void bypass_accept(struct monitor *m)
{
	int fd = unix_socket_receive(m->config.bypass_door_fd, MSG_DONTWAIT);

	if (fd >= 0)
		watch(m, fd);
}

void bypass_event(struct monitor *m, unsigned index, uint32_t events)
{
	m->memory_used = true;
	if (events & EPOLLIN) {
		answer_one(m, m->bypass[index]);
		return;
	}
	monitor_watch(m, m->bypass[index], TAG_BYPASS, index, 0);	/* nobody is left who has the filter */
	fd_close(&m->bypass[index]);
}

void bypass_close(struct monitor *m)
{
	if (m->config.bypass_fd >= 0)
		unlinkat(m->config.run_fd, "bypass", 0);
}
