/* The container's socket, and the one that takes its place. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/bypass.h"
#include "monitor/forward.h"
#include "sys/bypass_options.h"
#include "sys/errand.h"
#include "sys/fd.h"

#define VALUE_MAX 16			/* of an option that is replayed */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* --- what is replayed */

/* When a socket is asked for it: always, if it keeps connections alive, if it has a time-out, or if the container has ever
 * set an option of the kind. */
enum when { ALWAYS, KEEPALIVE, TIMEOUT, SELDOM };

static const struct option {
	int level, name;
	enum when when;
} options[] = {
	{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_LINGER }, { SOL_SOCKET, SO_RCVTIMEO }, { SOL_SOCKET, SO_SNDTIMEO, TIMEOUT },
	{ IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_CORK }, { IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE },
	{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE }, { IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE }, { IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_IPV6, IPV6_RECVERR },
#define ROW(level, name) { level, name, SELDOM },
	BYPASS_SELDOM_OPTIONS(ROW)
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* With one of these set the socket is not one of many. */
static const struct option special[] = { BYPASS_SPECIAL_OPTIONS(ROW) };
/* What these give must be empty. */
static const struct option special_lengths[] = {
	{ IPPROTO_TCP, TCP_ULP }, { IPPROTO_IP, IP_OPTIONS },
};

struct value {
	char bytes[VALUE_MAX];
	socklen_t size;			/* 0: it is unknown here */
};

static int get_int(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

static struct value get(int fd, const struct option *o)
{
	struct value v = { .size = VALUE_MAX };

	if (getsockopt(fd, o->level, o->name, v.bytes, &v.size) < 0)
		v.size = 0;
	return v;
}

static bool is_equal(const struct value *a, const struct value *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Those of a socket of this family as it is born. */
static const struct value *defaults(int domain, int fresh)
{
	static struct value known[2][OPTIONS];
	static bool is_known[2];
	unsigned k = domain == AF_INET6;

	for (size_t i = 0; !is_known[k] && i < OPTIONS; i++)
		if (k || options[i].level != IPPROTO_IPV6)
			known[k][i] = get(fresh, &options[i]);
	is_known[k] = true;
	return known[k];
}

/* A size that was not set by hand grows as needed. The kernel tells twice what it was told. */
static int replay_buffers(int from, int to)
{
	static const int names[] = { SO_SNDBUF, SO_RCVBUF };	/* bits 0 and 1 of the lock */
	socklen_t size = sizeof(int);
	int lock = 0, value;

	getsockopt(from, SOL_SOCKET, SO_BUF_LOCK, &lock, &size);
	for (unsigned i = 0; i < 2; i++) {
		size = sizeof(value);
		if (!(lock & 1 << i))
			continue;
		if (getsockopt(from, SOL_SOCKET, names[i], &value, &size) < 0)
			return -1;
		value /= 2;
		if (setsockopt(to, SOL_SOCKET, names[i], &value, sizeof(value)) < 0)
			return -1;
	}
	return 0;
}

/* As it was born. Containers' sockets are born with "reno" (engine/oci_config), which says nothing of the way to others. */
static bool is_untouched(const struct option *o, const struct value *v, const struct value *fresh)
{
	if (!v->size || is_equal(v, fresh))
		return true;
	return o->level == IPPROTO_TCP && o->name == TCP_CONGESTION && strncmp(v->bytes, "reno", v->size) == 0;
}

static bool is_asked(const struct own_socket *s, const struct option *o, bool keeps_alive)
{
	if (o->level == IPPROTO_IPV6 && s->domain != AF_INET6)
		return false;
	return s->seldom || o->when == ALWAYS || (o->when == KEEPALIVE && keeps_alive) || (o->when == TIMEOUT && s->has_timeout);
}

static int replay(struct own_socket *s, const struct value *fresh, int to)
{
	bool keeps_alive = false;

	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];
		struct value v;

		if (!is_asked(s, o, keeps_alive))
			continue;
		v = get(s->fd, o);
		if (is_untouched(o, &v, &fresh[i]))
			continue;
		if (setsockopt(to, o->level, o->name, v.bytes, v.size) < 0)
			return -1;
		keeps_alive = keeps_alive || o->name == SO_KEEPALIVE;
		s->has_seldom = s->has_seldom || o->when == SELDOM;
	}
	return replay_buffers(s->fd, to);
}

/* --- the container's */

uint64_t own_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

/* has_device: it was given that with its lock. */
static bool is_special(int fd, bool has_device)
{
	socklen_t size = 0;		/* of SO_GET_FILTER: instructions */
	char text[64];

	if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &size) < 0 || size > 0 || fcntl(fd, F_GETOWN))
		return true;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (!(has_device && special[i].name == SO_BINDTOIFINDEX) && get_int(fd, special[i].level, special[i].name) > 0)
			return true;
	for (size_t i = 0; i < sizeof(special_lengths) / sizeof(special_lengths[0]); i++) {
		size = sizeof(text);
		if (getsockopt(fd, special_lengths[i].level, special_lengths[i].name, text, &size) == 0 && size > 0)
			return true;
	}
	return false;
}

