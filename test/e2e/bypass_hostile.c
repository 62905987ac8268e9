/* bypass_hostile - what a container may try with sockets of the host's network, and what must come of it
 *
 * usage: bypass_hostile CHECK OUTSIDE PORT LOOPBACK-PORT [HOST PUBLISHED-PORT]
 *
 * Runs in a container with socket bypass. OUTSIDE:PORT listens outside; on LOOPBACK-PORT listens a program of the host's, on
 * 127.0.0.1 alone, that no container may ever reach. The container itself has nothing at that port. Silent and 0 when all is
 * as it must be. A connect with an address of ODD bytes is legal and is not notified: so the locks are tried alone.
 * With HOST:PUBLISHED-PORT, which is the container's port 80, the sockets are accepted ones: OUTSIDE:7002 visits the port. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bypass_hostile.h"

#define ODD 20
#define ROUNDS 3000
#define BINDTOIFINDEX 62
#define IO_URING_SETUP 425

struct sockaddr_in outside;
const char *host;
static struct sockaddr_in loopback;
static unsigned published;
static const char *check;

void need(int good, const char *what)
{
	if (good)
		return;
	printf("%s: %s (%s)\n", check, what, strerror(errno));
	exit(1);
}

int new_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	need(fd >= 0, "socket");
	return fd;
}

static int connect_in(int fd, const struct sockaddr_in *to, socklen_t size)
{
	struct sockaddr_storage address = { 0 };

	memcpy(&address, to, sizeof(*to));
	return connect(fd, (struct sockaddr *)&address, size);
}

static int disconnect(int fd)
{
	return connect(fd, (struct sockaddr *)&(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr));
}

int device_of(int fd)
{
	socklen_t size = sizeof(int);
	int device = 0;

	need(getsockopt(fd, SOL_SOCKET, BINDTOIFINDEX, &device, &size) == 0, "SO_BINDTOIFINDEX");
	return device;
}

int get_int(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	need(getsockopt(fd, level, name, &value, &size) == 0, "getsockopt");
	return value;
}

/* --- visitors of the published port */

#define VISITS 7002

int listener_of(int family, int flags)
{
	struct sockaddr_in6 any = { .sin6_family = (sa_family_t)family, .sin6_port = htons(80) };
	int fd = socket(family, SOCK_STREAM | flags, 0), on = 1;

	need(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0, "socket");
	need(bind(fd, (struct sockaddr *)&any, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(any)) == 0, "bind");
	need(listen(fd, 1000) == 0, "listen to port 80");
	return fd;
}

int visit(const char *text)
{
	struct sockaddr_in to = outside;
	int fd = new_socket(SOCK_CLOEXEC);

	to.sin_port = htons(VISITS);
	need(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "connect to who visits");
	need(dprintf(fd, "tcp %s %u %s\n", host, published, text) > 0, "ask for a visit");
	return fd;
}

void await(int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	need(poll(&p, 1, 5000) == 1, what);
}

int accept_visitor(int listener, int flags)
{
	int fd;

	await(listener, "nobody came");
	fd = accept4(listener, NULL, NULL, flags);
	need(fd >= 0, "accept");
	return fd;
}

void converse(int visitor, int fd, const char *text)
{
	char said[200] = { 0 };
	ssize_t n = 0, got;

	fcntl(fd, F_SETFL, 0);
	while (!strstr(said, "\r\n\r\n") && (got = read(fd, said + n, sizeof(said) - 1 - (size_t)n)) > 0)
		n += got;
	need(strncmp(said, text, strlen(text)) == 0 && (size_t)n == strlen(text) + 4, "what the visitor said");
	need(write(fd, "answer\n", 7) == 7, "answer");
	close(fd);
	memset(said, 0, sizeof(said));
	for (n = 0; (got = read(visitor, said + n, sizeof(said) - 1 - (size_t)n)) > 0; n += got)
		;
	need(strcmp(said, "answer\n") == 0, "what he was answered");
	close(visitor);
}

/* --- */

/* Only a socket that was handed over has a device. */
static int handed_over(void)
{
	static int listener = -1;
	int fd = host ? -1 : new_socket(0);

	if (host) {
		if (listener < 0)
			listener = listener_of(AF_INET, SOCK_CLOEXEC);
		visit("left alone");
		fd = accept_visitor(listener, 0);
		need(device_of(fd) > 0, "it was not handed over");
		return fd;
	}

	need(connect_in(fd, &outside, sizeof(outside)) == 0, "connect to outside");
	need(device_of(fd) > 0, "it was not bypassed");
	return fd;
}

