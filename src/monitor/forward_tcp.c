/* TCP connections of the forwarder: how they begin and end. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/offer.h"
#include "sys/fd.h"

#define ACCEPTS 64			/* in a row */
#define SILENT_S 10			/* who has said nothing so long makes room when there is none */
#define PAUSE_MS 100

/* --- the table */

static uint32_t take_flow(struct forwarder *f)
{
	uint32_t index = f->free_flow;

	if (index != NOBODY)
		f->free_flow = f->flow[index].next;
	else if (f->flows_touched < FLOWS)
		index = f->flows_touched++;
	else
		return NOBODY;
	f->flow[index] = (struct flow){ .fd = { -1, -1 }, .pipe = { { -1, -1 }, { -1, -1 } }, .next = NOBODY,
					.since_s = f->now_s };
	f->flows++;
	return index;
}

static void give_flow(struct forwarder *f, uint32_t index)
{
	f->flow[index].fd[CLIENT] = -1;
	f->flow[index].next = f->free_flow;
	f->free_flow = index;
	f->flows--;
}

/* The list of the busy is walked by forward_continue alone: a flow that ends stays in it until then. */
static void end_flow(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];

	forward_offer_end(f, flow);
	forward_give_pipes(f, flow);
	fd_close(&flow->fd[CLIENT]);
	fd_close(&flow->fd[CONTAINER]);
	if (!flow->busy)
		give_flow(f, index);
}

/* Close says "reset" instead of "no more": the other end broke. */
static void break_off(int fd)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void break_flow(struct forwarder *f, uint32_t index)
{
	forward_offer_end(f, &f->flow[index]);
	break_off(f->flow[index].fd[CLIENT]);
	break_off(f->flow[index].fd[CONTAINER]);
	end_flow(f, index);
}

/* Ends the connection that has been silent since its beginning for longest; false when all have said something. */
static bool make_room(struct forwarder *f)
{
	uint32_t oldest = NOBODY;

	for (uint32_t i = 0; i < f->flows_touched; i++) {
		const struct flow *flow = &f->flow[i];

		if (flow->fd[CLIENT] >= 0 && !flow->carried && f->now_s - flow->since_s >= SILENT_S &&
		    (oldest == NOBODY || flow->since_s < f->flow[oldest].since_s))
			oldest = i;
	}
	if (oldest == NOBODY)
		return false;
	break_flow(f, oldest);
	return true;
}

/* --- bytes */

static void serve(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];
	enum copied ways[2];

	for (enum end from = CLIENT; from <= CONTAINER; from++) {
		ways[from] = forward_copy(f, flow, from);
		if (ways[from] == COPIED_NEVER) {
			break_flow(f, index);
			return;
		}
	}
	if (flow->told == (1 << CLIENT | 1 << CONTAINER)) {
		end_flow(f, index);
	} else if ((ways[CLIENT] == COPIED_SOME || ways[CONTAINER] == COPIED_SOME) && !flow->busy) {
		flow->busy = true;
		flow->next = f->busy_flow;
		f->busy_flow = index;
	}
}

/* --- accepting, or not */

static void watch_sockets(struct forwarder *f, uint32_t events)
{
	for (uint32_t i = 0; i < f->plan->ports; i++)
		if (f->plan->port[i].protocol == IPPROTO_TCP)
			forward_watch(f->epoll, f->first_socket + (int)i, events, forward_number(FORWARD_SOCKET, i));
}

/* Who connects now waits in the queue of the socket. */
static void pause_accepting(struct forwarder *f)
{
	watch_sockets(f, 0);
	f->paused_until_ms = f->now_ms + PAUSE_MS;
}

void forward_resume(struct forwarder *f)
{
	if (!f->paused_until_ms || f->now_ms < f->paused_until_ms || f->flows >= f->flows_max)
		return;
	watch_sockets(f, EPOLLIN);
	f->paused_until_ms = 0;
}

/* The monitor could not give it to the container: it is carried, over a new connection. */
static void reach_again(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];
	union forward_name client = f->offers->offer[flow->offer - 1].client;
	uint16_t port = f->offers->offer[flow->offer - 1].port;

	forward_offer_end(f, flow);
	break_off(flow->fd[CONTAINER]);
	fd_close(&flow->fd[CONTAINER]);
	flow->fd[CONTAINER] = forward_reach(f->plan, SOCK_STREAM, &client, port);
	flow->shown = 0;
	flow->linked = false;
	flow->awaited &= 1 << CLIENT;
	flow->hung &= 1 << CLIENT;
	flow->readable = 1 << CLIENT;
	flow->writable = 1 << CLIENT | 1 << CONTAINER;
	if (flow->fd[CONTAINER] < 0 || (flow->watched && forward_watch_end(f, flow, CONTAINER) < 0))
		break_flow(f, index);
}

