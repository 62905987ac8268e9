/* talk - small questions over TCP: a server, and clients that say what each question cost
 *
 * talk serve PORT                            answers each line with a line, on all addresses; connections are many
 * talk questions ADDRESS PORT MS N           N connections at once, questions one after the other on each
 * talk connections ADDRESS PORT MS N         the same with a new connection for each question
 *
 * The clients print: questions in all, the median and the 10th percentile of one in microseconds. Who wants a new connection
 * for each says goodbye, and the server closes first: else the client's side would soon be full of ports that wait for
 * their time to go by, and what is measured is the kernel's search for another one. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 256
#define READINGS (1 << 22)

static uint32_t readings[READINGS];
static size_t readings_n;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void watch(int epoll, int fd, uint64_t key)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = key };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die("epoll_ctl");
}

_Noreturn static void serve(uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), on = 1;
	char data[4096];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 4096) < 0)
		die("listen");
	watch(epoll, listener, (uint64_t)listener);
	for (;;) {
		struct epoll_event events[64];
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)events[i].data.u64;
			ssize_t size;

			if (fd == listener) {
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
					watch(epoll, fd, (uint64_t)fd);
				continue;
			}
			size = read(fd, data, sizeof(data));
			if (size <= 0 || write(fd, data, (size_t)size) < 0 || data[0] == 'g')
				close(fd);
		}
	}
}

struct client {
	int fd;
	int64_t since;
};

static struct sockaddr_storage target;
static socklen_t target_size;

static int open_client(void)
{
	struct timeval patience = { 5, 0 };
	int fd = socket(target.ss_family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd < 0 || connect(fd, (struct sockaddr *)&target, target_size) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void begin(struct client *c, int epoll, size_t index, int again)
{
	const char *question = again ? "goodbye.\n" : "question\n";

	c->since = now_ns();
	if (c->fd < 0) {
		c->fd = open_client();
		watch(epoll, c->fd, index);
	}
	if (write(c->fd, question, 9) != 9)
		die("write");
}

static void end(struct client *c, int again)
{
	char data[64];

	if (read(c->fd, data, sizeof(data)) <= 0)
		die("read");
	if (again) {
		if (read(c->fd, data, sizeof(data)) != 0)
			die("an end");
		close(c->fd);
		c->fd = -1;
	}
	if (readings_n < READINGS)
		readings[readings_n++] = (uint32_t)((now_ns() - c->since) / 100);
}

static int compare(const void *a, const void *b)
{
	return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

static int ask(int again, int64_t ms, size_t n)
{
	static struct client clients[CLIENTS];
	int64_t until = now_ns() + ms * 1000000;
	int epoll = epoll_create1(0);

	for (size_t i = 0; i < n; i++) {
		clients[i].fd = -1;
		begin(&clients[i], epoll, i, again);
	}
	while (now_ns() < until) {
		struct epoll_event events[64];
		int got = epoll_wait(epoll, events, 64, 5000);

		if (got <= 0)
			die("nothing comes back");
		for (int i = 0; i < got; i++) {
			end(&clients[events[i].data.u64], again);
			begin(&clients[events[i].data.u64], epoll, events[i].data.u64, again);
		}
	}
	qsort(readings, readings_n, sizeof(readings[0]), compare);
	printf("%zu %.1f %.1f\n", readings_n, readings[readings_n / 2] / 10.0, readings[readings_n / 10] / 10.0);
	return 0;
}

static void parse_target(const char *address, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&target;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&target;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		target_size = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		target_size = sizeof(*in6);
	}
	in->sin_port = htons(port);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve((uint16_t)strtoul(argv[2], NULL, 10));
	if (argc != 6)
		return 2;
	parse_target(argv[2], (uint16_t)strtoul(argv[3], NULL, 10));
	return ask(strcmp(argv[1], "connections") == 0, strtol(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
}
