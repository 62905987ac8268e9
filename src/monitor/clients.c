/* Attached clients: frames in and out, each with a bounded queue. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "sys/fd.h"
#include "sys/tty.h"

static unsigned index_of(const struct monitor *m, const struct client *c)
{
	return (unsigned)(c - m->client);
}

static bool has_other_input_client(const struct monitor *m, const struct client *self)
{
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		const struct client *c = &m->client[i];

		if (c != self && c->fd >= 0 && (c->wants & ATTACH_WANT_STDIN))
			return true;
	}
	return false;
}

static void remove_client(struct monitor *m, struct client *c)
{
	bool had_input = c->wants & ATTACH_WANT_STDIN;	/* who leaves a terminal does not end what runs on it */

	if (c->watched)
		monitor_watch(m, c->fd, TAG_CLIENT, index_of(m, c), 0);
	close(c->fd);
	*c = (struct client){ .fd = -1 };
	if (had_input && m->config.console < 0 && (m->config.stdin_once || (!m->config.keep_stdin && !has_other_input_client(m, c))))
		input_close(m);
}

static struct client *add_client(struct monitor *m, int fd)
{
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		struct client *c = &m->client[i];

		if (c->fd >= 0)
			continue;
		*c = (struct client){ .fd = fd };
		return c;
	}
	return NULL;
}

void clients_open(struct monitor *m)
{
	struct client *c;

	for (unsigned i = 0; i < MONITOR_CLIENTS; i++)
		m->client[i].fd = -1;
	if (m->config.run_fd >= 0 && (m->listener = attach_listen(m->config.run_fd)) >= 0) {
		fd_set_nonblock(m->listener, true);
		monitor_watch(m, m->listener, TAG_LISTENER, 0, EPOLLIN);
	}
	if (m->config.client_fd < 0)
		return;
	c = add_client(m, m->config.client_fd);
	fd_set_nonblock(c->fd, true);
	c->foreground = true;
	c->wants = m->config.client_wants;
	m->attached = true;
}

void clients_accept(struct monitor *m)
{
	int fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && !add_client(m, fd))
		close(fd);
}

/* --- from the client */

static bool handle_frame(struct monitor *m, struct client *c)
{
	const unsigned char *p = c->payload;

	switch (c->type) {
	case ATTACH_HELLO:
		if (c->payload_n < 1)
			return false;
		c->wants = p[0] & (ATTACH_WANT_STDIN | ATTACH_WANT_STDOUT | ATTACH_WANT_STDERR);
		if (c->wants)	/* one that wants nothing waits for the exit */
			m->attached = true;
		return true;
	case ATTACH_RESIZE:
		if (c->payload_n < 4)
			return false;
		if (m->config.console >= 0)
			tty_set_size(m->config.console, (struct tty_size){ .rows = (unsigned short)(p[0] << 8 | p[1]),
									   .columns = (unsigned short)(p[2] << 8 | p[3]) });
		return true;
	default:
		return c->type == ATTACH_STDIN;
	}
}

