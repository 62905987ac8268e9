/* Published ports of bryo-monitor, among three networks: the host's (where the test stands), that of the bridges, and the
 * container's. Addresses of the documentation's ranges on the host's loopback interface are the clients from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/attach.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/forward.h"
#include "sys/pidfd.h"

#define ROW 60			/* where the monitor finds its row of descriptors */
#define PATIENCE_MS 20000

/* The container's ports. */
enum { WHO = 80, NOTHING = 81, SINK = 82, ECHO = 83, RESET = 84, DATAGRAMS = 90 };

static struct {
	pid_t bridges, container, server;	/* who keep the networks, and the container's server */
	const char *refused;		/* why the networks cannot be made */
} world;

struct fixture {
	char path[40];
	struct forward_plan *plan;
	int sockets[8], n;
	unsigned port[8];
	pid_t monitor, child;
	rlim_t files;
};

static const char network[] =
	"set -e\n"
	"ip link set lo up\n"
	"for a in 198.51.100.1 198.51.100.7 10.88.9.9; do ip addr add $a/32 dev lo; done\n"
	"for a in 2001:db8::1 2001:db8::7; do ip -6 addr add $a/128 dev lo nodad; done\n"
	"nsenter --net=/proc/$BRIDGES/ns/net sh -e -c '\n"
	"	ip link set lo up\n"
	"	ip link add br1 type bridge && ip addr add 10.88.0.1/16 dev br1 && ip -6 addr add fd88::1/64 dev br1 nodad\n"
	"	ip link add v1 mtu 65520 type veth peer name eth0 mtu 65520 netns '$CONTAINER'\n"
	"	ip link set v1 master br1 up && ip link set br1 up\n"
	"	ip rule add fwmark 1 lookup 100 && ip route add local default dev lo table 100\n"
	"	ip -6 rule add fwmark 1 lookup 100 && ip -6 route add local default dev lo table 100\n"
	"	nft \"table inet t { chain c { type filter hook prerouting priority mangle;"
	"		meta l4proto { tcp, udp } socket transparent 1 meta mark set 1; }; }\"'\n"
	"nsenter --net=/proc/$CONTAINER/ns/net sh -e -c '\n"
	"	ip link set lo up && ip addr add 10.88.0.2/16 dev eth0 && ip -6 addr add fd88::2/64 dev eth0 nodad\n"
	"	ip link set eth0 up && ip route add default via 10.88.0.1 && ip -6 route add default via fd88::1'\n";

/* --- the container's server */

static void print_peer(const struct sockaddr_storage *peer, char *ret, size_t size)
{
	const struct sockaddr_in6 *v6 = (const void *)peer;
	const struct sockaddr_in *v4 = (const void *)peer;
	char text[INET6_ADDRSTRLEN] = "?";
	bool mapped = peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

	if (mapped)
		inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof(text));
	else
		inet_ntop(peer->ss_family, peer->ss_family == AF_INET6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, text, sizeof(text));
	snprintf(ret, size, "%s %u", text, ntohs(peer->ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port));
}

static void until_end(int fd)
{
	char data[4096];

	while (read(fd, data, sizeof(data)) > 0)
		;
}

static void echo(int fd)
{
	static char data[65536];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		if (fd_write_all(fd, data, (size_t)n) < 0)
			return;
}

static void serve_one(int port, int fd, const struct sockaddr_storage *peer)
{
	char text[80];

	switch (port) {
	case WHO:
		print_peer(peer, text, sizeof(text));
		fd_write_all(fd, text, strlen(text));
		shutdown(fd, SHUT_WR);
		until_end(fd);
		break;
	case ECHO:
		if (fork() == 0) {
			echo(fd);
			_exit(0);
		}
		break;
	case RESET:
		if (read(fd, text, 1) == 1)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
		break;
	}
	if (port != SINK)
		close(fd);
}

static int open_socket(int type, const char *ip, unsigned port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), on = 1;

	inet_pton(AF_INET6, ip, &address.sin6_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (fd < 0 || bind(fd, (void *)&address, sizeof(address)) < 0 || (type == SOCK_STREAM && listen(fd, 4096) < 0)) {
		perror("open_socket");
		_exit(99);
	}
	return fd;
}

static _Noreturn void serve_port(int port, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		int client = accept(fd, (void *)&peer, &size);

		if (client >= 0)
			serve_one(port, client, &peer);
	}
}

