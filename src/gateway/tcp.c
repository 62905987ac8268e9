/* gateway/tcp - connections: from a held SYN to a pair of sockets
 *
 * CONNECTING: the SYN is kept, the host's socket connects. HANDSHAKE: it has; the SYN was written back, and the namespace's
 * kernel and the container agree on the rest. OPEN: accepted; sys/relay moves its bytes. Whoever gives up before leaves
 * no trace here, so what nobody repeats any more is dropped. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/string.h"
#include "gateway/gateway.h"
#include "gateway/policy.h"
#include "gateway/trouble.h"
#include "sys/fd.h"
#include "sys/relay.h"

#define CONNECTING_MAX 1024u
#define SYN_MAX 160			/* headers with all their options */
#define HANDSHAKE_MS 10000
#define PATIENCE_MS 4000
#define TRACING_HOPS 33			/* fewer are left: somebody counts routers */

enum { INSIDE, OUTSIDE };		/* the sides of a relay: the container's socket, and the host's */
enum state { CONNECTING, HANDSHAKE, OPEN };

struct syn {
	uint8_t bytes[SYN_MAX];
	uint16_t n;
	uint16_t next;			/* of the free ones */
};

struct connection {
	struct entry entry;
	struct relay relay;		/* before OPEN only its outside socket */
	enum state state;
	uint16_t syn;
	uint8_t attempt;		/* name servers tried before */
	bool tracing, queued, eased;
	bool watched;			/* the inside socket, too */
	int64_t since, last;		/* the first SYN, and the last; or of the state */
};

static struct connection places[GATEWAY_CONNECTIONS];
static uint32_t buckets[GATEWAY_CONNECTIONS];
static struct table table;
static struct syn syns[CONNECTING_MAX];
static uint16_t syn_free, syn_untouched;
static uint32_t waiting;		/* connections that are not open yet */
/* What is to be moved on in the next round. An entry may stand here for one that has gone since; a round adds at most what
 * was there, and one for each event. */
static uint32_t queues[2][GATEWAY_CONNECTIONS + 1024], *queue = queues[0];
static size_t queue_n;

void tcp_init(struct gateway *g)
{
	table_init(&table, places, sizeof(places[0]), buckets, GATEWAY_CONNECTIONS, GATEWAY_CONNECTIONS * g->scale / 100);
	syn_free = CONNECTING_MAX;
}

/* --- SYNs that are held */

static uint16_t keep_syn(const struct packet *p)
{
	uint16_t place = syn_free;

	if (place < CONNECTING_MAX)
		syn_free = syns[place].next;
	else if (syn_untouched < CONNECTING_MAX)
		place = syn_untouched++;
	else
		return CONNECTING_MAX;
	memcpy(syns[place].bytes, p->bytes, p->size);
	syns[place].n = (uint16_t)p->size;
	return place;
}

static void drop_syn(struct connection *c)
{
	if (c->state != CONNECTING)
		return;
	syns[c->syn].next = syn_free;
	syn_free = c->syn;
	sources_give(&c->entry.tuple.from, SHARE_CONNECTING);
}

/* --- ends */

static void forget(struct connection *c, bool broken)
{
	drop_syn(c);
	waiting -= c->state != OPEN;
	relay_close(&c->relay, broken);
	sources_give(&c->entry.tuple.from, SHARE_CONNECTIONS);
	table_remove(&table, c);
}

static struct packet held_packet(const struct connection *c)
{
	struct packet p;

	packet_parse(syns[c->syn].bytes, syns[c->syn].n, &p);
	return p;
}

/* What a router or the target said of it, word for word. */
static bool pass_report(struct gateway *g, const struct connection *c, const struct packet *p)
{
	struct trouble_report report;

	if (!c->tracing || !trouble_read(c->relay.fd[OUTSIDE], p->v6, g->data, sizeof(g->data), &report))
		return false;
	gateway_write(g, packet_make_trouble(&report.by, report.trouble, p->bytes, p->size, g->out));
	return true;
}

