#include "gateway/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/sched.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/gateway.h"
#include "sys/netlink.h"
#include "sys/netlink_link.h"

#define BACKLOG 4096
#define RULE_PRIORITY 98
#define IDLE_S 120		/* then a container is asked whether it is still there */

/* --- what the kernel is told by files of /proc/sys/net, which show the namespace of whoever opens them */

struct setting {
	const char *path, *value;
	bool needed;
};

static const struct setting settings[] = {
	{ "ipv4/ip_forward", "1", true },
	{ "ipv6/conf/all/forwarding", "1", false },
	/* Packets of foreign addresses come back by out0. */
	{ "ipv4/conf/all/rp_filter", "0", true },
	{ "ipv4/conf/default/rp_filter", "0", false },
	{ "ipv4/conf/" GATEWAY_INTERFACE "/rp_filter", "0", true },
	{ "ipv4/conf/" GATEWAY_INTERFACE "/accept_local", "1", false },
	{ "ipv6/conf/" GATEWAY_INTERFACE "/accept_ra", "0", false },
	/* Else a first segment that meets a connection in TIME_WAIT belongs to that, and what belongs to somebody is not
	 * forwarded but dropped. */
	{ "ipv4/tcp_early_demux", "0", false },
	/* Only connections that the host's side has accepted are offered here: no flood, and an acknowledgement with a
	 * cookie would not be recognized. What a container that vanished leaves behind goes soon. */
	{ "ipv4/tcp_syncookies", "0", false },
	{ "ipv4/tcp_synack_retries", "2", false },
	{ "ipv4/tcp_retries2", "8", false },
	/* From and to a container there is no way to fill: what lies in larger queues is only colder when it is read. */
	{ "ipv4/tcp_rmem", "4096 131072 1048576", false },
	{ "ipv4/tcp_wmem", "4096 65536 1048576", false },
	/* Nor is anything lost. A control that paces, as the host's may do, costs three times the processor here. */
	{ "ipv4/tcp_congestion_control", "reno", false },
};

static bool has_value(int dir, const struct setting *s)
{
	_cleanup_fd_ int fd = openat(dir, s->path, O_RDONLY | O_CLOEXEC);
	char value[8] = "";

	return fd >= 0 && read(fd, value, sizeof(value) - 1) > 0 && value[0] == s->value[0];
}

/* Where /proc/sys is read-only, as in other engines' containers, the value may be right already. */
static int apply(const struct setting *s, struct error *err)
{
	_cleanup_fd_ int dir = open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = openat(dir, s->path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, s->value, strlen(s->value)) > 0)
		return 0;
	if (!s->needed || has_value(dir, s))
		return 0;
	return error_set(err, ERROR_DENIED, "cannot set /proc/sys/net/%s to %s", s->path, s->value);
}

static int apply_settings(struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(settings); i++)
		if (apply(&settings[i], err) < 0)
			return -1;
	return 0;
}

/* --- interface and routes */

static int set_mtu(int netlink, unsigned index, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
	uint32_t mtu = LINK_MTU;
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	netlink_request_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	return netlink_ask(netlink, &r, NULL, NULL, err) < 0 ? error_frame(err, "set the MTU of " GATEWAY_INTERFACE) : 0;
}

/* Everything by the interface, or (local) everything to this namespace itself, in the table of marked packets. */
static int add_route(int netlink, int family, unsigned index, bool local, struct error *err)
{
	struct rtmsg body = { .rtm_family = (uint8_t)family, .rtm_protocol = RTPROT_STATIC,
			      .rtm_scope = local ? RT_SCOPE_HOST : RT_SCOPE_LINK, .rtm_table = RT_TABLE_UNSPEC,
			      .rtm_type = local ? RTN_LOCAL : RTN_UNICAST };
	uint32_t table = local ? GATEWAY_MARK : RT_TABLE_MAIN;
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	netlink_request_add(&r, RTA_TABLE, &table, sizeof(table));
	netlink_request_add(&r, RTA_OIF, &index, sizeof(index));
	return netlink_ask(netlink, &r, NULL, NULL, err) < 0 ? error_frame(err, "add a route") : 0;
}

static int add_rule(int netlink, int family, struct error *err)
{
	struct fib_rule_hdr body = { .family = (uint8_t)family, .action = FR_ACT_TO_TBL };
	uint32_t number = GATEWAY_MARK, priority = RULE_PRIORITY;
	struct error failure = { 0 };
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add(&r, FRA_FWMARK, &number, sizeof(number));
	netlink_request_add(&r, FRA_TABLE, &number, sizeof(number));
	netlink_request_add(&r, FRA_PRIORITY, &priority, sizeof(priority));
	if (netlink_ask(netlink, &r, NULL, NULL, &failure) == 0 || failure.sys == EEXIST)
		return 0;
	if (err)
		*err = failure;
	return error_frame(err, "add a rule to the routes");
}