/* Neither connected nor on the way. Only TCP answers. */
static bool is_idle(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
}

/* One that was handed over: of the host's network, and with a device. Others may have been given by the user. */
static bool is_given(int fd, uint64_t cookie)
{
	static uint64_t host;

	if (!host) {
		_cleanup_fd_ int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		host = own_socket_cookie(own);
	}
	return cookie == host && get_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX) > 0;
}

static bool has_send_timeout(int fd)
{
	struct timeval timeout = { 0 };
	socklen_t size = sizeof(timeout);

	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size);
	return timeout.tv_sec || timeout.tv_usec;
}

bool own_socket_examine(struct own_socket *s, int fd, uint64_t container_cookie, bool seldom)
{
	union forward_name name = { 0 };
	socklen_t size = sizeof(name);
	uint64_t cookie;

	if (getsockname(fd, &name.any, &size) < 0 || (name.any.sa_family != AF_INET && name.any.sa_family != AF_INET6))
		return false;
	*s = (struct own_socket){ .fd = fd, .domain = name.any.sa_family, .flags = fcntl(fd, F_GETFL), .seldom = seldom };
	cookie = own_socket_cookie(fd);
	s->is_host = is_given(fd, cookie);
	if (!cookie || s->flags < 0 || s->flags & O_ASYNC || (!s->is_host && (name.v4.sin_port || cookie != container_cookie)))
		return false;		/* one that was handed over keeps its port */
	s->has_timeout = has_send_timeout(fd);
	return is_idle(fd) && (!seldom || !is_special(fd, s->is_host));
}

bool own_socket_is_listener(int fd, uint64_t container_cookie)
{
	int domain = get_int(fd, SOL_SOCKET, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && container_cookie && own_socket_cookie(fd) == container_cookie;
}

/* --- the host's */

/* For good: another device takes CAP_NET_RAW over the host's network. */
static int lock_device(int fd, uint32_t device)
{
	int number = (int)device;

	return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &number, sizeof(number));
}

static int new_socket(int domain)
{
	return socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
}

int own_socket_twin(struct own_socket *s, uint32_t device)
{
	_cleanup_fd_ int fd = new_socket(s->domain);

	if (fd < 0 || lock_device(fd, device) < 0 || replay(s, defaults(s->domain, fd), fd) < 0 || port_lock(fd, s->domain) < 0)
		return -1;
	return fd_take(&fd);
}

