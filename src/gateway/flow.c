/* gateway/flow - UDP and echoes: a connected socket of the host's for each pair of addresses and ports
 *
 * An echo needs what the kernel calls a ping socket, which net.ipv4.ping_group_range gives to groups of users; whoever
 * has none learns that it is prohibited. What routers and hosts report comes back as it came, so that path MTUs, refused
 * ports and traceroute work. A flow that nobody answers is forgotten soon. */
#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/policy.h"
#include "gateway/trouble.h"
#include "sys/fd.h"

#define UNANSWERED_MS 20000
#define ANSWERED_MS 180000
#define ECHO_HEADER 8
#define READ_AT_ONCE 32
#define TRACING_HOPS 33
#define STANDARD_HOPS (-1)

struct flow {
	struct entry entry;
	int fd;
	int hops;			/* that the socket was told to use */
	bool answered;
	int64_t used;
};

static struct flow places[GATEWAY_FLOWS];
static uint32_t buckets[GATEWAY_FLOWS];
static struct table table;

void flow_init(struct gateway *g)
{
	table_init(&table, places, sizeof(places[0]), buckets, GATEWAY_FLOWS, GATEWAY_FLOWS * g->scale / 100);
}

static bool is_v6(const struct flow *f)
{
	return !packet_is_v4(&f->entry.tuple.from);
}

static bool is_echo(const struct flow *f)
{
	return f->entry.tuple.protocol == IPPROTO_ICMP;
}

static void forget(struct flow *f)
{
	close(f->fd);
	sources_give(&f->entry.tuple.from, SHARE_FLOWS);
	table_remove(&table, f);
}

/* --- opening */

static int open_socket(struct gateway *g, const struct packet *p)
{
	union address to;
	_cleanup_fd_ int fd = -1;
	int protocol = p->tuple.protocol == IPPROTO_UDP ? IPPROTO_UDP : p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

	if (!gateway_destination(g, &p->tuple, 0, &to)) {
		errno = ENETUNREACH;
		return -1;
	}
	fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		return -1;
	trouble_want(fd, p->v6, true);
	if (connect(fd, &to.any, gateway_address_size(&to)) < 0)
		return -1;
	return fd_take(&fd);
}

/* The place of the flow that was silent longest, when all are taken. */
static struct flow *place(const struct packet *p)
{
	struct flow *f;

	if (!sources_take(&p->tuple.from, SHARE_FLOWS))
		return NULL;
	f = table_add(&table, &p->tuple);
	if (!f && table.used) {
		forget(table_oldest(&table));
		f = table_add(&table, &p->tuple);
	}
	if (!f)
		sources_give(&p->tuple.from, SHARE_FLOWS);
	return f;
}

static struct flow *open_flow(struct gateway *g, const struct packet *p)
{
	_cleanup_fd_ int fd = open_socket(g, p);
	enum trouble trouble;
	struct flow *f;

	if (fd < 0 && trouble_of_errno(errno, &trouble))
		gateway_refuse(g, p, trouble);
	f = fd < 0 ? NULL : place(p);
	if (!f)
		return NULL;
	f->fd = fd_take(&fd);
	f->hops = STANDARD_HOPS;
	if (gateway_watch(g, f->fd, TAG_FLOW, 0, &table, f, EPOLLIN) == 0)
		return f;
	forget(f);
	return NULL;
}

/* --- out */

