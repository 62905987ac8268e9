/* Bytes pass from one end of a connection to the other.
 *
 * Little at a time goes through memory, which is cheaper than a pipe; an end that fills the chunk is spliced from then on.
 * A pipe belongs to a connection only while it has bytes in it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/forward.h"
#include "sys/fd.h"

#define CHUNK 8192			/* what the smallest pipe holds: two pages, when the user has many pipes */
#define PIPE_SIZE (256 * 1024)
#define ROUNDS 16			/* then it is another connection's turn */

static bool has(uint8_t ends, enum end end)
{
	return ends & (1 << end);
}

/* Edges: each change is told once. That there is room again is of interest to few connections. */
int forward_watch_end(struct forwarder *f, struct flow *flow, enum end end)
{
	uint32_t index = (uint32_t)(flow - f->flow), events = EPOLLIN | EPOLLRDHUP | EPOLLET;

	if (has(flow->awaited, end))
		events |= EPOLLOUT;
	return forward_watch(f->epoll, flow->fd[end], events, forward_number(FORWARD_FLOW, index << 1 | end));
}

void forward_await(struct forwarder *f, struct flow *flow, enum end end)
{
	flow->writable &= (uint8_t)~(1 << end);
	if (has(flow->awaited, end))
		return;
	flow->awaited |= (uint8_t)(1 << end);
	if (flow->watched)
		forward_watch_end(f, flow, end);
}

static bool take_pipe(struct forwarder *f, struct flow *flow, enum end from)
{
	int *pipe = flow->pipe[from];

	if (pipe[0] >= 0)
		return true;
	if (f->spares) {
		f->spares--;
		pipe[0] = f->spare[f->spares][0];
		pipe[1] = f->spare[f->spares][1];
		return true;
	}
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		pipe[0] = pipe[1] = -1;
		return false;
	}
	fcntl(pipe[0], F_SETPIPE_SZ, PIPE_SIZE);	/* refused to who has many: then it is a small one */
	return true;
}

static void give_pipe(struct forwarder *f, struct flow *flow, enum end from)
{
	int *pipe = flow->pipe[from];

	if (pipe[0] >= 0 && !flow->queued[from] && f->spares < SPARE_PIPES) {
		f->spare[f->spares][0] = fd_take(&pipe[0]);
		f->spare[f->spares][1] = fd_take(&pipe[1]);
		f->spares++;
	}
	fd_close(&pipe[0]);
	fd_close(&pipe[1]);
	flow->queued[from] = 0;
}

void forward_give_pipes(struct forwarder *f, struct flow *flow)
{
	give_pipe(f, flow, CLIENT);
	give_pipe(f, flow, CONTAINER);
}

/* Below: false when an end is broken. */

static bool flush(struct forwarder *f, struct flow *flow, enum end from)
{
	ssize_t n = splice(flow->pipe[from][0], NULL, flow->fd[!from], NULL, flow->queued[from], SPLICE_F_NONBLOCK);

	if (n < 0 && errno == EAGAIN)
		forward_await(f, flow, !from);
	else if (n <= 0)
		return n < 0 && errno == EINTR;
	else
		flow->queued[from] -= (uint32_t)n;
	if (!flow->queued[from])
		give_pipe(f, flow, from);
	return true;
}

/* What recv or splice answered: true when there are bytes to pass on; *ret_broken when there will never be any. */
static bool is_something(struct flow *flow, enum end from, ssize_t n, bool *ret_broken)
{
	if (n > 0) {
		flow->carried = true;
		return true;
	}
	if (n == 0)
		flow->ended |= (uint8_t)(1 << from);
	if (n == 0 || errno == EAGAIN)
		flow->readable &= (uint8_t)~(1 << from);
	else if (errno != EINTR)
		*ret_broken = true;
	return false;
}

static bool pass_spliced(struct forwarder *f, struct flow *flow, enum end from)
{
	ssize_t n = splice(flow->fd[from], NULL, flow->pipe[from][1], NULL, PIPE_SIZE, SPLICE_F_NONBLOCK);
	bool broken = false;

	if (!is_something(flow, from, n, &broken)) {
		give_pipe(f, flow, from);
		return !broken;
	}
	if (n < CHUNK)
		flow->bulk &= (uint8_t)~(1 << from);
	flow->queued[from] = (uint32_t)n;
	return flush(f, flow, from);
}

