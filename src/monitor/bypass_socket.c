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
#include "sys/errand.h"
#include "sys/fd.h"

#define PORTS_TRIED 8
#define VALUE_MAX 16			/* of an option that is replayed */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* --- what is replayed */

static const struct option {
	int level, name;
	bool v6;			/* of IPv6 sockets only */
} options[] = {
	{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_OOBINLINE }, { SOL_SOCKET, SO_PRIORITY }, { SOL_SOCKET, SO_RCVLOWAT },
	{ SOL_SOCKET, SO_LINGER }, { SOL_SOCKET, SO_RCVTIMEO }, { SOL_SOCKET, SO_SNDTIMEO }, { SOL_SOCKET, SO_TIMESTAMP },
	{ SOL_SOCKET, SO_TIMESTAMPNS }, { SOL_SOCKET, SO_MAX_PACING_RATE }, { SOL_SOCKET, SO_ZEROCOPY },
	{ SOL_SOCKET, SO_REUSEPORT }, { IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_CORK }, { IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT }, { IPPROTO_TCP, TCP_SYNCNT },
	{ IPPROTO_TCP, TCP_LINGER2 }, { IPPROTO_TCP, TCP_WINDOW_CLAMP }, { IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT }, { IPPROTO_TCP, TCP_MAXSEG }, { IPPROTO_TCP, TCP_CONGESTION },
	{ IPPROTO_TCP, TCP_INQ }, { IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_TTL }, { IPPROTO_IP, IP_MTU_DISCOVER },
	{ IPPROTO_IP, IP_RECVERR }, { IPPROTO_IP, IP_MINTTL },
	{ IPPROTO_IPV6, IPV6_V6ONLY, true }, { IPPROTO_IPV6, IPV6_TCLASS, true }, { IPPROTO_IPV6, IPV6_UNICAST_HOPS, true },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, true }, { IPPROTO_IPV6, IPV6_RECVERR, true },
	{ IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, true },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* With one of these set the socket is not one of many. */
static const struct option special[] = {
	{ SOL_SOCKET, SO_MARK }, { IPPROTO_TCP, TCP_FASTOPEN_CONNECT }, { IPPROTO_TCP, TCP_REPAIR },
	{ IPPROTO_IP, IP_TRANSPARENT }, { IPPROTO_IP, IP_FREEBIND },
};
/* What these give must be empty. */
static const struct option special_lengths[] = {
	{ IPPROTO_TCP, TCP_ULP }, { IPPROTO_IP, IP_OPTIONS },
};

struct value {
	char bytes[VALUE_MAX];
	socklen_t size;			/* 0: it is unknown here */
};

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
		if (k || !options[i].v6)
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

static int replay(const struct own_socket *s, int to)
{
	const struct value *fresh = defaults(s->domain, to);

	for (size_t i = 0; i < OPTIONS; i++) {
		struct value v;

		if (options[i].v6 && s->domain != AF_INET6)
			continue;
		v = get(s->fd, &options[i]);
		if (!is_untouched(&options[i], &v, &fresh[i]) &&
		    setsockopt(to, options[i].level, options[i].name, v.bytes, v.size) < 0)
			return -1;
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

static int get_int(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

static bool is_special(int fd)
{
	socklen_t size = 0;		/* of SO_GET_FILTER: instructions */
	char text[64];

	if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &size) < 0 || size > 0)
		return true;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (get_int(fd, special[i].level, special[i].name) > 0)
			return true;
	for (size_t i = 0; i < sizeof(special_lengths) / sizeof(special_lengths[0]); i++) {
		size = sizeof(text);
		if (getsockopt(fd, special_lengths[i].level, special_lengths[i].name, text, &size) == 0 && size > 0)
			return true;
	}
	return false;
}

/* Neither a port nor a peer, nor one on the way. One that was handed over keeps its port. */
static bool is_idle(int fd, bool has_port)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	struct sockaddr_storage name;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_state != TCP_CLOSE)
		return false;
	size = sizeof(name);
	if (getpeername(fd, (struct sockaddr *)&name, &size) == 0)
		return false;
	if (has_port)
		return true;
	size = sizeof(name);
	return getsockname(fd, (struct sockaddr *)&name, &size) == 0 && ((struct sockaddr_in *)&name)->sin_port == 0;
}