/* Time-outs are silent, and what is lacking only now passes: the SYN comes again. */
static void answer_failure(struct gateway *g, const struct connection *c, int number)
{
	struct packet p = held_packet(c);
	enum trouble trouble;

	if (pass_report(g, c, &p))
		return;
	if (number == ECONNREFUSED)
		gateway_write(g, packet_make_reset(&p, g->out));
	else if (number != EADDRNOTAVAIL && trouble_of_errno(number, &trouble))
		gateway_refuse(g, &p, trouble);
}

/* --- CONNECTING */

static bool is_same(const union address *a, const union address *b)
{
	return a->any.sa_family == AF_INET ? a->in.sin_addr.s_addr == b->in.sin_addr.s_addr
					   : IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

/* To the host itself nothing is lost, and pacing would only cost: a control that paces must not even begin, since its timers
 * stay when it goes. */
static void ease(struct connection *c, int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	c->eased = true;
}

static void ease_own(struct gateway *g, struct connection *c, int fd, const union address *to)
{
	union address host = { 0 };

	gateway_make_address(&g->facts.host[to->any.sa_family == AF_INET6], 0, &host);
	if (host.any.sa_family == to->any.sa_family && is_same(&host, to))
		ease(c, fd);
}

/* Another of the host's own addresses? */
static void ease_local(struct gateway *g, struct connection *c)
{
	int fd = c->relay.fd[OUTSIDE];
	union address own, to;
	socklen_t n = sizeof(own);

	if (!c->eased && gateway_destination(g, &c->entry.tuple, c->attempt, &to) &&
	    getsockname(fd, &own.any, &n) == 0 && is_same(&own, &to))
		ease(c, fd);
}

static int connect_outside(struct gateway *g, struct connection *c, const struct packet *p)
{
	union address to;
	_cleanup_fd_ int fd = -1;
	int on = 1, hops = p->hops;

	if (!gateway_destination(g, &c->entry.tuple, c->attempt, &to)) {
		errno = ENETUNREACH;
		return -1;
	}
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	ease_own(g, c, fd, &to);
	if (c->tracing) {
		setsockopt(fd, p->v6 ? IPPROTO_IPV6 : IPPROTO_IP, p->v6 ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof(hops));
		trouble_want(fd, p->v6, true);
	}
	if (gateway_watch(g, fd, TAG_TCP, OUTSIDE, &table, c, RELAY_EVENTS | EPOLLOUT) < 0 ||
	    (connect(fd, &to.any, gateway_address_size(&to)) < 0 && errno != EINPROGRESS))
		return -1;
	relay_init(&c->relay, -1, fd_take(&fd));
	return 0;
}

/* Another name server, while there is one. */
static bool connect_again(struct gateway *g, struct connection *c)
{
	struct packet p = held_packet(c);

	if (policy_judge(&p.tuple.to) != POLICY_DNS)
		return false;
	while (++c->attempt < g->facts.servers_n) {
		relay_reset(&c->relay.fd[OUTSIDE]);
		if (connect_outside(g, c, &p) == 0)
			return true;
	}
	return false;
}

static void fail(struct gateway *g, struct connection *c, int number)
{
	if (connect_again(g, c))
		return;
	answer_failure(g, c, number);
	forget(c, true);
}

/* A new entry with all that it is counted by; NULL: there is too much already. */
static struct connection *add(struct gateway *g, const struct packet *p)
{
	const struct in6_addr *from = &p->tuple.from;
	struct connection *c;
	uint16_t syn;

	if (!sources_take(from, SHARE_CONNECTIONS))
		return NULL;
	if (sources_take(from, SHARE_CONNECTING)) {
		syn = keep_syn(p);
		c = syn < CONNECTING_MAX ? table_add(&table, &p->tuple) : NULL;
		if (c) {
			waiting++;
			relay_init(&c->relay, -1, -1);
			c->syn = syn;
			c->since = c->last = g->now;
			c->tracing = p->hops < TRACING_HOPS;
			return c;
		}
		if (syn < CONNECTING_MAX) {
			syns[syn].next = syn_free;
			syn_free = syn;
		}
		sources_give(from, SHARE_CONNECTING);
	}
	sources_give(from, SHARE_CONNECTIONS);
	return NULL;
}

static void open_connection(struct gateway *g, const struct packet *p)
{
	enum policy policy = policy_judge(&p->tuple.to);
	struct connection *c;

	if (policy == POLICY_IGNORE || p->size > SYN_MAX)
		return;
	if (policy == POLICY_REFUSE) {
		gateway_refuse(g, p, TROUBLE_PROHIBITED);
		return;
	}
	if (policy == POLICY_DNS && p->tuple.to_port != 53) {
		gateway_write(g, packet_make_reset(p, g->out));
		return;
	}
	c = add(g, p);
	if (c && connect_outside(g, c, p) < 0)
		fail(g, c, errno);
}

/* No router's reports any more, and as many hops as ever. */
static void end_tracing(const struct connection *c)
{
	bool v6 = !packet_is_v4(&c->entry.tuple.from);
	int fd = c->relay.fd[OUTSIDE], standard = -1;

	trouble_want(fd, v6, false);
	setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &standard, sizeof(standard));
}