static int is_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	poll(&p, 1, 300);
	return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

/* --- the locks, without a filter in the way */

int idle_handed_over(void)
{
	int fd = handed_over();

	need(disconnect(fd) == 0, "disconnect");
	need(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
	return fd;
}

static void no_loopback(void)
{
	static const char *const forms[] = { "127.0.0.1", "127.1.2.3", "0.0.0.0" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct sockaddr_in to = loopback;
		int fd = idle_handed_over();

		inet_pton(AF_INET, forms[i], &to.sin_addr);
		connect_in(fd, &to, ODD);
		need(!is_connected(fd), forms[i]);
		close(fd);
	}
}

static void no_fast_open(void)
{
	int fd = idle_handed_over(), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &on, sizeof(on));
	sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&loopback, sizeof(loopback));
	need(!is_connected(fd), "sendto reached the host's loopback");
}

static void no_other_device(void)
{
	int fd = handed_over(), device = device_of(fd);

	for (int i = 0; i < 2; i++) {		/* connected, and not */
		for (int to = 0; to < 3; to++)
			if (to != device)
				need(setsockopt(fd, SOL_SOCKET, BINDTOIFINDEX, &to, sizeof(to)) < 0, "another device");
		need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0, "the loopback device");
		need(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1) < 0, "no device");
		need(disconnect(fd) == 0 && device_of(fd) == device, "disconnected, it keeps its device");
	}
}

static void no_other_port(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(8123) };
	int fd = handed_over();

	need(bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0, "bind while connected");
	need(disconnect(fd) == 0, "disconnect");
	need(bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 && errno == EINVAL, "bind after it was connected");
}

static void no_listening(void)
{
	int fd = idle_handed_over();

	need(listen(fd, 5) < 0 && errno == EINVAL, "listen");
	need(!get_int(fd, SOL_SOCKET, SO_ACCEPTCONN), "it listens");
	need(syscall(IO_URING_SETUP, 1, NULL) < 0 && (errno == ENOSYS || errno == EPERM), "io_uring");
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(363L), "b"((long)fd), "c"(5L) : "memory");
	need(result < 0 && !get_int(fd, SOL_SOCKET, SO_ACCEPTCONN), "listen of 32 bits");
#endif
}

static void no_power(void)
{
	int fd = handed_over(), mark = 1;

	need(ioctl(fd, SIOCGSKNS) < 0, "its network namespace can be had");
	need(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0, "SO_MARK");
}

/* --- races */

atomic_int stop;
static struct sockaddr_storage shared;
static int unix_fd, host_fd, raced;

static void *swap_addresses(void *unused)
{
	(void)unused;
	while (!stop) {
		memcpy(&shared, &outside, sizeof(outside));
		memcpy(&shared, &loopback, sizeof(loopback));
		shared.ss_family = AF_UNSPEC;
	}
	return NULL;
}

static void *swap_descriptors(void *unused)
{
	(void)unused;
	while (!stop) {
		dup2(unix_fd, raced);
		dup2(host_fd, raced);
	}
	return NULL;
}

