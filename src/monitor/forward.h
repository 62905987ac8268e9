/* monitor/forward - published ports: from sockets in the host's network to the container on its bridge
 *
 * The sockets were bound before the container was made; they are the claim on the ports, and stay open as long as the
 * monitor lives. While nobody comes they wait in an epoll set, and that is all that a published port costs. The first
 * client makes the monitor fork the forwarder, which enters the network namespace of the user's bridges, serves the ports
 * with the same epoll set, and ends when it had nothing to do for a while. (It is a process because an ordinary user's
 * process can enter that namespace but never come back, and the monitor has to start bryo in the host's network one day.
 * So its memory is given back, too, and neither log nor clients wait for the forwarding.) However it ends, the monitor
 * watches the sockets again: who connected meanwhile stands in their queues. It dies with the monitor.
 *
 * The forwarder allocates nothing: tables of a fixed size, of which only what is used is touched. It keeps no bytes: what
 * one end does not take waits in a pipe, and nothing more is read from the other end until the pipe is empty. The client's
 * address becomes the source of the connection to the container (IP_TRANSPARENT) where the answer can find its way. */
#ifndef BRYO_MONITOR_FORWARD_H
#define BRYO_MONITOR_FORWARD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys/forward.h"
#include "sys/relay.h"

#define FLOWS 4096			/* TCP connections at a time */
#define EXCHANGES 1024			/* UDP clients at a time */
#define EXCHANGE_BUCKETS 1024
#define DATAGRAM_MAX 65536
#define NOBODY UINT32_MAX

union forward_name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

enum end { CLIENT, CONTAINER };

/* A TCP connection. */
struct flow {
	struct relay relay;		/* sides are ends; the client's socket is -1: the flow is free */
	uint32_t next;			/* of the free flows, or of those that have more to do */
	uint32_t since_s, round;	/* when it began */
	bool busy;			/* in the list of those that have more to do */
	bool watched;			/* by epoll */
	bool eased;
};

/* A UDP client of a port, and the socket that stands for it before the container. */
struct exchange {
	int fd;				/* -1: free */
	uint32_t port;
	union forward_name client;
	struct in6_pktinfo to;		/* the host's address that it used: answers come from there */
	uint32_t used_s;
	uint32_t next;			/* in its bucket, or of the free */
	bool answered;
};

struct forwarder {
	const struct forward_plan *plan;
	int first_socket, epoll;
	int64_t now_ms;
	uint32_t now_s, expired_s;
	uint32_t round, accepted_round;	/* of the loop */
	unsigned accepts;		/* how many in a row: more and more while each round finds somebody */
	int64_t paused_until_ms;	/* no connections are accepted, because there is no room for one; 0: they are */

	struct flow flow[FLOWS];
	uint32_t flows, flows_max, flows_touched, free_flow, busy_flow;

	struct exchange exchange[EXCHANGES];
	uint32_t exchanges, exchanges_touched, free_exchange;
	uint32_t bucket[EXCHANGE_BUCKETS];
	char data[DATAGRAM_MAX];
};

/* What an entry of the epoll set is, in the upper half of its number. */
enum forward_tag { FORWARD_SOCKET, FORWARD_FLOW, FORWARD_EXCHANGE };
static inline uint64_t forward_number(enum forward_tag tag, uint32_t index) { return (uint64_t)tag << 32 | index; }

/* forward_loop.c: the forwarder. `row` is the first of its descriptors, all others are closed; epoll watches the sockets. */
void forward_run(int row, const struct forward_plan *plan, int epoll) __attribute__((noreturn));
int forward_watch(int epoll, int fd, uint32_t events, uint64_t number);

/* forward_reach.c */
/* A socket that is connected to the container, or about to be (TCP): from the client's address where that is possible. */
int forward_reach(const struct forward_plan *plan, int type, const union forward_name *client, uint16_t port);
/* An IPv4 client of an IPv6 socket becomes IPv4. */
void forward_normalize(union forward_name *name);
/* Much will be sent there. To a client on this host nothing is lost, and pacing only costs. */
void forward_ease(int fd);
/* May the container see this address, and answer to it through us? */
bool forward_is_answerable(const struct forward_plan *plan, const union forward_name *client);

/* forward_tcp.c: connections begin and end */
void forward_accept(struct forwarder *f, uint32_t port);
void forward_flow_event(struct forwarder *f, uint32_t number, uint32_t events);
void forward_continue(struct forwarder *f);		/* those that have more to do, each a bit */
void forward_resume(struct forwarder *f);

/* forward_udp.c */
void forward_datagrams(struct forwarder *f, uint32_t port);
void forward_answers(struct forwarder *f, uint32_t index);
void forward_expire(struct forwarder *f);

#endif