/* The host's side answered. */
static void take_answer(struct gateway *g, struct connection *c, uint32_t events)
{
	int number = 0, fd = c->relay.fd[OUTSIDE];
	socklen_t n = sizeof(number);

	if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) < 0)
		number = errno;
	if (number) {
		fail(g, c, number);
		return;
	}
	if (c->tracing)
		end_tracing(c);
	ease_local(g, c);
	relay_note(&c->relay, OUTSIDE, events);
	link_write(&g->setup.link, syns[c->syn].bytes, syns[c->syn].n);
	drop_syn(c);
	c->state = HANDSHAKE;
	c->since = g->now;
}

/* --- what comes from out0 */

/* A SYN of a connection that is known, or a segment of a program in the namespace itself: all else of a connection never
 * comes here. A repeated SYN shows that somebody still waits; one for an open connection is its own kernel's to judge. */
static void known_packet(struct gateway *g, struct connection *c, const struct packet *p)
{
	if (c->state != CONNECTING)
		link_write(&g->setup.link, p->bytes, p->size);
	else if (p->flags & TCP_RST)
		forget(c, true);
	else if ((p->flags & TCP_SYN) && p->size <= SYN_MAX) {
		memcpy(syns[c->syn].bytes, p->bytes, p->size);
		syns[c->syn].n = (uint16_t)p->size;
		c->last = g->now;
	}
}