/* One that was handed over: of the host's network, and with a device. Others may have been given by the user. */
static bool is_given(int fd)
{
	static uint64_t host;

	if (!host) {
		_cleanup_fd_ int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		host = own_socket_cookie(own);
	}
	return own_socket_cookie(fd) == host && get_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX) > 0;
}

bool own_socket_examine(struct own_socket *s, int fd, uint64_t container_cookie)
{
	uint64_t cookie = own_socket_cookie(fd);
	struct timeval timeout = { 0 };
	socklen_t size = sizeof(timeout);

	*s = (struct own_socket){ .fd = fd, .domain = get_int(fd, SOL_SOCKET, SO_DOMAIN),
				  .protocol = get_int(fd, SOL_SOCKET, SO_PROTOCOL), .flags = fcntl(fd, F_GETFL) };
	if (!cookie || (s->domain != AF_INET && s->domain != AF_INET6) || get_int(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
	    (s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_MPTCP) || s->flags < 0 || s->flags & O_ASYNC)
		return false;
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size);
	s->has_timeout = timeout.tv_sec || timeout.tv_usec;
	s->is_host = is_given(fd);
	return (s->is_host || (cookie == container_cookie && get_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX) == 0)) &&
	       is_idle(fd, s->is_host) && !is_special(fd) && fcntl(fd, F_GETOWN) == 0;
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

static int bind_shared(int fd, const struct sockaddr_storage *name, socklen_t size)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, (const struct sockaddr *)name, size);
}

/* A port that the kernel chose for another socket: only one that is named is kept for good. SO_REUSEADDR, so that ports
 * are shared between connections to different places, as they are without bind. */
static int lock_port_once(int fd, int domain)
{
	_cleanup_fd_ int other = new_socket(domain);
	struct sockaddr_storage name = { .ss_family = (sa_family_t)domain };
	socklen_t size = domain == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int v6_only = get_int(fd, IPPROTO_IPV6, IPV6_V6ONLY);

	if (other < 0 || (domain == AF_INET6 && setsockopt(other, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) < 0))
		return -1;
	if (bind_shared(other, &name, size) < 0 || getsockname(other, (struct sockaddr *)&name, &size) < 0)
		return -1;
	return bind_shared(fd, &name, size);
}

static int lock_port(int fd, int domain)
{
	for (int i = 0; i < PORTS_TRIED; i++)
		if (lock_port_once(fd, domain) == 0)
			return 0;
	return -1;
}

int own_socket_twin(const struct own_socket *s, uint32_t device)
{
	_cleanup_fd_ int fd = new_socket(s->domain);

	if (fd < 0 || lock_device(fd, device) < 0 || replay(s, fd) < 0 || lock_port(fd, s->domain) < 0)
		return -1;
	return fd_take(&fd);
}

void own_socket_finish(const struct own_socket *s, int twin)
{
	int reuse = get_int(s->fd, SOL_SOCKET, SO_REUSEADDR);

	if (!s->is_host)
		setsockopt(twin, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	if (!(s->flags & O_NONBLOCK))
		fd_set_nonblock(twin, false);
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

int own_socket_inner(const struct own_socket *s, int route_socket)
{
	_cleanup_fd_ int ns = ioctl(route_socket, SIOCGSKNS), fd = -1;
	struct inner inner = { ns, s->domain };

	fd = ns < 0 ? -1 : errand_fd(make_inner, &inner, NULL);
	if (fd < 0 || replay(s, fd) < 0)
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

	if (is_given(fd))
		return EINVAL;
	if (get_int(fd, SOL_SOCKET, SO_DOMAIN) != AF_UNIX || !caller_ids(caller, &uid, &gid) || (uid == geteuid() && gid == getegid()))
		return listen_here(fd, backlog);
	return listen_as(fd, backlog, uid, gid);
}