static int connect_family(int netlink, int family, unsigned index, struct error *err)
{
	uint8_t bytes[16];
	struct netlink_address own = { .family = family, .bytes = bytes, .length = family == AF_INET ? 32 : 128 };

	inet_pton(family, family == AF_INET ? GATEWAY_OWN : GATEWAY_OWN6, bytes);
	if (netlink_link_add_address(netlink, index, &own, err) < 0 || add_route(netlink, family, index, false, err) < 0)
		return -1;
	/* lo is the first interface of every network namespace. */
	return add_route(netlink, family, 1, true, err) < 0 || add_rule(netlink, family, err) < 0 ? -1 : 0;
}

static int make_interface(bool without_tun, struct setup *ret, struct error *err)
{
	_cleanup_fd_ int netlink = netlink_open();
	struct netlink_link lo, out;

	if (netlink < 0)
		return error_errno(err, "open a netlink socket");
	if (link_open(netlink, without_tun, &ret->link, err) < 0 ||
	    netlink_link_find(netlink, "lo", &lo, err) < 0 || netlink_link_set_up(netlink, lo.index, err) < 0 ||
	    netlink_link_find(netlink, GATEWAY_INTERFACE, &out, err) < 0 || set_mtu(netlink, out.index, err) < 0 ||
	    apply_settings(err) < 0 || netlink_link_set_up(netlink, out.index, err) < 0 ||
	    connect_family(netlink, AF_INET, out.index, err) < 0)
		return -1;
	connect_family(netlink, AF_INET6, out.index, NULL);	/* a kernel without IPv6 is no failure */
	return 0;
}

/* --- listening sockets */

static int listen_on(int family)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(GATEWAY_PORT),
				    .sin6_addr = in6addr_loopback };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = in6.sin6_port,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	_cleanup_fd_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool v4 = family == AF_INET;
	int on = 1, idle = IDLE_S;

	if (fd < 0)
		return -1;
	/* What is accepted has these, too. Nothing is lost between here and the containers: pacing would only cost. */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof(on)) < 0 ||
	    bind(fd, v4 ? (void *)&in : (void *)&in6, v4 ? sizeof(in) : sizeof(in6)) < 0 || listen(fd, BACKLOG) < 0)
		return -1;
	return fd_take(&fd);
}

/* The worker of a supervisor that was killed a moment ago may not have ended yet. */
static int listen_patiently(int family)
{
	int fd;

	for (int tries = 0; (fd = listen_on(family)) < 0 && errno == EADDRINUSE && tries < 200; tries++)
		poll(NULL, 0, 10);
	return fd;
}

static int open_all(int netns, bool without_tun, struct setup *ret, struct error *err)
{
	if (setns(netns, CLONE_NEWNET) < 0)
		return error_errno(err, "enter the network namespace");
	if (make_interface(without_tun, ret, err) < 0)
		return -1;
	ret->listener[0] = listen_patiently(AF_INET);
	ret->listener[1] = listen_patiently(AF_INET6);
	return ret->listener[0] < 0 ? error_errno(err, "make a transparent socket") : 0;
}

/* --- the child */

struct report {
	struct setup setup;
	struct error error;
};

_Static_assert(sizeof(struct report) <= 4096, "a report crosses its pipe in one write");

/* fork() with a common table of descriptors. */
static pid_t fork_with_table(void)
{
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int setup_make(int netns, bool without_tun, struct setup *ret, struct error *err)
{
	struct report report = { 0 };
	int pipe[2], status;
	ssize_t n;
	pid_t pid;

	if (fd_pipe(pipe) < 0 || (pid = fork_with_table()) < 0)
		return error_errno(err, "start a process");
	if (pid == 0) {
		open_all(netns, without_tun, &report.setup, &report.error);
		_exit(fd_write_all(pipe[1], &report, sizeof(report)) < 0);
	}
	waitpid(pid, &status, 0);	/* what it wrote waits in the pipe */
	fd_close(&pipe[1]);
	n = fd_read_all(pipe[0], &report, sizeof(report));
	fd_close(&pipe[0]);
	if (n != (ssize_t)sizeof(report))
		return error_set(err, ERROR_FAILED, "the process in the network namespace ended without a word");
	if (report.error.kind != ERROR_NONE) {
		*err = report.error;
		return -1;
	}
	*ret = report.setup;
	return 0;
}
