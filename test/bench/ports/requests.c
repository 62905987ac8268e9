/* requests - both ends of the measurements of published ports
 *
 * requests serve PORT          answers each request with 100 bytes; leaves the connection open, or closes it where that is asked for
 * requests new HOST PORT N     N times connect, request, answer, close, one after the other: microseconds, median and p10
 * requests one HOST PORT N     N requests on one connection: the same
 *
 * The server closes new ones first: else ports that wait for their time to go by pile up at the client's side, and what is
 * measured is the kernel's search for another one. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char answer[] =
	"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 35\r\n\r\n0123456789012345678901234567890123\n";
static const char question[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", last[] = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";

static int serve(unsigned port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port) };
	int sock = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
	struct epoll_event e = { .events = EPOLLIN, .data.fd = sock }, events[64];
	char data[4096];

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(sock, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(sock, 4096) < 0) {
		perror("bind");
		return 1;
	}
	epoll_ctl(epoll, EPOLL_CTL_ADD, sock, &e);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == sock) {
				e.data.fd = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
				setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
				epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
				continue;
			}
			ssize_t size = read(fd, data, sizeof(data));

			if (size <= 0 || write(fd, answer, sizeof(answer) - 1) < 0 ||
			    memmem(data, (size_t)size, "close", 5))
				close(fd);
		}
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int connect_to(const char *host, unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	struct timeval patience = { 5, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1 || connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0) {
		perror(host);
		exit(1);
	}
	return fd;
}

static void ask(int fd, const char *text)
{
	char data[4096];

	if (write(fd, text, strlen(text)) < 0 || read(fd, data, sizeof(data)) != sizeof(answer) - 1 ||
	    (text == last && read(fd, data, sizeof(data)) != 0)) {
		perror("request");
		exit(1);
	}
}

static int measure(const char *host, unsigned port, int n, int one)
{
	double *took = calloc((size_t)n, sizeof(*took));
	int fd = one ? connect_to(host, port) : -1;

	for (int i = 0; i < n; i++) {
		double start = now();

		if (!one)
			fd = connect_to(host, port);
		ask(fd, one ? question : last);
		if (!one)
			close(fd);
		took[i] = now() - start;
	}
	qsort(took, (size_t)n, sizeof(*took), by_value);
	printf("%.0f %.0f\n", took[n / 2], took[n / 10]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve((unsigned)strtoul(argv[2], NULL, 10));
	if (argc == 5 && (strcmp(argv[1], "new") == 0 || strcmp(argv[1], "one") == 0))
		return measure(argv[2], (unsigned)strtoul(argv[3], NULL, 10), (int)strtoul(argv[4], NULL, 10), argv[1][0] == 'o');
	fprintf(stderr, "usage: requests serve PORT | requests new|one HOST PORT N\n");
	return 2;
}