static ssize_t send_data(const struct flow *f, const struct packet *p)
{
	uint8_t header[ECHO_HEADER] = { p->v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO };
	struct iovec parts[2] = { { header, sizeof(header) }, { (void *)(uintptr_t)p->data, p->data_size } };
	struct msghdr m = { .msg_iov = parts + !is_echo(f), .msg_iovlen = 1 + is_echo(f) };

	header[6] = (uint8_t)(p->sequence >> 8);
	header[7] = (uint8_t)p->sequence;
	return sendmsg(f->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void set_hops(struct flow *f, const struct packet *p)
{
	int hops = p->hops < TRACING_HOPS ? p->hops : STANDARD_HOPS;

	if (hops == f->hops)
		return;
	setsockopt(f->fd, p->v6 ? IPPROTO_IPV6 : IPPROTO_IP, p->v6 ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof(hops));
	f->hops = hops;
}

/* message: an echo with its header, as ping sockets give it. */
static size_t make_echo(const struct tuple *t, bool reply, const uint8_t *message, size_t n, uint8_t ret[PACKET_MAX])
{
	if (n < ECHO_HEADER)
		return 0;
	return packet_make_echo(t, reply, (uint16_t)(message[6] << 8 | message[7]), message + ECHO_HEADER, n - ECHO_HEADER, ret);
}

/* Reports about what was sent before: told to the container as if they had come to it. */
static void pass_reports(struct gateway *g, const struct flow *f)
{
	struct tuple t = f->entry.tuple;
	struct trouble_report r;

	while (trouble_read(f->fd, is_v6(f), g->data, sizeof(g->data), &r)) {
		uint8_t about[PACKET_ERROR_MAX];
		size_t n = r.n < sizeof(about) - PACKET_HEADERS_MAX ? r.n : sizeof(about) - PACKET_HEADERS_MAX;

		if (is_echo(f))
			n = make_echo(&t, false, g->data, n, g->out);
		else
			n = packet_make_udp(&t, g->data, n, g->out);
		memcpy(about, g->out, n);
		gateway_write(g, packet_make_trouble(&r.by, r.trouble, about, n, g->out));
	}
}

static void send_out(struct gateway *g, struct flow *f, const struct packet *p)
{
	enum trouble trouble;

	set_hops(f, p);
	f->used = g->now;
	table_touch(&table, f);
	if (send_data(f, p) >= 0)
		return;
	/* A first failure may be that of an earlier datagram. */
	pass_reports(g, f);
	if (send_data(f, p) >= 0)
		return;
	pass_reports(g, f);
	if (errno != ECONNREFUSED && trouble_of_errno(errno, &trouble))
		gateway_refuse(g, p, trouble);
}

/* An echo to the forwarder's address is answered here: it shows that the gateway lives. */
static bool answer_here(struct gateway *g, const struct packet *p, enum policy policy)
{
	struct tuple back = packet_reverse(&p->tuple);

	if (policy == POLICY_REFUSE) {
		gateway_refuse(g, p, TROUBLE_PROHIBITED);
	} else if (policy == POLICY_DNS && p->tuple.protocol == IPPROTO_ICMP) {
		gateway_write(g, packet_make_echo(&back, true, (uint16_t)p->sequence, p->data, p->data_size, g->out));
	} else if (policy == POLICY_DNS) {
		if (p->tuple.to_port == 53)
			dns_query(g, p);
		else
			gateway_refuse(g, p, TROUBLE_NO_PORT);
	}
	return policy == POLICY_REFUSE || policy == POLICY_DNS || policy == POLICY_IGNORE;
}

void flow_packet(struct gateway *g, const struct packet *p)
{
	struct flow *f = table_find(&table, &p->tuple);

	if (!f && answer_here(g, p, policy_judge(&p->tuple.to)))
		return;
	if (!f)
		f = open_flow(g, p);
	if (f)
		send_out(g, f, p);
}

/* --- back */

static size_t make_answer(struct gateway *g, const struct flow *f, size_t n)
{
	struct tuple back = packet_reverse(&f->entry.tuple);

	return is_echo(f) ? make_echo(&back, true, g->data, n, g->out) : packet_make_udp(&back, g->data, n, g->out);
}

void flow_event(struct gateway *g, uint32_t index, uint16_t generation, uint32_t events)
{
	struct flow *f = table_at(&table, index);

	if (!f || !f->entry.used || f->entry.generation != generation)
		return;
	if (events & EPOLLERR)
		pass_reports(g, f);
	for (int i = 0; i < READ_AT_ONCE; i++) {
		ssize_t n = recv(f->fd, g->data, sizeof(g->data), MSG_DONTWAIT);

		if (n < 0)
			break;
		gateway_write(g, make_answer(g, f, (size_t)n));
		f->answered = true;
		f->used = g->now;
		table_touch(&table, f);
	}
}

/* --- time */

bool flow_expire(struct gateway *g)
{
	struct flow *f = table_oldest(&table), *next;

	for (; f && g->now - f->used > UNANSWERED_MS; f = next) {
		next = table_newer(&table, f);
		if (!f->answered || g->now - f->used > ANSWERED_MS)
			forget(f);
	}
	return table.used > 0;
}
