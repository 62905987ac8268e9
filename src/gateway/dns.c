/* gateway/dns - questions for names, passed to the host's name servers
 *
 * A question has a socket of its own, so a port of the kernel's choice; its answer goes back as it came, unread but for
 * its number. A server that refuses or says nothing is followed by the next; when none is left, the answer is SERVFAIL.
 * One that answered is asked first from then on. Questions by TCP are connections to one of the servers (gateway/tcp). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/trouble.h"
#include "sys/fd.h"

#define HEADER 12
#define QUESTION_MAX 1500
#define TRY_MS 2500
#define ROUNDS 2			/* through all servers */

struct query {
	struct entry entry;		/* the tuple's protocol has the question's number in its upper half */
	int fd;
	unsigned attempt;
	int64_t since;			/* of this attempt */
	uint16_t n;
	uint8_t question[QUESTION_MAX];
};

static struct query places[GATEWAY_QUERIES];
static uint32_t buckets[GATEWAY_QUERIES];
static struct table table;

void dns_init(struct gateway *g)
{
	table_init(&table, places, sizeof(places[0]), buckets, GATEWAY_QUERIES, GATEWAY_QUERIES * g->scale / 100);
}

static void forget(struct query *q)
{
	fd_close(&q->fd);
	sources_give(&q->entry.tuple.from, SHARE_QUERIES);
	table_remove(&table, q);
}

static void answer(struct gateway *g, const struct query *q, const void *data, size_t n)
{
	struct tuple back = packet_reverse(&q->entry.tuple);

	back.protocol = IPPROTO_UDP;
	gateway_write(g, packet_make_udp(&back, data, n, g->out));
}

/* The question itself, with the bits of an answer and "server failure". */
static void answer_failure(struct gateway *g, struct query *q)
{
	q->question[2] |= 0x80;
	q->question[3] = (uint8_t)((q->question[3] & 0x70) | 0x80 | 2);
	answer(g, q, q->question, q->n);
	forget(q);
}

static int ask(struct gateway *g, struct query *q)
{
	union address to;
	_cleanup_fd_ int fd = -1;

	fd_close(&q->fd);
	if (!gateway_destination(g, &q->entry.tuple, q->attempt, &to))
		return -1;
	fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, &to.any, gateway_address_size(&to)) < 0 ||
	    send(fd, q->question, q->n, MSG_NOSIGNAL) < 0 || gateway_watch(g, fd, TAG_QUERY, 0, &table, q, EPOLLIN) < 0)
		return -1;
	q->fd = fd_take(&fd);
	q->since = g->now;
	return 0;
}

static void ask_next(struct gateway *g, struct query *q)
{
	while (++q->attempt < ROUNDS * g->facts.servers_n)
		if (ask(g, q) == 0)
			return;
	answer_failure(g, q);
}

static struct query *add(const struct packet *p, const struct tuple *key)
{
	struct query *q;

	if (!sources_take(&key->from, SHARE_QUERIES))
		return NULL;
	q = table_add(&table, key);
	if (!q) {
		sources_give(&key->from, SHARE_QUERIES);
		return NULL;
	}
	q->fd = -1;
	q->n = (uint16_t)p->data_size;
	memcpy(q->question, p->data, p->data_size);
	return q;
}

void dns_query(struct gateway *g, const struct packet *p)
{
	struct tuple key = p->tuple;
	struct query *q;

	if (p->data_size < HEADER || p->data_size > QUESTION_MAX || (p->data[2] & 0x80))
		return;
	gateway_refresh_facts(g);
	key.protocol |= (uint32_t)p->data[0] << 24 | (uint32_t)p->data[1] << 16;
	q = table_find(&table, &key);
	if (q) {			/* it is asked again: the server is slow */
		ask_next(g, q);
		return;
	}
	q = add(p, &key);
	if (q && ask(g, q) < 0)
		ask_next(g, q);
}

void dns_event(struct gateway *g, uint32_t index, uint16_t generation, uint32_t events)
{
	struct query *q = table_at(&table, index);
	ssize_t n;

	if (!q || !q->entry.used || q->entry.generation != generation)
		return;
	n = recv(q->fd, g->data, sizeof(g->data), MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		ask_next(g, q);
		return;
	}
	if (n < HEADER || memcmp(g->data, q->question, 2) != 0 || !(g->data[2] & 0x80))
		return;
	g->server = (unsigned)((g->server + q->attempt) % g->facts.servers_n);
	answer(g, q, g->data, (size_t)n);
	forget(q);
}

bool dns_expire(struct gateway *g)
{
	struct query *q = table_oldest(&table), *next;

	for (; q; q = next) {
		next = table_newer(&table, q);
		if (g->now - q->since > TRY_MS)
			ask_next(g, q);
	}
	return table.used > 0;
}