static _Noreturn void serve_datagrams(int fd)
{
	for (;;) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		static char data[60000], text[60100];
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (void *)&peer, &size);
		char from[80];

		print_peer(&peer, from, sizeof(from));
		if (n > 0)
			sendto(fd, text, (size_t)snprintf(text, sizeof(text), "%s %.*s", from, (int)n, data), 0, (void *)&peer, size);
	}
}

static void run_server(int ready)
{
	static const int ports[] = { WHO, SINK, ECHO, RESET };
	char path[40];
	int ns, datagrams;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)world.container);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		_exit(99);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		int fd = open_socket(SOCK_STREAM, "::", (unsigned)ports[i]);

		if (fork() == 0) {
			close(ready);
			serve_port(ports[i], fd);
		}
		close(fd);
	}
	datagrams = open_socket(SOCK_DGRAM, "::", DATAGRAMS);
	close(ready);
	serve_datagrams(datagrams);
}

/* --- the networks */

static pid_t keep_network(void)
{
	int pipe[2];
	pid_t pid;
	char c;

	if (pipe2(pipe, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0 || write(pipe[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipe[1]);
	if (read(pipe[0], &c, 1) != 1)
		pid = -1;
	close(pipe[0]);
	return pid;
}

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;

	close(fd);
	return good;
}

static bool become_root(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", getuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getgid());
	if (getuid() == 0 && unshare(CLONE_NEWNET) == 0)
		return true;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write_to("/proc/self/setgroups", "deny") &&
	       write_to("/proc/self/uid_map", uid) && write_to("/proc/self/gid_map", gid);
}

static int run_script(const char *script)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int make_world(void **state)
{
	char text[16];
	int ready[2];

	if (!become_root() || (world.bridges = keep_network()) < 0 || (world.container = keep_network()) < 0) {
		world.refused = "namespaces are refused here";
		return 0;
	}
	snprintf(text, sizeof(text), "%d", (int)world.bridges);
	setenv("BRIDGES", text, 1);
	snprintf(text, sizeof(text), "%d", (int)world.container);
	setenv("CONTAINER", text, 1);
	setenv("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", 1);
	if (run_script("command -v ip nft nsenter >/dev/null") < 0) {
		world.refused = "ip (iproute2), nft (nftables) and nsenter are needed";
		return 0;
	}
	if (run_script(network) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	world.server = fork();
	if (world.server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		run_server(ready[1]);
	}
	close(ready[1]);
	until_end(ready[0]);
	return 0;
}

static int end_world(void **state)
{
	const pid_t all[] = { world.server, world.bridges, world.container };

	for (int i = 0; i < 3; i++)
		if (all[i] > 0) {
			kill(all[i], SIGKILL);
			waitpid(all[i], NULL, 0);
		}
	return 0;
}

/* --- the monitor */

static void set_address(struct forward_address *a, const char *text, uint8_t prefix)
{
	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	a->prefix = prefix;
	assert_int_equal(inet_pton(a->family, text, a->bytes), 1);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	strcpy(f->path, "/tmp/forward-test-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->plan = calloc(1, sizeof(*f->plan) + sizeof(f->sockets));
	f->plan->magic = FORWARD_MAGIC;
	f->plan->keeps_client[0] = f->plan->keeps_client[1] = 1;
	set_address(&f->plan->target[0], "10.88.0.2", 32);
	set_address(&f->plan->target[1], "fd88::2", 128);
	set_address(&f->plan->subnet[0], "10.88.0.0", 16);
	set_address(&f->plan->subnet[1], "fd88::", 64);
	return 0;
}

static void end_monitor(struct fixture *f)
{
	if (f->monitor > 0) {
		kill(f->monitor, SIGKILL);
		waitpid(f->monitor, NULL, 0);
		kill(f->child, SIGKILL);
	}
	f->monitor = 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	end_monitor(f);
	for (int i = 0; i < f->n; i++)
		fd_close(&f->sockets[i]);
	fd_remove_tree(AT_FDCWD, f->path);
	free(f->plan);
	free(f);
	return 0;
}

/* A socket of the host's network, for this port of the container. */
static void publish(struct fixture *f, int protocol, uint16_t target)
{
	int fd = open_socket(protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, "::", 0);
	struct sockaddr_in6 name;
	socklen_t size = sizeof(name);

	assert_int_equal(getsockname(fd, (void *)&name, &size), 0);
	fd_set_nonblock(fd, true);
	f->port[f->n] = ntohs(name.sin6_port);
	f->plan->port[f->n] = (struct forward_port){ .target = target, .protocol = (uint8_t)protocol };
	f->sockets[f->n++] = fd;
}

static int open_network(pid_t pid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static _Noreturn void become_monitor(struct fixture *f)
{
	struct monitor_config c = { .magic = MONITOR_CONFIG_MAGIC, .size = sizeof(c), .console = -1, .stdin_fd = -1,
				    .stdout_fd = -1, .stderr_fd = -1, .lock_fd = -1, .client_fd = -1, .keep_fd = -1,
				    .events_fd = -1, .cgroup_fd = -1, .forward_first = ROW,
				    .forward_n = FORWARD_FIRST_SOCKET + (unsigned)f->n };
	int plan = memfd_create("plan", MFD_CLOEXEC), config = memfd_create("config", 0), row[16];
	char number[16];

	f->plan->ports = (uint32_t)f->n;
	f->plan->size = (uint32_t)(sizeof(*f->plan) + (unsigned)f->n * sizeof(f->plan->port[0]));
	fd_write_all(plan, f->plan, f->plan->size);
	row[FORWARD_PLAN] = plan;
	row[FORWARD_NETNS] = open_network(world.bridges);
	memcpy(row + FORWARD_FIRST_SOCKET, f->sockets, sizeof(f->sockets));
	for (unsigned i = 0; i < c.forward_n; i++)
		if (dup2(row[i], ROW + (int)i) < 0)
			_exit(99);
	c.pid = f->child;
	c.pidfd = pidfd_open_pid(c.pid);
	c.dir_fd = c.run_fd = fd_open_dir(AT_FDCWD, f->path);
	fd_set_cloexec(c.pidfd, false);
	fd_set_cloexec(c.dir_fd, false);
	fd_write_all(config, &c, sizeof(c));
	if (f->files)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ f->files, f->files });
	snprintf(number, sizeof(number), "%d", config);
	execl(getenv("BRYO_MONITOR"), "bryo-monitor", number, NULL);
	_exit(98);
}

static void start(struct fixture *f)
{
	int report[2];

	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	f->monitor = fork();
	if (f->monitor == 0) {
		f->child = fork();
		if (f->child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		if (write(report[1], &f->child, sizeof(f->child)) != sizeof(f->child))
			_exit(99);
		become_monitor(f);
	}
	close(report[1]);
	assert_int_equal(read(report[0], &f->child, sizeof(f->child)), sizeof(f->child));
	close(report[0]);
	for (int i = 0; i < f->n; i++)	/* the monitor's are the only ones */
		fd_close(&f->sockets[i]);
}

/* The forwarder, 0 when there is none. */
static pid_t forwarder_of(struct fixture *f)
{
	char path[64], text[64] = "";
	FILE *file;
	long pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)f->monitor, (int)f->monitor);
	file = fopen(path, "re");
	while (file && fscanf(file, "%ld", &pid) == 1 && pid == f->child)
		pid = 0;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = pid ? fopen(path, "re") : NULL;
	if (file && !fgets(text, sizeof(text), file))
		text[0] = 0;
	if (file)
		fclose(file);
	return strcmp(text, "bryo-forward\n") == 0 ? (pid_t)pid : 0;
}

static int count_descriptors(pid_t pid)
{
	char path[40];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* --- clients */

static int connect_from(const char *from, const char *to, unsigned port, int type)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 }, b = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET6, to, &b.sin6_addr), 1);
	if (from) {
		assert_int_equal(inet_pton(AF_INET6, from, &a.sin6_addr), 1);
		assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = PATIENCE_MS / 1000 }, sizeof(struct timeval));
	if (connect(fd, (void *)&b, sizeof(b)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_to(struct fixture *f, int index)
{
	int fd = connect_from(NULL, "::1", f->port[index], SOCK_STREAM);

	assert_true(fd >= 0);
	return fd;
}

static unsigned own_port(int fd)
{
	struct sockaddr_in6 name;
	socklen_t size = sizeof(name);

	assert_int_equal(getsockname(fd, (void *)&name, &size), 0);
	return ntohs(name.sin6_port);
}

/* What the container's server says of its peer. */
static const char *who(struct fixture *f, const char *from, const char *to)
{
	static char text[80];
	int fd = connect_from(from, to, f->port[0], SOCK_STREAM);
	ssize_t n;

	assert_true(fd >= 0);
	n = fd_read_all(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	if (strtoul(strchr(text, ' '), NULL, 10) == own_port(fd))
		snprintf(strchr(text, ' '), 20, " same");
	else
		*strchr(text, ' ') = 0;
	close(fd);
	return text;
}

#define NEEDS_WORLD()                                   \
	do {                                            \
		if (world.refused) {                    \
			print_message("%s\n", world.refused); \
			skip();                         \
		}                                       \
	} while (0)

static void the_client_is_seen(void **state)
{
	struct fixture *f = *state;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, WHO);
	start(f);
	assert_string_equal(who(f, "::ffff:198.51.100.7", "::ffff:198.51.100.1"), "198.51.100.7 same");
	assert_string_equal(who(f, "2001:db8::7", "2001:db8::1"), "2001:db8::7 same");
}

static void whom_the_container_could_not_answer_looks_like_the_gateway(void **state)
{
	struct fixture *f = *state;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, WHO);
	start(f);
	assert_string_equal(who(f, NULL, "::ffff:127.0.0.1"), "10.88.0.1");
	assert_string_equal(who(f, NULL, "::1"), "fd88::1");
	assert_string_equal(who(f, "::ffff:10.88.9.9", "::ffff:198.51.100.1"), "10.88.0.1");
}

static void families_need_not_agree(void **state)
{
	struct fixture *f = *state;

	NEEDS_WORLD();
	f->plan->target[1].family = 0;
	publish(f, IPPROTO_TCP, WHO);
	start(f);
	assert_string_equal(who(f, "2001:db8::7", "2001:db8::1"), "10.88.0.1");
}

static void without_the_rule_nobody_is_imitated(void **state)
{
	struct fixture *f = *state;

	NEEDS_WORLD();
	f->plan->keeps_client[0] = 0;
	publish(f, IPPROTO_TCP, WHO);
	start(f);
	assert_string_equal(who(f, "::ffff:198.51.100.7", "::ffff:198.51.100.1"), "10.88.0.1");
}

static void one_client_uses_two_ports_of_the_host(void **state)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6 };
	struct fixture *f = *state;
	socklen_t size = sizeof(name);
	int fd[2], on = 1;
	char text[80];

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, SINK);
	publish(f, IPPROTO_TCP, ECHO);
	f->plan->port[0].target = ECHO;	/* both lead to the same port */
	start(f);
	inet_pton(AF_INET6, "::ffff:198.51.100.7", &name.sin6_addr);
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)f->port[i]) };

		inet_pton(AF_INET6, "::ffff:198.51.100.1", &to.sin6_addr);
		fd[i] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(fd[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		assert_int_equal(bind(fd[i], (void *)&name, sizeof(name)), 0);
		assert_int_equal(getsockname(fd[i], (void *)&name, &size), 0);
		assert_int_equal(connect(fd[i], (void *)&to, sizeof(to)), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write(fd[i], "hello", 5), 5);
		assert_int_equal(read(fd[i], text, sizeof(text)), 5);
		close(fd[i]);
	}
}

