#include "engine/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define ANSWER_MAX ((size_t)8 << 20)
#define DESCRIPTORS_MAX 4

int transfer_open(struct engine *e, struct transfer *ret, struct error *err)
{
	char *program = spawn_own_program(e->arena, "bryo-transfer", err);
	_cleanup_fd_ int layers = fd_open_dir(e->store.root_fd, "layers");
	char numbers[5][16];
	char *argv[] = { program, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], NULL };
	int pass[5], ends[2];
	struct spawn s = { .program = program, .argv = argv, .stdio = (int[]){ -1, -1, 2 }, .pass = pass, .pass_n = 5 };

	if (!program)
		return -1;
	if (layers < 0)
		return error_errno(err, "open %s/layers", e->store.path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "make a socket pair");
	pass[0] = ends[1];
	pass[1] = e->store.blobs_fd;
	pass[2] = e->store.tmp_fd;
	pass[3] = e->store.objects_fd;
	pass[4] = layers;
	for (int i = 0; i < 5; i++)
		snprintf(numbers[i], sizeof(numbers[i]), "%d", pass[i]);
	ret->pidfd = spawn_start(&s, NULL, err);
	ret->socket = ends[0];
	close(ends[1]);
	if (ret->pidfd >= 0)
		return 0;
	fd_close(&ret->socket);
	return -1;
}

void transfer_close(struct transfer *t)
{
	fd_close(&t->socket);
	if (t->pidfd >= 0)
		pidfd_reap(t->pidfd);
	fd_close(&t->pidfd);
}

/* The first bytes carry the descriptors. */
static int send_request(int socket, const char *text, size_t n, const int *fds, size_t fds_n)
{
	char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))] = { 0 };
	struct iovec part = { (void *)(uintptr_t)text, n };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *rights;
	ssize_t sent;

	if (fds_n) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
		rights = CMSG_FIRSTHDR(&message);
		*rights = (struct cmsghdr){ CMSG_LEN(fds_n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(rights), fds, fds_n * sizeof(int));
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	while (sent >= 0 && (size_t)sent < n) {
		ssize_t more = send(socket, text + sent, n - (size_t)sent, MSG_NOSIGNAL);

		if (more < 0 && errno != EINTR)
			return -1;
		sent += more > 0 ? more : 0;
	}
	return sent < 0 ? -1 : 0;
}

static int take_error(const struct transfer_event *event, struct error *err)
{
	int kind = event->kind > ERROR_NONE && event->kind < ERROR_KINDS ? (int)event->kind : ERROR_FAILED;

	error_set(err, kind, "%s", event->text ? event->text : "bryo-transfer failed without a reason");
	if (err)
		err->sys = (int)event->errno_;
	if (!str_is_empty(event->hint))
		error_hint_again(err, event->hint);
	if (!str_is_empty(event->code))
		error_code(err, event->code);
	return -1;
}

/* 1: the answer is complete; 0: more to come. */
static int take_event(struct engine *e, const char *line, size_t n, struct transfer_event *ret, struct error *err)
{
	*ret = (struct transfer_event){ 0 };
	if (json_decode(e->arena, &transfer_event_shape, ret, line, n, "bryo-transfer", err) < 0)
		return -1;
	if (str_eq(ret->event, "result"))
		return 1;
	if (str_eq(ret->event, "error"))
		return take_error(ret, err);
	if (e->face.progress)
		e->face.progress(e->face.context, ret);
	return 0;
}

static int receive(struct transfer *t, struct buffer *in, struct error *err)
{
	ssize_t n;

	if (buffer_reserve(in, 65536) < 0)
		return error_errno(err, "bryo-transfer's answer");
	do
		n = recv(t->socket, in->data + in->size, 65536, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "hear bryo-transfer");
	if (n == 0)
		return error_set(err, ERROR_FAILED, "bryo-transfer ended unexpectedly");
	in->size += (size_t)n;
	return 0;
}

int transfer_call(struct engine *e, struct transfer *t, const struct transfer_request *r, const int *fds, size_t fds_n,
		  struct transfer_event *ret, struct error *err)
{
	_cleanup_buffer_ struct buffer in = BUFFER(ANSWER_MAX + 65536);
	char *text = json_print(e->arena, json_encode(e->arena, &transfer_request_shape, r), 0), *end;
	int done = 0;

	text = arena_printf(e->arena, "%s\n", text);
	if (fds_n > DESCRIPTORS_MAX || send_request(t->socket, text, strlen(text), fds, fds_n) < 0)
		return error_errno(err, "ask bryo-transfer");
	while (done == 0) {
		if (receive(t, &in, err) < 0)
			return -1;
		while (done == 0 && (end = memchr(in.data, '\n', in.size))) {
			done = take_event(e, in.data, (size_t)(end - in.data), ret, err);
			buffer_consume(&in, (size_t)(end + 1 - in.data));
		}
	}
	return done < 0 ? -1 : 0;
}

int transfer_ask(struct engine *e, const struct transfer_request *r, const int *fds, size_t fds_n,
		 struct transfer_event *ret, struct error *err)
{
	struct transfer t;
	int code;

	if (transfer_open(e, &t, err) < 0)
		return -1;
	code = transfer_call(e, &t, r, fds, fds_n, ret, err);
	transfer_close(&t);
	return code;
}
