/* The container's accept(2), where ports of it are published: a client whom the forwarder offers is given to it.
 *
 * The monitor accepts from the container's listening socket what is first in its queue. That may be a connection of the
 * forwarder's, which is known by the client's address and port: then the client's own socket is handed over, locked as those
 * of outgoing connections are, but for the port (doc/design/socket-bypass.md). Anything else is handed over as it is. While
 * nobody is offered, nobody waits or something is out of the ordinary the kernel makes the call: so a blocking accept waits
 * in the kernel, with its signals, and takes what comes first by the normal path. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "monitor/bypass.h"
#include "monitor/offer.h"
#include "sys/fd.h"
#include "sys/seccomp_notify.h"

#define PATIENCE_US 2000		/* for an accept that finds the queue empty after all, and would wait */
#define RELEASE_NS 200000000	/* for the forwarder, to let go of a client; then it is given all the same */
#define FLAGS_KNOWN (SOCK_CLOEXEC | SOCK_NONBLOCK)

struct accepting {
	struct monitor *m;
	int notify;
	const struct seccomp_notif *n;
	pid_t pid;
	uint64_t name, size;		/* where the caller wants to know who came; 0: it does not */
	int room;			/* for that */
	unsigned flags;
	int listener;
	int memory;			/* the caller's, opened while it was certainly its; -1: nothing is told */
};

/* --- the queue */

static void wake(int signum)
{
	(void)signum;
}

void accept_prepare(void)
{
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = wake }, NULL);
}

/* Whether a socket blocks is the container's to say at any time, and what stood in the queue another thread of it may have
 * got: so the call is cut short by a signal. */
static int accept_at_once(int listener, union forward_name *name)
{
	static const struct itimerval patience = { { 0, PATIENCE_US }, { 0, PATIENCE_US } }, never;
	struct pollfd p = { .fd = listener, .events = POLLIN };
	socklen_t size = sizeof(*name);
	int fd;

	if (poll(&p, 1, 0) != 1)
		return -1;
	setitimer(ITIMER_REAL, &patience, NULL);
	fd = accept4(listener, &name->any, &size, SOCK_CLOEXEC);
	setitimer(ITIMER_REAL, &never, NULL);
	return fd;
}

/* --- the offer */

static uint16_t port_of(const union forward_name *name)
{
	return ntohs(name->any.sa_family == AF_INET ? name->v4.sin_port : name->v6.sin6_port);
}

