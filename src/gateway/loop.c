#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/policy.h"
#include "gateway/sandbox.h"
#include "sys/clock.h"
#include "sys/gateway.h"

#define EVENTS_AT_ONCE 128
#define PACKETS_AT_ONCE 64
#define TICK_MS 1000
#define FACTS_OLD_MS 3000
#define FILES_APART 64			/* that are no connection's, flow's or query's */

static struct gateway gateway;

/* --- what the modules share */

static uint64_t event_key(enum tag tag, unsigned side, uint16_t generation, uint32_t index)
{
	return (uint64_t)tag << 56 | (uint64_t)side << 48 | (uint64_t)generation << 32 | index;
}

int gateway_watch(struct gateway *g, int fd, enum tag tag, unsigned side, const struct table *table, const void *entry,
		  uint32_t events)
{
	uint32_t index = table ? table_index(table, entry) : 0;
	uint16_t generation = table ? ((const struct entry *)entry)->generation : 0;
	struct epoll_event e = { .events = events, .data.u64 = event_key(tag, side, generation, index) };

	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return 0;
	return errno == EEXIST ? epoll_ctl(g->epoll, EPOLL_CTL_MOD, fd, &e) : -1;
}

void gateway_write(struct gateway *g, size_t n)
{
	link_write(&g->setup.link, g->out, n);
}

void gateway_refuse(struct gateway *g, const struct packet *p, enum trouble trouble)
{
	struct in6_addr by;

	policy_address(p->v6 ? GATEWAY_DNS6 : GATEWAY_DNS, &by);
	gateway_write(g, packet_make_trouble(&by, packet_trouble(p->v6, trouble), p->bytes, p->size, g->out));
}

void gateway_make_address(const struct in6_addr *a, uint16_t port, union address *ret)
{
	*ret = (union address){ 0 };
	ret->in.sin_port = htons(port);		/* the port's place is the same in both */
	if (packet_is_v4(a)) {
		ret->in.sin_family = AF_INET;
		memcpy(&ret->in.sin_addr, a->s6_addr + 12, 4);
		return;
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_addr = *a;
}

bool gateway_destination(struct gateway *g, const struct tuple *t, unsigned attempt, union address *ret)
{
	const struct in6_addr *host = &g->facts.host[!packet_is_v4(&t->to)];

	switch (policy_judge(&t->to)) {
	case POLICY_OUT:
		gateway_make_address(&t->to, t->to_port, ret);
		return true;
	case POLICY_HOST:
		gateway_refresh_facts(g);
		gateway_make_address(host, t->to_port, ret);
		return !IN6_IS_ADDR_UNSPECIFIED(host);
	case POLICY_DNS:
		gateway_refresh_facts(g);
		if (g->facts.servers_n)
			*ret = g->facts.servers[(g->server + attempt) % g->facts.servers_n];
		return g->facts.servers_n > 0;
	default:
		return false;
	}
}

socklen_t gateway_address_size(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

void gateway_refresh_facts(struct gateway *g)
{
	if (g->now - g->facts_asked < FACTS_OLD_MS)
		return;
	g->facts_asked = g->now;
	if (send(g->supervisor, "?", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void take_facts(struct gateway *g)
{
	struct facts facts;
	ssize_t n = recv(g->supervisor, &facts, sizeof(facts), MSG_DONTWAIT);

	if (n == 0)
		_exit(0);	/* the supervisor is gone */
	if (n == (ssize_t)sizeof(facts))
		g->facts = facts;
}

/* --- the loop */

static void read_packets(struct gateway *g)
{
	for (int i = 0; i < PACKETS_AT_ONCE; i++) {
		size_t n = link_read(&g->setup.link, g->in, sizeof(g->in));
		struct packet p;

		if (n == 0)
			return;
		if (!packet_parse(g->in, n, &p) || !policy_is_source(&p.tuple.from))
			continue;
		if (p.tuple.protocol == IPPROTO_TCP)
			tcp_packet(g, &p);
		else
			flow_packet(g, &p);
	}
}

static void dispatch(struct gateway *g, const struct epoll_event *e)
{
	uint32_t index = (uint32_t)e->data.u64;
	uint16_t generation = (uint16_t)(e->data.u64 >> 32);
	unsigned side = (e->data.u64 >> 48) & 0xff;

	switch ((enum tag)(e->data.u64 >> 56)) {
	case TAG_LINK:
		read_packets(g);
		break;
	case TAG_LISTENER:
		tcp_accept(g, side);
		break;
	case TAG_SUPERVISOR:
		take_facts(g);
		break;
	case TAG_TCP:
		tcp_event(g, index, generation, side, e->events);
		break;
	case TAG_FLOW:
		flow_event(g, index, generation, e->events);
		break;
	case TAG_QUERY:
		dns_event(g, index, generation, e->events);
		break;
	}
}

/* True while there is something that time can change. */
static bool expire(struct gateway *g)
{
	bool more = tcp_expire(g);

	more = flow_expire(g) || more;
	return dns_expire(g) || more;
}

_Noreturn static void loop(struct gateway *g)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t tick = 0;
	bool hurry = false, aging = false;

	for (;;) {
		int n = epoll_wait(g->epoll, events, EVENTS_AT_ONCE, hurry ? 0 : aging ? TICK_MS : -1);

		if (n < 0 && errno != EINTR)
			_exit(1);
		g->now = clock_now_ms();
		for (int i = 0; i < n; i++)
			dispatch(g, &events[i]);
		hurry = tcp_continue(g);
		if (g->now - tick < TICK_MS) {
			aging = true;
			continue;
		}
		tick = g->now;
		aging = expire(g);
	}
}

/* How many of a hundred places can be used with the open files that this process may have: a connection has two, and two
 * more for each direction in which bytes are on their way. */
static unsigned find_scale(void)
{
	const rlim_t others = GATEWAY_FLOWS + GATEWAY_QUERIES + FILES_APART;
	const rlim_t most = GATEWAY_CONNECTIONS * 6 + others, usual = GATEWAY_CONNECTIONS * 3 + others;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 1;
	files.rlim_cur = files.rlim_max < most ? files.rlim_max : most;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur >= usual)
		return 100;
	return files.rlim_cur <= FILES_APART * 2 ? 1 : (unsigned)((files.rlim_cur - FILES_APART) * 100 / usual) + 1;
}

static int watch_all(struct gateway *g)
{
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (g->epoll < 0 || gateway_watch(g, g->setup.link.fd, TAG_LINK, 0, NULL, NULL, EPOLLIN) < 0 ||
	    gateway_watch(g, g->supervisor, TAG_SUPERVISOR, 0, NULL, NULL, EPOLLIN) < 0)
		return -1;
	for (unsigned i = 0; i < 2; i++)
		if (g->setup.listener[i] >= 0 &&
		    gateway_watch(g, g->setup.listener[i], TAG_LISTENER, i, NULL, NULL, EPOLLIN | EPOLLET) < 0)
			return -1;
	return 0;
}

_Noreturn void gateway_run(const struct setup *setup, int supervisor, const struct facts *facts)
{
	struct gateway *g = &gateway;

	g->setup = *setup;
	g->supervisor = supervisor;
	g->facts = *facts;
	g->now = clock_now_ms();
	g->scale = find_scale();
	sources_init();
	tcp_init(g);
	flow_init(g);
	dns_init(g);
	if (watch_all(g) < 0 || sandbox_enter() < 0)
		_exit(1);
	loop(g);
}