static int read_error(int fd)
{
	char c;
	ssize_t n = read(fd, &c, 1);

	return n < 0 ? errno : n == 0 ? 0 : -1;
}

static void refusals_and_resets_arrive(void **state)
{
	struct fixture *f = *state;
	int fd;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, NOTHING);
	publish(f, IPPROTO_TCP, RESET);
	start(f);
	fd = connect_to(f, 0);
	assert_int_equal(read_error(fd), ECONNRESET);
	close(fd);
	fd = connect_to(f, 1);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read_error(fd), ECONNRESET);
	close(fd);
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

/* Sends n bytes and their end, and expects the same back; the reader may rest now and then. */
static void send_and_receive(int fd, size_t n, bool slowly)
{
	pid_t sender = fork();
	static char data[300000];
	size_t got = 0;
	ssize_t r;

	if (sender == 0) {
		for (size_t sent = 0, part; sent < n; sent += part) {
			part = n - sent < sizeof(data) ? n - sent : sizeof(data);
			for (size_t i = 0; i < part; i++)
				data[i] = (char)byte_at(sent + i);
			if (fd_write_all(fd, data, part) < 0)
				_exit(1);
		}
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	while ((r = read(fd, data, slowly ? 50000 : sizeof(data))) > 0) {
		for (ssize_t i = 0; i < r; i++)
			if ((uint8_t)data[i] != byte_at(got + (size_t)i))
				fail_msg("byte %zu is wrong", got + (size_t)i);
		got += (size_t)r;
		if (slowly && got % 7 == 0)
			nap();
	}
	assert_int_equal(r, 0);
	assert_int_equal(got, n);
	waitpid(sender, NULL, 0);
}

static void every_byte_arrives_and_the_end_too(void **state)
{
	static const size_t sizes[] = { 0, 1, 8191, 8192, 8193, 65536, 1000003, 40000000 };
	struct fixture *f = *state;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, ECHO);
	start(f);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int slowly = 0; slowly < 2; slowly++) {
			int fd = connect_to(f, 0);

			send_and_receive(fd, sizes[i] / (slowly ? 4 : 1), slowly);
			close(fd);
		}
}

