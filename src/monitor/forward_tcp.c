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

static bool is_used(const struct flow *flow)
{
	return flow->relay.fd[CLIENT] >= 0;
}

static uint32_t take_flow(struct forwarder *f)
{
	uint32_t index = f->free_flow;

	if (index != NOBODY)
		f->free_flow = f->flow[index].next;
	else if (f->flows_touched < FLOWS)
		index = f->flows_touched++;
	else
		return NOBODY;
	f->flow[index] = (struct flow){ .next = NOBODY, .since_s = f->now_s, .round = f->round };
	relay_init(&f->flow[index].relay, -1, -1);
	f->flows++;
	return index;
}

static void give_flow(struct forwarder *f, uint32_t index)
{
	f->flow[index].next = f->free_flow;
	f->free_flow = index;
	f->flows--;
}

/* The list of the busy is walked by forward_continue alone: a flow that ends stays in it until then. */
static void end_flow(struct forwarder *f, uint32_t index, bool broken)
{
	struct flow *flow = &f->flow[index];

	forward_offer_end(f, flow);
	relay_close(&flow->relay, broken);
	if (!flow->busy)
		give_flow(f, index);
}

/* Ends the connection that has been silent since its beginning for longest; false when all have said something. */
static bool make_room(struct forwarder *f)
{
	uint32_t oldest = NOBODY;

	for (uint32_t i = 0; i < f->flows_touched; i++) {
		const struct flow *flow = &f->flow[i];

		if (is_used(flow) && !flow->relay.carried && f->now_s - flow->since_s >= SILENT_S &&
		    (oldest == NOBODY || flow->since_s < f->flow[oldest].since_s))
			oldest = i;
	}
	if (oldest == NOBODY)
		return false;
	end_flow(f, oldest, true);
	return true;
}

/* --- bytes */

static int watch_end(const struct forwarder *f, struct flow *flow, enum end end)
{
	uint32_t index = (uint32_t)(flow - f->flow), events = RELAY_EVENTS;

	if (relay_wants_room(&flow->relay, end))
		events |= EPOLLOUT;
	else if (flow->watched)
		return 0;
	return forward_watch(f->epoll, flow->relay.fd[end], events, forward_number(FORWARD_FLOW, index << 1 | end));
}

static int watch_ends(const struct forwarder *f, struct flow *flow)
{
	return watch_end(f, flow, CLIENT) < 0 || watch_end(f, flow, CONTAINER) < 0 ? -1 : 0;
}

static void begin_bulk(struct flow *flow)
{
	if (flow->eased || !flow->relay.half[CONTAINER].bulk)
		return;
	forward_ease(flow->relay.fd[CLIENT]);
	flow->eased = true;
}

static void serve(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];
	enum relay_state state = relay_move(&flow->relay);

	if (state == RELAY_DONE || state == RELAY_BROKEN) {
		end_flow(f, index, state == RELAY_BROKEN);
		return;
	}
	begin_bulk(flow);
	if (flow->watched)
		watch_ends(f, flow);
	if (state == RELAY_MORE && !flow->busy) {
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

/* Who waits in the queue gets the places of the silent, as soon as these have been silent long enough. */
void forward_resume(struct forwarder *f)
{
	if (!f->paused_until_ms || f->now_ms < f->paused_until_ms)
		return;
	if (f->flows >= f->flows_max && !make_room(f)) {
		f->paused_until_ms = f->now_ms + PAUSE_MS;
		return;
	}
	watch_sockets(f, EPOLLIN);
	f->paused_until_ms = 0;
}

/* The monitor could not give it to the container: it is carried, over a new connection. */
static void reach_again(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];
	union forward_name client = f->offers->offer[flow->offer - 1].client;
	uint16_t port = f->offers->offer[flow->offer - 1].port;
	int fd = flow->relay.fd[CLIENT];

	forward_offer_end(f, flow);
	relay_reset(&flow->relay.fd[CONTAINER]);
	relay_init(&flow->relay, fd, forward_reach(f->plan, SOCK_STREAM, &client, port));
	relay_set_connecting(&flow->relay, CONTAINER);
	relay_note(&flow->relay, CLIENT, EPOLLIN | EPOLLRDHUP);
	flow->watched = false;		/* this end to the container is another */
	flow->watched = flow->relay.fd[CONTAINER] >= 0 && watch_ends(f, flow) == 0;
	if (!flow->watched)
		end_flow(f, index, true);
}

/* true: there is nothing else to do for it. */
static bool is_offered(struct forwarder *f, uint32_t index)
{
	struct flow *flow = &f->flow[index];

	switch (flow->offer ? forward_offered(f, flow) : OFFERED_NO_MORE) {
	case OFFERED_STILL:
		if (flow->watched)
			watch_ends(f, flow);
		return true;
	case OFFERED_GIVEN:
		end_flow(f, index, true);
		return true;
	case OFFERED_BACK:
		reach_again(f, index);
		return !is_used(flow);
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
	flow->relay.fd[CONTAINER] = forward_reach(f->plan, SOCK_STREAM, client, f->plan->port[port].target);
	if (flow->relay.fd[CONTAINER] < 0) {
		end_flow(f, index, true);
		return;
	}
	relay_set_connecting(&flow->relay, CONTAINER);
	relay_note(&flow->relay, CLIENT, EPOLLIN);
	if (!is_offered(f, index))
		serve(f, index);
	if (!is_used(flow))
		return;
	flow->watched = watch_ends(f, flow) == 0;
	if (!flow->watched)
		end_flow(f, index, true);
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
	flow->relay.fd[CLIENT] = accept4(f->first_socket + (int)port, &client.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!is_used(flow)) {
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

/* In the round that a flow begins an event is of another one, which stood in its place and has ended in that round. */
void forward_flow_event(struct forwarder *f, uint32_t number, uint32_t events)
{
	uint32_t index = number >> 1;
	struct flow *flow = &f->flow[index];

	if (!is_used(flow) || flow->round == f->round)
		return;
	relay_note(&flow->relay, number & 1, events);
	if (!is_offered(f, index) && !flow->busy)
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
		if (!is_used(flow))
			give_flow(f, index);
		else
			serve(f, index);
	}
}