/* 1 progress, 0 nothing now, -1 the client is gone or breaks the protocol. */
static int result_of(ssize_t n)
{
	if (n > 0)
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int receive_header(struct monitor *m, struct client *c)
{
	ssize_t n = read(c->fd, c->header + c->header_n, sizeof(c->header) - c->header_n);

	if (n <= 0)
		return result_of(n);
	c->header_n += (uint32_t)n;
	if (c->header_n < sizeof(c->header))
		return 1;
	if (attach_parse_header(c->header, &c->type, &c->left) < 0)
		return -1;
	c->payload_n = 0;
	if (c->type != ATTACH_STDIN && c->left > sizeof(c->payload))
		return -1;
	if (c->left)
		return 1;
	c->header_n = 0;
	if (c->type == ATTACH_STDIN && (c->wants & ATTACH_WANT_STDIN))
		input_close(m);
	return c->type == ATTACH_STDIN ? 1 : -1;
}

/* Bytes for the container go straight into its queue; nobody reads a client while that has something. */
static int receive_input(struct monitor *m, struct client *c)
{
	struct input *in = &m->input;
	bool taken = (c->wants & ATTACH_WANT_STDIN) && in->fd >= 0 && !in->ending;
	ssize_t n;

	if (taken && in->end)
		return 0;
	n = read(c->fd, taken ? m->buffers->input : m->buffers->chunk, c->left);
	if (n <= 0)
		return result_of(n);
	c->left -= (uint32_t)n;
	if (n > 4096)
		m->memory_used = true;
	if (taken) {
		in->end = (uint32_t)n;
		input_flush(m);
	}
	return 1;
}

static int receive_payload(struct monitor *m, struct client *c)
{
	ssize_t n;

	if (c->type == ATTACH_STDIN)
		return receive_input(m, c);
	n = read(c->fd, c->payload + c->payload_n, c->left);
	if (n <= 0)
		return result_of(n);
	c->payload_n += (uint32_t)n;
	c->left -= (uint32_t)n;
	return c->left || handle_frame(m, c) ? 1 : -1;
}

/* A few frames at a time, so that one client does not starve the rest. */
static bool receive(struct monitor *m, struct client *c)
{
	for (int i = 0; i < 16; i++) {
		int r = c->header_n < sizeof(c->header) ? receive_header(m, c) : receive_payload(m, c);

		if (r < 0)
			return false;
		if (r == 0)
			break;
		if (c->header_n == sizeof(c->header) && c->left == 0)
			c->header_n = 0;
	}
	return true;
}

/* --- to the client */

/* It reads no more, but what it wrote before may still be on the way. */
static void stop_output(struct client *c)
{
	c->lost = true;
	c->wants &= ATTACH_WANT_STDIN;
	c->begin = c->end = 0;
}

static void flush_queue(struct monitor *m, struct client *c)
{
	char *queue = m->buffers->queue[index_of(m, c)];

	while (c->begin < c->end) {
		ssize_t n = send(c->fd, queue + c->begin, c->end - c->begin, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			stop_output(c);
			return;
		}
		c->begin += (uint32_t)n;
		c->progress_ms = monitor_now_ms();
	}
	c->begin = c->end = 0;
}

static bool enqueue(struct monitor *m, struct client *c, const void *p, size_t n)
{
	char *queue = m->buffers->queue[index_of(m, c)];

	if (c->begin && c->end + n > QUEUE_SIZE) {
		memmove(queue, queue + c->begin, c->end - c->begin);
		c->end -= c->begin;
		c->begin = 0;
	}
	if (c->end + n > QUEUE_SIZE)
		return false;
	if (c->end == 0)
		c->progress_ms = monitor_now_ms();
	memcpy(queue + c->end, p, n);
	c->end += (uint32_t)n;
	m->memory_used = true;
	return true;
}

static void send_frame(struct monitor *m, struct client *c, const unsigned char header[8], const void *p, uint32_t n)
{
	struct iovec iov[2] = { { (void *)header, 8 }, { (void *)p, n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t sent = 0, of_payload;

	if (c->begin == c->end) {
		ssize_t r = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0 && errno != EAGAIN && errno != EINTR) {
			stop_output(c);
			return;
		}
		sent = r > 0 ? (size_t)r : 0;
	}
	of_payload = sent > 8 ? sent - 8 : 0;
	if ((sent < 8 && !enqueue(m, c, header + sent, 8 - sent)) ||
	    (of_payload < n && !enqueue(m, c, (const char *)p + of_payload, n - of_payload)))
		remove_client(m, c);
}

void clients_send(struct monitor *m, enum attach_type type, const void *p, uint32_t n)
{
	unsigned char header[8];
	uint8_t want = type == ATTACH_STDOUT ? ATTACH_WANT_STDOUT : type == ATTACH_STDERR ? ATTACH_WANT_STDERR : 0;

	attach_header(header, type, n);
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		struct client *c = &m->client[i];

		if (c->fd >= 0 && (!want || (c->wants & want)))
			send_frame(m, c, header, p, n);
	}
}

/* --- all together */

void clients_event(struct monitor *m, unsigned index, uint32_t events)
{
	struct client *c = &m->client[index];

	if (c->fd < 0)
		return;
	if (events & EPOLLOUT)
		flush_queue(m, c);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive(m, c))
		remove_client(m, c);
}

void clients_update(struct monitor *m)
{
	bool input_is_free = m->input.end == 0;

	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		struct client *c = &m->client[i];
		bool may_read = input_is_free || !(c->wants & ATTACH_WANT_STDIN);
		uint32_t events = (may_read ? EPOLLIN : 0) | (c->begin < c->end ? EPOLLOUT : 0);

		if (c->fd < 0 || events == c->watched)
			continue;
		monitor_watch(m, c->fd, TAG_CLIENT, i, events);
		c->watched = events;
	}
}

bool clients_are_idle(const struct monitor *m)
{
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++)
		if (m->client[i].fd >= 0 && m->client[i].begin < m->client[i].end)
			return false;
	return true;
}

bool clients_have_room(const struct monitor *m)
{
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		const struct client *c = &m->client[i];

		if (c->fd >= 0 && c->foreground && c->end - c->begin + CHUNK_SIZE + 64 > QUEUE_SIZE)
			return false;
	}
	return true;
}

void clients_drop_stalled(struct monitor *m)
{
	int64_t now = monitor_now_ms();

	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		struct client *c = &m->client[i];

		if (c->fd >= 0 && !c->foreground && c->begin < c->end && now - c->progress_ms >= STALL_MS)
			remove_client(m, c);
	}
}

static struct client *foreground(struct monitor *m)
{
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++)
		if (m->client[i].fd >= 0 && m->client[i].foreground && !m->client[i].lost)
			return &m->client[i];
	return NULL;
}

bool clients_await_foreground(struct monitor *m)
{
	struct client *c = foreground(m);
	char ignored[256];
	ssize_t n;

	if (!c)
		return false;
	fd_set_nonblock(c->fd, false);
	do
		n = read(c->fd, ignored, sizeof(ignored));
	while (n > 0 || (n < 0 && errno == EINTR));
	return true;
}

void clients_close(struct monitor *m)
{
	if (m->listener >= 0) {
		unlinkat(m->config.run_fd, "attach", 0);
		fd_close(&m->listener);
	}
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++)
		fd_close(&m->client[i].fd);
}