static void connect_raced(void)
{
	pthread_t threads[2];

	unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	host_fd = idle_handed_over();
	raced = dup(unix_fd);
	need(pthread_create(&threads[0], NULL, swap_addresses, NULL) == 0, "thread");
	need(pthread_create(&threads[1], NULL, swap_descriptors, NULL) == 0, "thread");
	for (int i = 0; i < ROUNDS; i++) {
		struct sockaddr_in peer = { 0 };
		socklen_t size = sizeof(peer);

		connect(raced, (struct sockaddr *)&shared, sizeof(struct sockaddr_in));
		if (getpeername(host_fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET)
			need(peer.sin_port != loopback.sin_port, "a race reached the host's loopback");
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void listen_raced(void)
{
	pthread_t thread;

	unix_fd = new_socket(0);
	host_fd = idle_handed_over();
	raced = dup(unix_fd);
	need(pthread_create(&thread, NULL, swap_descriptors, NULL) == 0, "thread");
	for (int i = 0; i < ROUNDS; i++) {
		listen(raced, 5);
		need(!get_int(host_fd, SOL_SOCKET, SO_ACCEPTCONN), "a race made it listen");
	}
	stop = 1;
	pthread_join(thread, NULL);
	need(get_int(unix_fd, SOL_SOCKET, SO_ACCEPTCONN), "the container's own does not listen");
}

/* --- what must take the normal path */

static void need_normal(int fd, const char *what)
{
	need(device_of(fd) == 0, what);
	close(fd);
}

static void normal_path(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = new_socket(0), other;

	other = dup(fd);
	need(connect_in(fd, &outside, sizeof(outside)) == 0 && is_connected(other), "the duplicate is connected, too");
	need_normal(fd, "duplicated");
	fd = new_socket(0);
	need(bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0, "bind");
	need(connect_in(fd, &outside, sizeof(outside)) == 0, "connect a bound socket");
	need_normal(fd, "bound");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	need(connect_in(fd, &outside, sizeof(outside)) == 0, "connect UDP");
	need_normal(fd, "UDP");
	need(connect_in(STDIN_FILENO, &outside, sizeof(outside)) < 0 && errno == ENOTSOCK, "no socket");
	need(connect_in(999, &outside, sizeof(outside)) < 0 && errno == EBADF, "no descriptor");
	need(listen(999, 1) < 0 && errno == EBADF, "listen on no descriptor");
	need(listen(STDIN_FILENO, 1) < 0 && errno == ENOTSOCK, "listen on no socket");
	fd = new_socket(0);
	need(connect(fd, (struct sockaddr *)8, sizeof(outside)) < 0 && errno == EFAULT, "no address");
	need(connect_in(fd, &loopback, sizeof(loopback)) < 0 && errno == ECONNREFUSED, "the container's own loopback");
}

/* A sandbox without network inside of the container stays one. */
static void nested(void)
{
	int fd;

	need(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "unshare");
	fd = new_socket(0);
	need(connect_in(fd, &outside, sizeof(outside)) < 0 && errno == ENETUNREACH, "a network without a way out has one");
}

/* --- what a program may rely on */

/* What leads out of the host has the host's own control, though the container's sockets are born with another one. */
static void has_congestion_control(int fd, const char *expected)
{
	char name[16] = "";
	socklen_t size = sizeof(name);

	need(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 && strcmp(name, expected) == 0, "TCP_CONGESTION");
}

static void keeps_properties(void)
{
	struct timeval wait = { 7, 0 };
	int on = 1, size = 50000, fd = new_socket(SOCK_CLOEXEC), plain = new_socket(0);
	socklen_t n = sizeof(wait);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	size = get_int(fd, SOL_SOCKET, SO_RCVBUF);
	need(connect_in(fd, &outside, sizeof(outside)) == 0 && connect_in(plain, &outside, sizeof(outside)) == 0, "connect");
	need(device_of(fd) && device_of(plain), "bypassed");
	wait.tv_sec = 0;
	need(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, &n) == 0 && wait.tv_sec == 7, "SO_RCVTIMEO");
	need(get_int(fd, IPPROTO_TCP, TCP_NODELAY) && get_int(fd, SOL_SOCKET, SO_KEEPALIVE), "options");
	need(get_int(fd, SOL_SOCKET, SO_RCVBUF) == size && get_int(plain, SOL_SOCKET, SO_RCVBUF) != size, "buffers");
	need(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(plain, F_GETFD) == 0, "close-on-exec");
	need(!(fcntl(fd, F_GETFL) & O_NONBLOCK), "it blocks");
	need(get_int(fd, SOL_SOCKET, SO_REUSEADDR) == 0, "SO_REUSEADDR");
	need(connect_in(fd, &outside, sizeof(outside)) < 0 && errno == EISCONN, "connect again");
	plain = new_socket(0);
	setsockopt(plain, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ 5000 }, sizeof(int));
	need(connect_in(plain, &outside, sizeof(outside)) == 0 && device_of(plain), "connect with a seldom option");
	need(get_int(plain, IPPROTO_TCP, TCP_USER_TIMEOUT) == 5000, "TCP_USER_TIMEOUT");
	need(get_int(fd, SOL_SOCKET, SO_ERROR) == 0, "SO_ERROR");
	if (getenv("CONGESTION_CONTROL"))
		has_congestion_control(plain, getenv("CONGESTION_CONTROL"));
}

/* In a set already when it connects, as nginx has it. */
static void epoll_knows(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = 4711 };
	int set = epoll_create1(0), fd = new_socket(SOCK_NONBLOCK), result;

	need(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0, "EPOLL_CTL_ADD");
	epoll_wait(set, &e, 1, 0);
	result = connect_in(fd, &outside, sizeof(outside));
	need(result == 0 || errno == EINPROGRESS, "connect");
	need(device_of(fd) > 0, "bypassed");
	need(epoll_wait(set, &e, 1, 3000) == 1 && e.data.u64 == 4711 && e.events & EPOLLOUT, "an event");
	need(is_connected(fd), "connected");
	need(epoll_ctl(set, EPOLL_CTL_MOD, fd, &(struct epoll_event){ .events = EPOLLIN }) == 0, "EPOLL_CTL_MOD");
	need(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL) == 0, "EPOLL_CTL_DEL");
}