void own_socket_finish(const struct own_socket *s, int twin)
{
	int reuse = get_int(s->fd, SOL_SOCKET, SO_REUSEADDR), off = 0;

	if (!s->is_host && !reuse)
		setsockopt(twin, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
	if (!(s->flags & O_NONBLOCK))
		ioctl(twin, FIONBIO, &off);
}

/* --- a client of a published port */

/* The device by which it came. Of an IPv4 socket only control data tells it. */
static uint32_t arrival_of(int fd, int domain)
{
	static const int on = 1, off = 0;
	_Alignas(struct cmsghdr) char control[256];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	socklen_t size = sizeof(control);
	struct in_pktinfo info = { 0 };

	if (domain == AF_INET6)
		return (uint32_t)get_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF);
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
		return 0;
	message.msg_controllen = getsockopt(fd, IPPROTO_IP, IP_PKTOPTIONS, control, &size) < 0 ? 0 : size;
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &off, sizeof(off));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&info, CMSG_DATA(c), sizeof(info));
	return (uint32_t)info.ipi_ifindex;
}

/* An IPv4 client of an IPv6 socket may become one of IPv4, not the reverse. */
static int take_family(int client, int domain, int wanted)
{
	if (domain == wanted)
		return 0;
	return domain == AF_INET6 ? setsockopt(client, IPPROTO_IPV6, IPV6_ADDRFORM, &wanted, sizeof(wanted)) : -1;
}

/* Those that it has from the published socket (net/claim). */
static int replay_published(int listener, int client)
{
	static const struct option published[] = {
		{ IPPROTO_TCP, TCP_NODELAY }, { SOL_SOCKET, SO_KEEPALIVE }, { IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL },
	};

	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
		struct value v = get(listener, &published[i]);

		if (setsockopt(client, published[i].level, published[i].name, v.bytes, v.size) < 0)
			return -1;
	}
	return 0;
}

int own_socket_adopt(int client, int listener, uint32_t device, bool seldom)
{
	struct own_socket s = { .fd = listener, .domain = get_int(listener, SOL_SOCKET, SO_DOMAIN), .has_timeout = true,
				.seldom = seldom };
	int domain = get_int(client, SOL_SOCKET, SO_DOMAIN);
	_cleanup_fd_ int fresh = new_socket(s.domain);

	if (fresh < 0 || arrival_of(client, domain) != device || take_family(client, domain, s.domain) < 0 ||
	    lock_device(client, device) < 0 || replay_published(listener, client) < 0)
		return -1;
	return replay(&s, defaults(s.domain, fresh), client);
}

/* --- back to the container's network */

struct inner {
	int ns, domain;
};

static int make_inner(void *context, struct error *err)
{
	const struct inner *i = context;
	int fd = setns(i->ns, CLONE_NEWNET) < 0 ? -1 : new_socket(i->domain);

	return fd < 0 ? error_errno(err, "make a socket") : fd;
}

int own_socket_inner(struct own_socket *s, int route_socket)
{
	_cleanup_fd_ int ns = ioctl(route_socket, SIOCGSKNS), fd = -1;
	struct inner inner = { ns, s->domain };

	fd = ns < 0 ? -1 : errand_fd(make_inner, &inner, NULL);
	if (fd < 0 || replay(s, defaults(s->domain, fd), fd) < 0)
		return -1;
	return fd_take(&fd);
}

/* --- listening */

static int listen_here(int fd, int backlog)
{
	return listen(fd, backlog) < 0 ? errno : 0;
}

/* By a process that takes on the ids, and tells by its exit how it went. */
static int listen_as(int fd, int backlog, uid_t uid, gid_t gid)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(setegid(gid) < 0 || seteuid(uid) < 0 ? EPERM : listen_here(fd, backlog));
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int own_socket_listen(int fd, int backlog, pid_t caller)
{
	uid_t uid;
	gid_t gid;

	if (is_given(fd, own_socket_cookie(fd)))
		return EINVAL;
	if (get_int(fd, SOL_SOCKET, SO_DOMAIN) != AF_UNIX || !caller_ids(caller, &uid, &gid) || (uid == geteuid() && gid == getegid()))
		return listen_here(fd, backlog);
	return listen_as(fd, backlog, uid, gid);
}
