/* net/udp_relay - published UDP ports, by a small process that stands in both networks
 *
 * Its sockets on the host side were made in the host's network namespace; then it enters the container's, and makes one
 * socket there for each client. slirp4netns drops what a container sends to a client on the host's loopback, and pasta
 * before 2024-10 loses answers; a datagram copied between two sockets needs neither. The client's address is not seen
 * in the container.
 *
 * The process has no capabilities, allocates nothing, keeps at most FLOWS clients (the one that was silent longest makes
 * room), and ends when the monitor closes the pipe that it watches. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "net/helper.h"
#include "sys/fd.h"

#define PORTS_MAX 4096
#define FLOWS 512
#define IDLE_S 120
#define DATAGRAM_MAX 65536
#define KEEP_EVENT UINT32_MAX

struct port {
	int fd;
	uint16_t target;		/* in the container */
};

struct flow {
	int fd;				/* in the container's network, connected; -1: free */
	unsigned port;
	struct sockaddr_storage client;
	socklen_t client_size;
	struct in_pktinfo to;		/* the address that the client used: answers come from it */
	time_t used;
};

struct relay {
	struct port *ports;
	size_t ports_n;
	int netns, keep, epoll;
	struct in_addr container;
	struct flow flows[FLOWS];
	char data[DATAGRAM_MAX];
};

/* --- before the fork: sockets in the host's network */

static int bind_port(const struct net_port *p, unsigned offset, struct error *err)
{
	bool v6 = strchr(p->host_ip, ':') != NULL;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(p->host_port + offset)) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = in6.sin6_port };
	_cleanup_fd_ int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (*p->host_ip)
		inet_pton(v6 ? AF_INET6 : AF_INET, p->host_ip, v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr);
	if (fd < 0 || bind(fd, v6 ? (void *)&in6 : (void *)&in, v6 ? sizeof(in6) : sizeof(in)) < 0) {
		error_errno(err, "cannot listen on the UDP port %u", p->host_port + offset);
		if (err)
			err->kind = ERROR_NOT_EXECUTABLE;	/* 126 as in Podman */
		return -1;
	}
	if (!v6)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	return fd_take(&fd);
}

static void close_ports(struct relay *relay)
{
	for (size_t i = 0; i < relay->ports_n; i++)
		close(relay->ports[i].fd);
	relay->ports_n = 0;
}

static int bind_ports(struct arena *arena, const struct net_request *r, struct relay *relay, struct error *err)
{
	relay->ports = arena_new_array(arena, struct port, PORTS_MAX);
	for (size_t i = 0; i < r->ports.n; i++) {
		const struct net_port *p = &r->ports.v[i];

		for (unsigned k = 0; str_eq(p->protocol, "udp") && k < p->range; k++) {
			if (relay->ports_n == PORTS_MAX)
				return error_set(err, ERROR_UNSUPPORTED, "more than %d published UDP ports", PORTS_MAX);
			struct port *port = &relay->ports[relay->ports_n];

			port->fd = bind_port(p, k, err);
			port->target = (uint16_t)(p->container_port + k);
			if (port->fd < 0)
				return -1;
			relay->ports_n++;
		}
	}
	return 0;
}

/* --- in the relay */

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void flow_end(struct flow *flow)
{
	fd_close(&flow->fd);
}

static struct flow *flow_find(struct relay *relay, unsigned port, const struct sockaddr_storage *client, socklen_t size)
{
	for (size_t i = 0; i < FLOWS; i++) {
		struct flow *flow = &relay->flows[i];

		if (flow->fd >= 0 && flow->port == port && flow->client_size == size && memcmp(&flow->client, client, size) == 0)
			return flow;
	}
	return NULL;
}

/* A free place, or that of the client that was silent longest. */
static struct flow *flow_place(struct relay *relay)
{
	struct flow *oldest = &relay->flows[0];

	for (size_t i = 0; i < FLOWS; i++) {
		if (relay->flows[i].fd < 0)
			return &relay->flows[i];
		if (relay->flows[i].used < oldest->used)
			oldest = &relay->flows[i];
	}
	flow_end(oldest);
	return oldest;
}

static struct flow *flow_new(struct relay *relay, unsigned port, const struct sockaddr_storage *client, socklen_t size)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(relay->ports[port].target),
				  .sin_addr = relay->container };
	struct flow *flow = flow_place(relay);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)(PORTS_MAX + (flow - relay->flows)) };

	flow->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (flow->fd < 0 || connect(flow->fd, (struct sockaddr *)&in, sizeof(in)) < 0 ||
	    epoll_ctl(relay->epoll, EPOLL_CTL_ADD, flow->fd, &event) < 0) {
		flow_end(flow);
		return NULL;
	}
	flow->port = port;
	flow->client = *client;
	flow->client_size = size;
	flow->to = (struct in_pktinfo){ 0 };
	return flow;
}

static void note_destination(struct msghdr *message, struct in_pktinfo *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*ret = (struct in_pktinfo){ .ipi_spec_dst = info.ipi_spec_dst };
		}
}