static void who_does_not_read_stops_who_writes(void **state)
{
	struct fixture *f = *state;
	static char data[65536];
	size_t n = 0;
	int fd;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, SINK);
	publish(f, IPPROTO_TCP, ECHO);
	start(f);
	fd = connect_to(f, 0);
	fd_set_nonblock(fd, true);
	for (int quiet = 0; quiet < 30; nap(), quiet++)
		for (ssize_t r; (r = write(fd, data, sizeof(data))) > 0; quiet = 0)
			n += (size_t)r;
	assert_true(n > 65536 && n < 64 << 20);
	/* Others are served meanwhile. */
	int other = connect_to(f, 1);

	send_and_receive(other, 3000000, false);
	close(other);
	close(fd);
}

static void short_connections_leave_nothing(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, WHO);
	start(f);
	who(f, NULL, "::1");
	pid = forwarder_of(f);
	assert_true(pid > 0);
	for (int i = 0; i < 3000; i++) {
		int fd = connect_to(f, 0);

		if (i % 3 == 0)		/* one in three breaks off at once */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
		else if (i % 3 == 1)
			until_end(fd);
		close(fd);
	}
	/* Left are /dev/null, the row, epoll, and pipes for the next. */
	for (int i = 0; i < 500 && count_descriptors(pid) > 3 + 3 + 1 + 2 * 16; i++)
		nap();
	assert_in_range(count_descriptors(pid), 3 + 3 + 1, 3 + 3 + 1 + 2 * 16);
	assert_int_equal(forwarder_of(f), pid);
}