void tcp_packet(struct gateway *g, const struct packet *p)
{
	struct connection *c = table_find(&table, &p->tuple);

	if (c)
		known_packet(g, c, p);
	else if ((p->flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == TCP_SYN)
		open_connection(g, p);
	else if (policy_judge(&p->tuple.to) != POLICY_IGNORE)
		gateway_write(g, packet_make_reset(p, g->out));
}

/* --- OPEN */

static void enqueue(struct connection *c)
{
	if (c->queued || queue_n == ELEMENTS(queues[0]))
		return;
	c->queued = true;
	queue[queue_n++] = table_index(&table, c);
}

static int watch_inside(struct gateway *g, const struct connection *c, uint32_t more)
{
	return gateway_watch(g, c->relay.fd[INSIDE], TAG_TCP, INSIDE, &table, c, RELAY_EVENTS | more);
}

/* True when the connection is still there. */
static bool move(struct gateway *g, struct connection *c)
{
	enum relay_state state = relay_move(&c->relay);

	if (state == RELAY_DONE || state == RELAY_BROKEN) {
		forget(c, state == RELAY_BROKEN);
		return false;
	}
	if (state == RELAY_MORE)
		enqueue(c);
	if (c->watched && relay_wants_room(&c->relay, INSIDE))
		watch_inside(g, c, EPOLLOUT);
	return true;
}

static bool read_tuple(int fd, const union address *peer, struct tuple *ret)
{
	union address own;
	socklen_t n = sizeof(own);

	if (getsockname(fd, &own.any, &n) < 0)
		return false;
	*ret = (struct tuple){ .protocol = IPPROTO_TCP, .from_port = ntohs(peer->in.sin_port),
			       .to_port = ntohs(own.in.sin_port) };
	if (peer->any.sa_family == AF_INET6) {
		ret->from = peer->in6.sin6_addr;
		ret->to = own.in6.sin6_addr;
		return true;
	}
	ret->from.s6_addr[10] = ret->from.s6_addr[11] = ret->to.s6_addr[10] = ret->to.s6_addr[11] = 0xff;
	memcpy(ret->from.s6_addr + 12, &peer->in.sin_addr, 4);
	memcpy(ret->to.s6_addr + 12, &own.in.sin_addr, 4);
	return true;
}

static void join(struct gateway *g, int inside, const union address *peer)
{
	struct tuple tuple;
	struct connection *c = read_tuple(inside, peer, &tuple) ? table_find(&table, &tuple) : NULL;

	if (!c || c->state != HANDSHAKE) {
		relay_reset(&inside);
		return;
	}
	c->relay.fd[INSIDE] = inside;
	c->state = OPEN;
	waiting--;
	/* What was said already is passed on before the socket is watched, which would tell of it. */
	relay_note(&c->relay, INSIDE, EPOLLIN);
	if (!move(g, c))
		return;
	c->watched = true;
	if (watch_inside(g, c, relay_wants_room(&c->relay, INSIDE) ? EPOLLOUT : 0) < 0)
		forget(c, true);
}

/* Until nobody waits there: the listening sockets tell of newcomers once. */
void tcp_accept(struct gateway *g, unsigned listener)
{
	union address peer;
	int fd;

	do {
		socklen_t n = sizeof(peer);

		fd = accept4(g->setup.listener[listener], &peer.any, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			join(g, fd, &peer);
	} while (fd >= 0);
}

void tcp_event(struct gateway *g, uint32_t index, uint16_t generation, unsigned side, uint32_t events)
{
	struct connection *c = table_at(&table, index);

	if (!c || !c->entry.used || c->entry.generation != generation)
		return;
	if (c->state == CONNECTING) {
		take_answer(g, c, events);
		return;
	}
	relay_note(&c->relay, side, events);
	if (c->state == OPEN && !c->queued)
		move(g, c);
}

bool tcp_continue(struct gateway *g)
{
	const uint32_t *now = queue;
	size_t n = queue_n;

	queue = queue == queues[0] ? queues[1] : queues[0];
	queue_n = 0;
	for (size_t i = 0; i < n; i++) {
		struct connection *c = &places[now[i]];

		if (!c->queued)
			continue;
		c->queued = false;
		if (c->entry.used && c->state == OPEN)
			move(g, c);
	}
	return queue_n > 0;
}

/* --- time */

/* SYNs are repeated after twice the time each: one that is overdue by much will not come. */
static bool is_given_up(const struct gateway *g, const struct connection *c)
{
	if (c->state == HANDSHAKE)
		return g->now - c->since > HANDSHAKE_MS;
	return c->state == CONNECTING && g->now - c->last > PATIENCE_MS + (c->last - c->since) * 3 / 2;
}

bool tcp_expire(struct gateway *g)
{
	struct connection *c = table_oldest(&table), *next;

	/* Those who found no descriptor left before. */
	for (unsigned i = 0; i < 2 && waiting; i++)
		if (g->setup.listener[i] >= 0)
			tcp_accept(g, i);
	for (; c && waiting; c = next) {
		next = table_newer(&table, c);
		if (is_given_up(g, c))
			forget(c, true);
	}
	return relay_trim() || waiting > 0;
}