static void from_client(struct relay *relay, unsigned port)
{
	struct sockaddr_storage client = { 0 };
	struct iovec data = { relay->data, sizeof(relay->data) };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct msghdr message = { .msg_name = &client, .msg_namelen = sizeof(client), .msg_iov = &data, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(relay->ports[port].fd, &message, 0);
	struct flow *flow;

	if (n < 0)
		return;
	flow = flow_find(relay, port, &client, message.msg_namelen);
	if (!flow)
		flow = flow_new(relay, port, &client, message.msg_namelen);
	if (!flow)
		return;
	note_destination(&message, &flow->to);
	flow->used = now();
	/* A first failure may be the refusal of an earlier datagram; a second is this one's, and datagrams may be lost. */
	if (send(flow->fd, relay->data, (size_t)n, 0) < 0)
		n = send(flow->fd, relay->data, (size_t)n, 0);
}

static void from_container(struct relay *relay, struct flow *flow)
{
	struct iovec data = { relay->data, sizeof(relay->data) };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))] = { 0 };
	struct msghdr message = { .msg_name = &flow->client, .msg_namelen = flow->client_size, .msg_iov = &data,
				  .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n = flow->fd < 0 ? -1 : recv(flow->fd, relay->data, sizeof(relay->data), 0);

	if (n < 0)
		return;
	data.iov_len = (size_t)n;
	if (flow->client.ss_family == AF_INET && flow->to.ipi_spec_dst.s_addr) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&message);
		*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(flow->to)) };
		memcpy(CMSG_DATA(c), &flow->to, sizeof(flow->to));
	}
	flow->used = now();
	sendmsg(relay->ports[flow->port].fd, &message, 0);
}

static void expire(struct relay *relay)
{
	time_t limit = now() - IDLE_S;

	for (size_t i = 0; i < FLOWS; i++)
		if (relay->flows[i].fd >= 0 && relay->flows[i].used < limit)
			flow_end(&relay->flows[i]);
}

static void serve(struct relay *relay)
{
	struct epoll_event events[32];

	for (;;) {
		int n = epoll_wait(relay->epoll, events, ELEMENTS(events), IDLE_S * 1000);

		if (n < 0 && errno != EINTR)
			return;
		if (n == 0)
			expire(relay);
		for (int i = 0; i < n; i++) {
			uint32_t what = events[i].data.u32;

			if (what == KEEP_EVENT)
				return;
			if (what < PORTS_MAX)
				from_client(relay, what);
			else
				from_container(relay, &relay->flows[what - PORTS_MAX]);
		}
	}
}

/* Everything that was inherited is closed but 0 to 2 (which become /dev/null), the ports, the pipe and epoll. */
static void close_others(const struct relay *relay)
{
	int highest = relay->keep > relay->epoll ? relay->keep : relay->epoll, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	for (size_t i = 0; i < relay->ports_n; i++)
		if (relay->ports[i].fd > highest)
			highest = relay->ports[i].fd;
	for (int fd = 3; fd <= highest; fd++) {
		bool ours = fd == relay->keep || fd == relay->epoll;

		for (size_t i = 0; !ours && i < relay->ports_n; i++)
			ours = relay->ports[i].fd == fd;
		if (!ours)
			close(fd);
	}
	syscall(SYS_close_range, (unsigned)highest + 1, ~0U, 0);
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	syscall(SYS_capset, &head, none);
}

static int watch(struct relay *relay, int fd, uint32_t what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int prepare(struct relay *relay, struct error *err)
{

	if (setns(relay->netns, CLONE_NEWNET) < 0)
		return error_errno(err, "enter the network of the container");
	relay->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (relay->epoll < 0 || watch(relay, relay->keep, KEEP_EVENT) < 0)
		return error_errno(err, "watch the ports");
	for (size_t i = 0; i < relay->ports_n; i++)
		if (watch(relay, relay->ports[i].fd, (uint32_t)i) < 0)
			return error_errno(err, "watch the ports");
	for (size_t i = 0; i < FLOWS; i++)
		relay->flows[i].fd = -1;
	fd_raise_limit();
	return 0;
}

static void start_relay(void *argument, struct helper_report *ret)
{
	struct relay *relay = argument;

	if (prepare(relay, &ret->error) < 0)
		return;
	ret->pid = fork();
	if (ret->pid < 0)
		error_errno(&ret->error, "fork");
	if (ret->pid != 0)
		return;
	close_others(relay);
	drop_privileges();
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "bryo-udp", 0, 0, 0);
	if (chdir("/") == 0)
		serve(relay);
	_exit(0);
}

/* --- the caller's side */

bool udp_relay_is_needed(const struct net_request *r)
{
	for (size_t i = 0; i < r->ports.n; i++)
		if (str_eq(r->ports.v[i].protocol, "udp"))
			return true;
	return false;
}

/* The reading end of the pipe whose other end the monitor keeps; made when there is none yet. */
static int open_keep(struct net_result *ret)
{
	char path[32];
	int pipe[2];

	if (ret->keep_fd >= 0)	/* the same pipe serves slirp4netns */
		return open(fd_path(ret->keep_fd, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd_pipe(pipe) < 0)
		return -1;
	ret->keep_fd = pipe[1];
	return pipe[0];
}

int udp_relay_start(struct arena *arena, const struct net_request *r, pid_t pid, const char *runtime_dir,
		    struct net_result *ret, struct error *err)
{
	struct relay *relay = arena_new_one(arena, struct relay);
	_cleanup_fd_ int netns = open(arena_printf(arena, "/proc/%d/ns/net", (int)pid), O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int keep = open_keep(ret);
	struct helper_report report;
	int result = -1;

	if (netns < 0 || keep < 0)
		return error_errno(err, "relay UDP ports");
	if (inet_pton(AF_INET, ret->ip ? ret->ip : "", &relay->container) != 1)
		return error_set(err, ERROR_FAILED, "publishing UDP ports needs an IPv4 address of the container");
	relay->netns = netns;
	relay->keep = keep;
	if (bind_ports(arena, r, relay, err) == 0)
		result = helper_between("the relay of UDP ports", runtime_dir, start_relay, relay, &report, err);
	close_ports(relay);
	return result < 0 ? -1 : helper_record(runtime_dir, report.pid, err);
}