static void a_killed_forwarder_is_replaced(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, WHO);
	start(f);
	assert_int_equal(forwarder_of(f), 0);
	assert_string_equal(who(f, NULL, "::1"), "fd88::1");
	pid = forwarder_of(f);
	assert_true(pid > 0);
	kill(pid, SIGKILL);
	assert_string_equal(who(f, NULL, "::1"), "fd88::1");
	assert_int_not_equal(forwarder_of(f), pid);
}

static void it_ends_when_nobody_is_left(void **state)
{
	struct fixture *f = *state;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, WHO);
	publish(f, IPPROTO_TCP, ECHO);
	start(f);
	who(f, NULL, "::1");
	assert_true(forwarder_of(f) > 0);
	for (int i = 0; i < PATIENCE_MS / 10 && forwarder_of(f); i++)
		nap();
	assert_int_equal(forwarder_of(f), 0);
	assert_string_equal(who(f, NULL, "::1"), "fd88::1");
}

static void more_connections_than_descriptors_wait(void **state)
{
	struct fixture *f = *state;
	int fd[40];
	char c;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, ECHO);
	f->files = ROW + 20;		/* a dozen connections or two, and what lies below the row */
	start(f);
	for (int i = 0; i < 40; i++) {
		fd[i] = connect_to(f, 0);
		assert_int_equal(write(fd[i], "x", 1), 1);
	}
	assert_int_equal(read(fd[0], &c, 1), 1);
	for (int i = 0; i < 40; i++) {	/* each that goes makes room for one that waits */
		if (i > 0)
			assert_int_equal(read(fd[i], &c, 1), 1);
		close(fd[i]);
	}
}

