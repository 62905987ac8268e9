/* gateway/gateway - the working process: one loop, tables of what is open, no allocation
 *
 * It stands in the host's network namespace, where it connects, with descriptors of the other: out0 (gateway/link), from
 * which it reads what the kernel has no way for, and two listening sockets. It has no capabilities and can open no file.
 *
 * TCP (gateway/tcp): a SYN is held while the host's side connects; when that has worked the same SYN is written back into
 * out0, and the namespace's rules hand it to the listening socket: all further segments are the kernel's business, and
 * bytes go from socket to socket (sys/relay). When it has not worked, the container gets the same answer.
 * Datagrams and echoes (gateway/flow) have a connected socket a flow. Names are asked for it (gateway/dns) of the host's
 * servers. Everything is bounded, and no container gets more than a share of it (gateway/sources). */
#ifndef BRYO_GATEWAY_GATEWAY_H
#define BRYO_GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "gateway/facts.h"
#include "gateway/packet.h"
#include "gateway/setup.h"
#include "gateway/table.h"

#define GATEWAY_CONNECTIONS 16384u	/* powers of two */
#define GATEWAY_FLOWS 4096u
#define GATEWAY_QUERIES 512u
#define GATEWAY_SOURCES 1024u

enum tag { TAG_LINK, TAG_LISTENER, TAG_SUPERVISOR, TAG_TCP, TAG_FLOW, TAG_QUERY };

struct gateway {
	int epoll;
	struct setup setup;
	int supervisor;			/* a socket: facts are asked for and told */
	struct facts facts;
	unsigned server;		/* the name server that answered last: asked first */
	int64_t facts_asked;		/* milliseconds, as all times here */
	int64_t now;			/* of this round's beginning */
	unsigned scale;			/* how many of a hundred places the limit of open files allows */
	uint8_t in[PACKET_MAX + 1], out[PACKET_MAX + 1], data[PACKET_MAX + 1];
};

/* Everything is the kernel's and the parent's: this never returns. */
_Noreturn void gateway_run(const struct setup *setup, int supervisor, const struct facts *facts);

/* Watches a descriptor that belongs to an entry of a table, or watches it for other events. side: for connections. -1 with errno. */
int gateway_watch(struct gateway *g, int fd, enum tag tag, unsigned side, const struct table *table, const void *entry,
		  uint32_t events);
/* Where a tuple leads in the host's network. attempt counts the name servers. What is judged otherwise than POLICY_OUT,
 * _HOST or _DNS leads nowhere: false, and so do those that this host does not have. */
bool gateway_destination(struct gateway *g, const struct tuple *t, unsigned attempt, union address *ret);
void gateway_make_address(const struct in6_addr *a, uint16_t port, union address *ret);
socklen_t gateway_address_size(const union address *a);
/* Tells the sender of a packet why it was not delivered. */
void gateway_refuse(struct gateway *g, const struct packet *p, enum trouble trouble);
void gateway_write(struct gateway *g, size_t n);	/* of g->out; nothing when n is 0 */
/* Asks the supervisor for the host's facts when those at hand are old. */
void gateway_refresh_facts(struct gateway *g);

/* --- gateway/sources: what each address in the containers' networks has open */

enum share { SHARE_CONNECTING, SHARE_CONNECTIONS, SHARE_FLOWS, SHARE_QUERIES, SHARES };

void sources_init(void);
/* Takes one of an address's share; false when it has all of it already. */
bool sources_take(const struct in6_addr *source, enum share share);
void sources_give(const struct in6_addr *source, enum share share);

/* The modules below. ..._expire() is called about once a second, and answers whether there is anything that can age. */

/* --- gateway/tcp */
void tcp_init(struct gateway *g);
void tcp_packet(struct gateway *g, const struct packet *p);
void tcp_accept(struct gateway *g, unsigned listener);
void tcp_event(struct gateway *g, uint32_t index, uint16_t generation, unsigned side, uint32_t events);
bool tcp_continue(struct gateway *g);			/* what was left for another round; true: there is more */
bool tcp_expire(struct gateway *g);

/* --- gateway/flow */
void flow_init(struct gateway *g);
void flow_packet(struct gateway *g, const struct packet *p);
void flow_event(struct gateway *g, uint32_t index, uint16_t generation, uint32_t events);
bool flow_expire(struct gateway *g);

/* --- gateway/dns */
void dns_init(struct gateway *g);
void dns_query(struct gateway *g, const struct packet *p);
void dns_event(struct gateway *g, uint32_t index, uint16_t generation, uint32_t events);
bool dns_expire(struct gateway *g);

#endif