static void again_after_refusal(void)
{
	struct sockaddr_in closed = outside, own = { .sin_family = AF_INET };
	int fd = new_socket(SOCK_NONBLOCK), listener = new_socket(0);
	socklen_t size = sizeof(own);

	inet_pton(AF_INET, "127.0.0.1", &own.sin_addr);
	need(bind(listener, (struct sockaddr *)&own, sizeof(own)) == 0 && listen(listener, 1) == 0 &&
	     getsockname(listener, (struct sockaddr *)&own, &size) == 0, "listen inside");
	closed.sin_port = htons(9);
	connect_in(fd, &closed, sizeof(closed));
	need(!is_connected(fd), "refused");
	get_int(fd, SOL_SOCKET, SO_ERROR);
	fcntl(fd, F_SETFL, 0);
	need(connect_in(fd, &outside, sizeof(outside)) == 0 && device_of(fd) > 0, "again, to outside");
	close(fd);
	fd = new_socket(SOCK_NONBLOCK);
	connect_in(fd, &closed, sizeof(closed));
	need(!is_connected(fd), "refused");
	get_int(fd, SOL_SOCKET, SO_ERROR);
	fcntl(fd, F_SETFL, 0);
	need(connect_in(fd, &own, sizeof(own)) == 0 && device_of(fd) == 0, "again, to inside");
}

void ignore(int signum)
{
	(void)signum;
}

/* To an address that nobody has, while the caller wants to be interrupted. */
static void interrupted(void)
{
	struct sockaddr_in nobody = outside;
	struct timeval wait = { .tv_usec = 300000 };
	int fd = new_socket(0);

	nobody.sin_addr.s_addr ^= htonl(0x60);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
	alarm(1);
	need(connect_in(fd, &nobody, sizeof(nobody)) < 0 && errno == EINTR, "EINTR");
	need(device_of(fd) > 0, "bypassed");
	fd = new_socket(0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	need(connect_in(fd, &nobody, sizeof(nobody)) < 0 && errno == EINPROGRESS, "SO_SNDTIMEO");
}

/* With memory of its own or the parent's. */
static pid_t connect_in_child(int shared_memory)
{
	pid_t pid = shared_memory ? vfork() : fork();

	if (pid == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		_exit(connect(fd, (struct sockaddr *)&outside, sizeof(outside)) < 0);
	}
	return pid;
}

static void children(void)
{
	for (int i = 0; i < 200; i++) {
		pid_t pid = connect_in_child(i % 2);
		int status = -1;

		need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a child connects");
	}
}

static _Noreturn void *die_connecting(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		connect(fd, (struct sockaddr *)&outside, sizeof(outside));
		close(fd);
	}
}

/* Killed at any moment of it; the monitor must not notice. */
static void killed(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			pthread_t thread;

			pthread_create(&thread, NULL, die_connecting, NULL);
			die_connecting(NULL);
		}
		usleep((useconds_t)(i * 50));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(handed_over());
}

static const struct check checks[] = {
	{ "no_loopback", no_loopback }, { "no_fast_open", no_fast_open }, { "no_other_device", no_other_device },
	{ "no_other_port", no_other_port }, { "no_listening", no_listening }, { "no_power", no_power },
	{ "connect_raced", connect_raced }, { "listen_raced", listen_raced }, { "normal_path", normal_path },
	{ "nested", nested }, { "keeps_properties", keeps_properties }, { "epoll_knows", epoll_knows },
	{ "again_after_refusal", again_after_refusal }, { "interrupted", interrupted },
	{ "children", children }, { "killed", killed }, { NULL, NULL },
};

static int run(const struct check *table)
{
	for (; table->name; table++)
		if (strcmp(table->name, check) == 0) {
			table->run();
			return 1;
		}
	return 0;
}

int main(int argc, char **argv)
{
	if ((argc != 5 && argc != 7) || inet_pton(AF_INET, argv[2], &outside.sin_addr) != 1)
		return 2;
	outside.sin_family = loopback.sin_family = AF_INET;
	outside.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	loopback.sin_port = htons((uint16_t)strtoul(argv[4], NULL, 10));
	inet_pton(AF_INET, "127.0.0.1", &loopback.sin_addr);
	check = argv[1];
	if (argc == 7) {
		host = argv[5];
		published = (unsigned)strtoul(argv[6], NULL, 10);
	}
	return run(checks) || run(accepted_checks) ? 0 : 2;
}