static bool is_same(const union forward_name *a, const union forward_name *b)
{
	if (a->any.sa_family != b->any.sa_family || port_of(a) != port_of(b))
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

/* The offer that a connection to the container, from that address, stands for. */
static struct offer *find_offer(struct offers *offers, int inner, union forward_name from, uint32_t *ret_word)
{
	union forward_name to;
	socklen_t size = sizeof(to);

	forward_normalize(&from);
	if (getsockname(inner, &to.any, &size) < 0)
		return NULL;
	for (size_t i = 0; i < OFFERS; i++) {
		struct offer *o = &offers->offer[i];

		*ret_word = atomic_load(&o->word);
		if (offer_state(*ret_word) == OFFER_MADE && o->port == port_of(&to) && is_same(&o->client, &from))
			return o;
	}
	return NULL;
}

/* The number may be another's since: who is at the other end tells. Then it is made ready, and taken at last: until that
 * nothing happens to it that would matter if the forwarder kept it. */
static int take_client(const struct accepting *a, struct offer *o, uint32_t word, union forward_name *ret_name)
{
	_cleanup_fd_ int fd = (int)syscall(SYS_pidfd_getfd, a->m->ports.pidfd, o->fd, 0);
	union forward_name name, plain;
	socklen_t size = sizeof(name);
	struct target target;
	uint32_t device;

	if (fd < 0 || getpeername(fd, &name.any, &size) < 0)
		return -1;
	plain = name;
	forward_normalize(&plain);
	if (!is_same(&plain, &o->client) || !target_parse(&target, &name, size))
		return -1;
	device = target_way(&target, a->m);
	if (!device || own_socket_adopt(fd, a->listener, device, a->m->bypass_seldom) < 0)
		return -1;
	size = sizeof(*ret_name);
	if (getpeername(fd, &ret_name->any, &size) < 0 || !offer_turn(o, word, OFFER_MADE, OFFER_TAKEN))
		return -1;
	return fd_take(&fd);
}

/* --- the answer */

/* As the kernel does it: what there is no room for is cut off, and the whole length said. */
static bool tell_name(const struct accepting *a, const union forward_name *name)
{
	int size = name->any.sa_family == AF_INET ? (int)sizeof(name->v4) : (int)sizeof(name->v6);

	if (!a->name)
		return true;
	return caller_write(a->memory, a->name, name, (size_t)(a->room < size ? a->room : size)) &&
	       caller_write(a->memory, a->size, &size, sizeof(size));
}

/* Whether it can be given, as far as can be told before: 0, or an errno. */
static int prepare(const struct accepting *a, int fd, const union forward_name *name)
{
	fd_set_nonblock(fd, (a->flags & SOCK_NONBLOCK) != 0);
	return tell_name(a, name) ? 0 : EFAULT;
}

static int give(const struct accepting *a, int *fd, const union forward_name *name)
{
	int number = prepare(a, *fd, name);

	if (number)
		return number;
	return seccomp_notify_give(a->notify, a->n->id, fd, a->flags & SOCK_CLOEXEC) < 0 ? errno : 0;
}

/* The forwarder notices by the end of its connection. */
static void await_release(struct offer *o, uint32_t word)
{
	uint32_t given = word - word % OFFER_STATES + OFFER_GIVEN;
	struct timespec patience = { .tv_nsec = RELEASE_NS };

	while (atomic_load(&o->word) == given)
		if (syscall(SYS_futex, &o->word, FUTEX_WAIT, given, &patience, NULL, 0) < 0 && errno == ETIMEDOUT)
			return;
}

/* What cannot be given is the forwarder's again; its connection is closed after that is said: by that it notices. Else it has
 * let go of the client before the container has it: who is not the only one with a socket finds it in his epoll sets after
 * his close, and the kernel may leave the last close to his own sleeping epoll_wait, where it is made too late. */
static int give_client(const struct accepting *a, struct offer *o, uint32_t word, int *inner, int *client,
		       const union forward_name *name)
{
	int number = prepare(a, *client, name);

	if (number || !seccomp_notify_is_valid(a->notify, a->n->id) || !caller_has_room(a->pid)) {
		fd_set_nonblock(*client, true);
		offer_turn(o, word, OFFER_TAKEN, OFFER_BACK);
		return number ? number : CALL_CONTINUES;
	}
	offer_turn(o, word, OFFER_TAKEN, OFFER_GIVEN);
	fd_close(inner);
	await_release(o, word);
	return seccomp_notify_give(a->notify, a->n->id, client, a->flags & SOCK_CLOEXEC) < 0 ? errno : 0;
}

static int accept_first(const struct accepting *a)
{
	union forward_name name = { 0 }, client_name = { 0 };
	_cleanup_fd_ int inner = accept_at_once(a->listener, &name), client = -1;
	struct offer *o;
	uint32_t word;
	int number;

	if (inner < 0)
		return CALL_CONTINUES;
	o = find_offer(a->m->ports.offers, inner, name, &word);
	client = o ? take_client(a, o, word, &client_name) : -1;
	number = client < 0 ? give(a, &inner, &name) : give_client(a, o, word, &inner, &client, &client_name);
	return number ? number : CALL_IS_ANSWERED;
}

/* --- the call */

static bool look(struct accepting *a)
{
	const struct seccomp_data *d = &a->n->data;

	a->flags = d->nr == SYS_accept4 ? (unsigned)d->args[3] : 0;
	a->name = d->args[1];
	a->size = d->args[2];
	if (a->flags & ~(unsigned)FLAGS_KNOWN ||
	    (a->name && (!caller_read(a->pid, a->size, &a->room, sizeof(a->room)) || a->room < 0)))
		return false;
	a->memory = a->name ? caller_memory(a->pid) : -1;
	return (!a->name || a->memory >= 0) && own_socket_is_listener(a->listener, a->m->container_cookie) &&
	       caller_has_room(a->pid) && seccomp_notify_is_valid(a->notify, a->n->id);
}

int accept_for(struct monitor *m, int notify, const struct seccomp_notif *n)
{
	struct accepting a = { .m = m, .notify = notify, .n = n, .pid = (pid_t)n->pid, .memory = -1 };
	_cleanup_fd_ int listener = -1;
	int fate;

	if (!m->ports.offers || m->ports.pidfd < 0 || !atomic_load(&m->ports.offers->made))
		return CALL_CONTINUES;
	listener = a.listener = caller_take(a.pid, (int)n->data.args[0]);
	fate = listener >= 0 && look(&a) ? accept_first(&a) : CALL_CONTINUES;
	fd_close(&a.memory);
	return fate;
}
