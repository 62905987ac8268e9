/* The forwarder's side of offers (monitor/offer.h): a client whom the container may accept itself.
 *
 * As long as that is open the client's socket must keep what it has received. But a container whose accept the monitor does
 * not see, or let the kernel do, waits for its bytes: so they are shown to it, sent on without being taken from the client's
 * socket. Whatever says that the container has accepted by itself (it answers), or that it is of no use any more (the client
 * has ended, much has come), withdraws the offer: what was shown is taken, and all goes on as without bypass. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "monitor/offer.h"
#include "sys/fd.h"

#define SHOWN_MAX (32 * 1024)		/* half of the least that a client may send without being read */

static struct offer *offer_of(const struct forwarder *f, const struct flow *flow)
{
	return &f->offers->offer[flow->offer - 1];
}

void forward_offer(struct forwarder *f, struct flow *flow, const union forward_name *client, uint16_t port)
{
	if (!f->offers || !forward_is_answerable(f->plan, client))
		return;
	for (uint32_t tries = 0; tries < OFFERS; tries++) {
		uint32_t index = f->next_offer++ % OFFERS, word;
		struct offer *o = &f->offers->offer[index];

		word = atomic_load(&o->word);
		if (offer_state(word) != OFFER_FREE)
			continue;
		o->fd = flow->relay.fd[CLIENT];
		o->client = *client;
		o->port = port;
		atomic_store(&o->word, word + OFFER_STATES + OFFER_MADE);
		atomic_fetch_add(&f->offers->made, 1);
		flow->offer = index + 1;
		return;
	}
}

/* Without being taken out the set would keep a socket that others have open. */
static void let_go(struct forwarder *f, struct flow *flow)
{
	epoll_ctl(f->epoll, EPOLL_CTL_DEL, flow->relay.fd[CLIENT], NULL);
	fd_close(&flow->relay.fd[CLIENT]);
}

void forward_offer_end(struct forwarder *f, struct flow *flow)
{
	struct offer *o = flow->offer ? offer_of(f, flow) : NULL;
	uint32_t word;

	if (!o)
		return;
	word = atomic_load(&o->word);
	if (!offer_turn(o, word, OFFER_MADE, OFFER_FREE) && !offer_turn(o, word, OFFER_BACK, OFFER_FREE)) {
		let_go(f, flow);
		atomic_store(&o->word, word - word % OFFER_STATES + OFFER_STATES + OFFER_FREE);
		syscall(SYS_futex, &o->word, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	atomic_fetch_sub(&f->offers->made, 1);
	flow->offer = 0;
}

/* The client's bytes are passed on, and stay where they are. false: the offer has no future.
 * The container may get him meanwhile, read what was there and make him block: nothing here may wait for more. */
static bool show(struct forwarder *f, struct flow *flow)
{
	struct relay_half *client = &flow->relay.half[CLIENT], *container = &flow->relay.half[CONTAINER];
	ssize_t n, sent;

	if (container->readable || client->thorough)
		return false;
	if (!client->readable || !container->writable)
		return true;
	n = recv(flow->relay.fd[CLIENT], f->data, sizeof(f->data), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		client->readable = false;
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	if ((size_t)n < flow->shown)	/* it is the container's, who has read some of it */
		return true;
	sent = send(flow->relay.fd[CONTAINER], f->data + flow->shown, (size_t)n - flow->shown, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return false;
	flow->shown += sent < 0 ? 0 : (uint32_t)sent;
	flow->relay.carried = true;
	container->connecting = container->connecting && sent < 0;
	client->readable = container->awaited = (ssize_t)flow->shown < n;
	container->writable = !container->awaited;
	return flow->shown < SHOWN_MAX;
}

/* What was shown is known to the container: it is taken from the client, in pieces where urgent data lies between. */
static void begin_carrying(struct forwarder *f, struct flow *flow)
{
	ssize_t n;

	while (flow->shown && (n = recv(flow->relay.fd[CLIENT], f->data, flow->shown, MSG_DONTWAIT)) > 0)
		flow->shown -= (uint32_t)n;
	flow->shown = 0;
	flow->relay.half[CLIENT].readable = true;
}

enum offered forward_offered(struct forwarder *f, struct flow *flow)
{
	struct offer *o = offer_of(f, flow);
	enum offer_state state = offer_state(atomic_load(&o->word));

	if (state == OFFER_MADE && show(f, flow))
		return OFFERED_STILL;
	if (state == OFFER_MADE && offer_turn(o, atomic_load(&o->word), OFFER_MADE, OFFER_FREE)) {
		atomic_fetch_sub(&f->offers->made, 1);
		flow->offer = 0;
		begin_carrying(f, flow);
		return OFFERED_NO_MORE;
	}
	switch (offer_state(atomic_load(&o->word))) {
	case OFFER_GIVEN:
		return OFFERED_GIVEN;
	case OFFER_BACK:
		return OFFERED_BACK;
	default:
		return OFFERED_STILL;	/* the monitor has it in its hands, and will close its end of the connection after */
	}
}
