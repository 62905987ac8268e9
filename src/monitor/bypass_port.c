/* The port of a socket that is handed over: bound by its number, because only such a one is kept for good.
 *
 * One of those that the kernel would choose from, by chance: it costs one call, where letting the kernel choose for another
 * socket first costs six. That remains for hosts that reserve ports, or have few. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/bypass.h"
#include "sys/fd.h"

#define TRIES 8
#define FEW 1000
#define NUMBERS 64

static struct { unsigned low, n; } range;

static ssize_t read_setting(const char *path, char *text, size_t size)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	return n;
}

void port_prepare(void)
{
	char text[64];
	unsigned low, high;

	range.n = 0;
	if (read_setting("/proc/sys/net/ipv4/ip_local_reserved_ports", text, sizeof(text)) < 0 || text[0] != '\n')
		return;
	read_setting("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text));
	if (sscanf(text, "%u %u", &low, &high) != 2 || low < 1024 || high > 65535 || high < low + FEW)
		return;
	range.low = low;
	range.n = high - low + 1;
}

static uint16_t by_chance(void)
{
	static uint32_t numbers[NUMBERS];
	static unsigned left;

	if (!left && getrandom(numbers, sizeof(numbers), 0) == (ssize_t)sizeof(numbers))
		left = NUMBERS;
	return (uint16_t)(range.low + numbers[left ? --left : 0] % range.n);
}

static int bind_any(int fd, int domain, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (domain == AF_INET)
		return bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	return bind(fd, (struct sockaddr *)&v6, sizeof(v6));
}

static int reuse(int fd)
{
	static const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

/* The kernel's choice, for another socket. */
static int bind_chosen(int fd, int domain)
{
	_cleanup_fd_ int other = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	struct sockaddr_in6 name;
	socklen_t size = sizeof(name);
	int v6_only = 0;

	if (other < 0 || reuse(other) < 0)
		return -1;
	if (domain == AF_INET6 && (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size) < 0 ||
				   setsockopt(other, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) < 0))
		return -1;
	size = sizeof(name);
	if (bind_any(other, domain, 0) < 0 || getsockname(other, (struct sockaddr *)&name, &size) < 0)
		return -1;
	return bind_any(fd, domain, ntohs(name.sin6_port));	/* at the same place in both families */
}

int port_lock(int fd, int domain)
{
	if (reuse(fd) < 0)	/* ports are shared between connections to different places, as they are without bind */
		return -1;
	for (int i = 0; range.n && i < TRIES; i++)
		if (bind_any(fd, domain, by_chance()) == 0)
			return 0;
	for (int i = 0; i < TRIES; i++)
		if (bind_chosen(fd, domain) == 0)
			return 0;
	return -1;
}