/* Sends n bytes of f->data: how many were taken, -1 when the end is broken. */
static ssize_t send_to(struct forwarder *f, struct flow *flow, enum end to, ssize_t n)
{
	ssize_t sent = send(flow->fd[to], f->data, (size_t)n, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (sent < n)
		forward_await(f, flow, to);
	else
		flow->linked = true;
	return sent < 0 ? 0 : sent;
}

static void begin_bulk(struct flow *flow, enum end from)
{
	flow->bulk |= (uint8_t)(1 << from);
	if (from == CONTAINER && !flow->eased)
		forward_ease(flow->fd[CLIENT]);
	flow->eased = flow->eased || from == CONTAINER;
}

static bool pass_copied(struct forwarder *f, struct flow *flow, enum end from)
{
	ssize_t n = recv(flow->fd[from], f->data, CHUNK, 0), sent;
	bool broken = false;

	if (!is_something(flow, from, n, &broken)) {
		give_pipe(f, flow, from);
		return !broken;
	}
	if (n == CHUNK)
		begin_bulk(flow, from);
	else if (!has(flow->hung, from))	/* that was all; what comes later is told again */
		flow->readable &= (uint8_t)~(1 << from);
	sent = send_to(f, flow, !from, n);
	if (sent >= 0 && sent < n) {		/* the rest, which the other end did not take, fits into any pipe */
		if (write(flow->pipe[from][1], f->data + sent, (size_t)(n - sent)) != n - sent)
			return false;
		flow->queued[from] = (uint32_t)(n - sent);
	} else {
		give_pipe(f, flow, from);
	}
	return sent >= 0;
}

/* Without a pipe, because there are no descriptors left: what is not taken stays where it is. */
static bool pass_peeked(struct forwarder *f, struct flow *flow, enum end from)
{
	ssize_t n = recv(flow->fd[from], f->data, CHUNK, MSG_PEEK), sent;
	bool broken = false;

	if (!is_something(flow, from, n, &broken))
		return !broken;
	sent = send_to(f, flow, !from, n);
	return sent == 0 || (sent > 0 && recv(flow->fd[from], NULL, (size_t)sent, MSG_TRUNC) == sent);
}

/* Shutting down what is not yet connected would forget the connection. */
static bool is_linked(struct flow *flow)
{
	union forward_name name;
	socklen_t size = sizeof(name);

	flow->linked = flow->linked || getpeername(flow->fd[CONTAINER], &name.any, &size) == 0;
	return flow->linked;
}

/* The end of what this end says is said to the other; not when that has nothing more to say either: it will be closed. */
static void tell_end(struct forwarder *f, struct flow *flow, enum end from)
{
	if (!is_linked(flow)) {
		forward_await(f, flow, CONTAINER);
		return;
	}
	if (!has(flow->ended, !from) || flow->queued[!from])
		shutdown(flow->fd[!from], SHUT_WR);
	flow->told |= (uint8_t)(1 << from);
}

enum copied forward_copy(struct forwarder *f, struct flow *flow, enum end from)
{
	for (int i = 0; i < ROUNDS; i++) {
		bool good;

		if (flow->queued[from] && has(flow->writable, !from))
			good = flush(f, flow, from);
		else if (flow->queued[from])
			return COPIED_ALL;
		else if (has(flow->ended, from)) {
			if (!has(flow->told, from) && has(flow->writable, !from))
				tell_end(f, flow, from);
			return COPIED_ALL;
		} else if (!has(flow->readable, from) || !has(flow->writable, !from))
			return COPIED_ALL;
		else if (!take_pipe(f, flow, from))
			good = pass_peeked(f, flow, from);
		else if (has(flow->bulk, from))
			good = pass_spliced(f, flow, from);
		else
			good = pass_copied(f, flow, from);
		if (!good)
			return COPIED_NEVER;
	}
	return COPIED_SOME;
}