static bool is_free(unsigned port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, r;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	r = bind(fd, (void *)&address, sizeof(address));
	if (r == 0)
		r = listen(fd, 1);
	close(fd);
	return r == 0;
}

static void await_free(unsigned port)
{
	for (int i = 0; i < PATIENCE_MS / 10 && !is_free(port); i++)
		nap();
	assert_true(is_free(port));
}

static void the_port_is_free_after_the_container(void **state)
{
	struct fixture *f = *state;
	int fd;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, ECHO);
	start(f);
	fd = connect_to(f, 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read_error(fd), -1);
	assert_false(is_free(f->port[0]));
	kill(f->child, SIGKILL);
	assert_int_equal(waitpid(f->monitor, NULL, 0), f->monitor);
	f->monitor = 0;
	assert_int_not_equal(read_error(fd), -1);
	await_free(f->port[0]);
	close(fd);
}

static void the_port_is_free_after_a_killed_monitor(void **state)
{
	struct fixture *f = *state;
	int fd;

	NEEDS_WORLD();
	publish(f, IPPROTO_TCP, ECHO);
	start(f);
	fd = connect_to(f, 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read_error(fd), -1);
	end_monitor(f);
	await_free(f->port[0]);
	close(fd);
}

static const char *ask(struct fixture *f, const char *from, const char *to, const char *question)
{
	static char text[60100];
	int fd = connect_from(from, to, f->port[0], SOCK_DGRAM);
	ssize_t n = -1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_usec = 500000 }, sizeof(struct timeval));
	for (int i = 0; i < 20 && n < 0; i++)	/* datagrams may be lost */
		if (send(fd, question, strlen(question), 0) >= 0)
			n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = 0;
	if (strtoul(strchr(text, ' '), NULL, 10) == own_port(fd))
		memmove(strchr(text, ' '), strrchr(text, ' '), strlen(strrchr(text, ' ')) + 1);
	close(fd);
	return text;
}

static void datagrams_go_both_ways(void **state)
{
	static char large[50001];
	struct fixture *f = *state;

	NEEDS_WORLD();
	publish(f, IPPROTO_UDP, DATAGRAMS);
	start(f);
	assert_string_equal(ask(f, "::ffff:198.51.100.7", "::ffff:198.51.100.1", "q"), "198.51.100.7 q");
	assert_string_equal(ask(f, "2001:db8::7", "2001:db8::1", "r"), "2001:db8::7 r");
	assert_non_null(strstr(ask(f, NULL, "::ffff:127.0.0.1", "s"), "10.88.0.1 "));
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(strlen(ask(f, "::ffff:198.51.100.7", "::ffff:198.51.100.1", large)), strlen("198.51.100.7 ") + 50000);
}

static void many_clients_of_a_udp_port(void **state)
{
	struct fixture *f = *state;

	NEEDS_WORLD();
	publish(f, IPPROTO_UDP, DATAGRAMS);
	start(f);
	for (int i = 0; i < 2500; i++)	/* more than have a place */
		assert_string_equal(ask(f, "::ffff:198.51.100.7", "::ffff:198.51.100.1", "q"), "198.51.100.7 q");
}

#define FORWARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FORWARD_TEST(the_client_is_seen), FORWARD_TEST(whom_the_container_could_not_answer_looks_like_the_gateway),
		FORWARD_TEST(families_need_not_agree), FORWARD_TEST(without_the_rule_nobody_is_imitated),
		FORWARD_TEST(one_client_uses_two_ports_of_the_host), FORWARD_TEST(refusals_and_resets_arrive),
		FORWARD_TEST(every_byte_arrives_and_the_end_too), FORWARD_TEST(who_does_not_read_stops_who_writes),
		FORWARD_TEST(short_connections_leave_nothing), FORWARD_TEST(a_killed_forwarder_is_replaced),
		FORWARD_TEST(it_ends_when_nobody_is_left), FORWARD_TEST(more_connections_than_descriptors_wait),
		FORWARD_TEST(the_port_is_free_after_the_container), FORWARD_TEST(the_port_is_free_after_a_killed_monitor),
		FORWARD_TEST(datagrams_go_both_ways), FORWARD_TEST(many_clients_of_a_udp_port),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_world, end_world);
}