/* true: there is nothing else to do for it. */
static bool is_offered(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];

	switch (flow->offer ? forward_offered(f, flow) : OFFERED_NO_MORE) {
	case OFFERED_STILL:
		return true;
	case OFFERED_GIVEN:
		break_off(flow->fd[CONTAINER]);
		end_flow(f, index);
		return true;
	case OFFERED_BACK:
		reach_again(f, index);
		return flow->fd[CLIENT] < 0;
	default:
		return false;
	}
}

/* What the client has said already is passed on before anything is watched: most are asked and answered once. */
static void open_flow(struct forwarder *f, uint32_t index, uint32_t port, union forward_name *client)
{
	struct flow *flow = &f->flow[index];

	forward_normalize(client);
	forward_offer(f, flow, client, f->plan->port[port].target);
	flow->fd[CONTAINER] = forward_reach(f->plan, SOCK_STREAM, client, f->plan->port[port].target);
	if (flow->fd[CONTAINER] < 0) {
		break_flow(f, index);
		return;
	}
	flow->readable = 1 << CLIENT;
	flow->writable = 1 << CLIENT | 1 << CONTAINER;
	if (!is_offered(f, index))
		serve(f, index);
	if (flow->fd[CLIENT] < 0)
		return;
	flow->watched = true;
	if (forward_watch_end(f, flow, CLIENT) < 0 || forward_watch_end(f, flow, CONTAINER) < 0)
		break_flow(f, index);
}

/* 1: one more may come; 0: nobody is there; -1: there is no room. */
static int accept_one(struct forwarder *f, uint32_t port)
{
	union forward_name client;
	socklen_t size = sizeof(client);
	uint32_t index = f->flows < f->flows_max || make_room(f) ? take_flow(f) : NOBODY;
	struct flow *flow = index == NOBODY ? NULL : &f->flow[index];

	if (!flow)
		return -1;
	flow->fd[CLIENT] = accept4(f->first_socket + (int)port, &client.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (flow->fd[CLIENT] < 0) {
		int number = errno;

		give_flow(f, index);
		if (number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM)
			return make_room(f) ? 1 : -1;
		return number == EAGAIN ? 0 : 1;	/* the others are about a connection that broke before */
	}
	open_flow(f, index, port, &client);
	return 1;
}

void forward_accept(struct forwarder *f, uint32_t port)
{
	int r = 1;

	if (f->round - f->accepted_round > 1)
		f->accepts = 1;
	for (unsigned i = 0; i < f->accepts && r > 0; i++)
		r = accept_one(f, port);
	f->accepts = r == 0 ? 1 : f->accepts < ACCEPTS ? f->accepts * 2 : ACCEPTS;
	f->accepted_round = f->round;
	if (r < 0)
		pause_accepting(f);
}

/* --- events */

static bool is_broken(int fd)
{
	int number = 0;
	socklen_t size = sizeof(number);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) < 0 || number != 0;
}

/* An event may be of a flow that has ended since, in whose place another stands: then it says too much, and the kernel's
 * EAGAIN puts that right. */
void forward_flow_event(struct forwarder *f, uint32_t number, uint32_t events)
{
	uint32_t index = number >> 1;
	struct flow *flow = &f->flow[index];
	uint8_t end = (uint8_t)(1 << (number & 1));

	if (flow->fd[CLIENT] < 0)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
		flow->readable |= end;
	if (events & (EPOLLRDHUP | EPOLLHUP))
		flow->hung |= end;
	if (events & EPOLLOUT)
		flow->writable |= end;
	if (is_offered(f, index))
		return;
	if ((events & EPOLLERR) && is_broken(flow->fd[number & 1])) {
		break_flow(f, index);
		return;
	}
	if (!flow->busy)
		serve(f, index);
}

void forward_continue(struct forwarder *f)
{
	uint32_t index = f->busy_flow, next;

	f->busy_flow = NOBODY;
	for (; index != NOBODY; index = next) {
		struct flow *flow = &f->flow[index];

		next = flow->next;
		flow->busy = false;
		if (flow->fd[CLIENT] < 0)
			give_flow(f, index);
		else
			serve(f, index);
	}
}
