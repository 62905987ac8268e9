#include "transfer/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/fd.h"

void channel_init(struct channel *c, int socket)
{
	c->socket = socket;
	c->in = BUFFER(CHANNEL_MESSAGE_MAX);
	for (size_t i = 0; i < CHANNEL_FDS_MAX; i++)
		c->fds[i] = -1;
}

static void keep_descriptors(struct channel *c, struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		size_t n = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			size_t place = 0;
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
			while (place < CHANNEL_FDS_MAX && c->fds[place] >= 0)
				place++;
			if (place < CHANNEL_FDS_MAX)
				c->fds[place] = fd;
			else
				close(fd);
		}
	}
}

/* 1 with more bytes, 0 at end of file. */
static int receive_some(struct channel *c, struct error *err)
{
	char control[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct iovec part;
	ssize_t n;

	if (buffer_reserve(&c->in, 4096) < 0)
		return error_errno(err, "the request is too long");
	part = (struct iovec){ c->in.data + c->in.size, 4096 };
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	do
		n = recvmsg(c->socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "receive a request");
	keep_descriptors(c, &message);
	c->in.size += (size_t)n;
	return n > 0;
}

int channel_receive(struct channel *c, struct arena *arena, struct transfer_request *ret, struct error *err)
{
	size_t searched = 0;
	char *end;
	int r;

	for (size_t i = 0; i < CHANNEL_FDS_MAX; i++)
		fd_close(&c->fds[i]);
	while (!c->in.size || !(end = memchr(c->in.data + searched, '\n', c->in.size - searched))) {
		searched = c->in.size;
		r = receive_some(c, err);
		if (r <= 0)
			return r;
	}
	memset(ret, 0, sizeof(*ret));
	r = json_decode(arena, &transfer_request_shape, ret, c->in.data, (size_t)(end - c->in.data), "request", err);
	buffer_consume(&c->in, (size_t)(end + 1 - c->in.data));
	return r < 0 ? -1 : 1;
}

static int send_all(int socket, const char *p, size_t n)
{
	while (n) {
		ssize_t done = send(socket, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int channel_send(struct channel *c, const struct transfer_event *event)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *line = json_print(arena, json_encode(arena, &transfer_event_shape, event), 0);

	line = arena_printf(arena, "%s\n", line);
	return send_all(c->socket, line, strlen(line));
}

int channel_send_error(struct channel *c, const struct error *error)
{
	struct transfer_event event = { .event = "error", .kind = error->kind, .errno_ = error->sys,
					.text = (char *)(uintptr_t)error->text };

	if (error->hint[0])
		event.hint = (char *)(uintptr_t)error->hint;
	if (error->code[0])
		event.code = (char *)(uintptr_t)error->code;
	return channel_send(c, &event);
}

void progress_init(struct progress *p, struct channel *c, const char *digest, int64_t total)
{
	*p = (struct progress){ .channel = c, .total = total };
	snprintf(p->id, sizeof(p->id), "%.12s", digest_hex(digest));
}

void progress_note(struct progress *p, const char *status, int64_t current)
{
	struct transfer_event event = { .event = "progress", .id = p->id, .status = (char *)(uintptr_t)status,
					.current = current, .total = p->total };
	int64_t now = clock_now_ms();

	if (!p->channel || (p->status == status && current != p->total && now - p->last_ms < 100))
		return;
	p->status = status;
	p->last_ms = now;
	channel_send(p->channel, &event);
}
