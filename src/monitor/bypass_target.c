/* Where a connection leads. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "monitor/bypass.h"
#include "sys/netlink.h"

#define MAX_SEGMENT UINT32_MAX

static bool v4_is_never(struct in_addr address)
{
	uint32_t a = ntohl(address.s_addr);

	return a >> 24 == 0 || a >> 24 == 127 || a >> 16 == 0xa9fe || a >= 0xe0000000;
}

/* Nothing whose first 64 bits are zero (loopback, unspecified, IPv4-compatible), no scopes, no multicast. */
static bool v6_is_never(const struct in6_addr *a)
{
	static const uint8_t zero[8];

	return memcmp(a->s6_addr, zero, sizeof(zero)) == 0 || IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_SITELOCAL(a) ||
	       IN6_IS_ADDR_MULTICAST(a);
}

bool target_parse(struct target *ret, const void *address, size_t size)
{
	memset(ret, 0, sizeof(*ret));
	if (size > sizeof(ret->any))
		return false;
	memcpy(&ret->any, address, size);
	if (ret->head.sa_family == AF_INET && size >= sizeof(ret->in)) {
		ret->size = sizeof(ret->in);
		ret->is_v4 = true;
		ret->v4 = ret->in.sin_addr;
		return ret->in.sin_port && !v4_is_never(ret->v4);
	}
	if (ret->head.sa_family != AF_INET6 || size < sizeof(ret->in6) || ret->in6.sin6_scope_id || !ret->in6.sin6_port)
		return false;
	ret->size = sizeof(ret->in6);
	if (!IN6_IS_ADDR_V4MAPPED(&ret->in6.sin6_addr))
		return !v6_is_never(&ret->in6.sin6_addr);
	ret->is_v4 = true;
	memcpy(&ret->v4, ret->in6.sin6_addr.s6_addr + 12, sizeof(ret->v4));
	return !v4_is_never(ret->v4);
}

/* --- the lock */

#define TCP_FLAGS 13		/* byte in the TCP header, where a TCP socket's filter begins */
#define TCP_SOURCE 0
#define FLAG_SYN 2
#define IPV4_SOURCE (SKF_NET_OFF + 12)
#define IPV6_SOURCE (SKF_NET_OFF + 8)

/* Jumps are relative to the next instruction, and the refusal is the last one. */
static void add_check(struct sock_filter *v, size_t *n, size_t last, uint16_t size, int offset, uint32_t value)
{
	v[(*n)++] = (struct sock_filter)BPF_STMT((uint16_t)(BPF_LD | size | BPF_ABS), (uint32_t)offset);
	v[*n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)(last - *n - 1));
	(*n)++;
}

size_t target_filter(const struct target *t, struct sock_filter v[TARGET_FILTER_MAX])
{
	size_t n = 0, words = t->is_v4 ? 1 : 4, last = 2 + 2 * (words + 1) + 1;
	uint16_t port = t->head.sa_family == AF_INET ? t->in.sin_port : t->in6.sin6_port;

	v[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS);
	v[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN, 0, (uint8_t)(last - 3));
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, t->is_v4 ? (const uint8_t *)&t->v4 : t->in6.sin6_addr.s6_addr + 4 * i, sizeof(word));
		add_check(v, &n, last, BPF_W, (t->is_v4 ? IPV4_SOURCE : IPV6_SOURCE) + 4 * (int)i, ntohl(word));
	}
	add_check(v, &n, last, BPF_H, TCP_SOURCE, ntohs(port));
	v[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, MAX_SEGMENT);
	v[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return n;
}

/* --- the container's routes */

struct route {
	bool found, unicast, gateway;
};

static void take_route(void *context, const struct nlmsghdr *m)
{
	const struct rtmsg *body = netlink_body(m, sizeof(*body));
	struct route *r = context;

	if (m->nlmsg_type != RTM_NEWROUTE || !body)
		return;
	r->found = true;
	r->unicast = body->rtm_type == RTN_UNICAST;
	r->gateway = netlink_find(m, sizeof(*body), RTA_GATEWAY, 4, NULL) || netlink_find(m, sizeof(*body), RTA_VIA, 2, NULL);
}

bool target_is_outside(const struct target *t, int route_socket, bool on_link)
{
	struct rtmsg body = { .rtm_family = t->is_v4 ? AF_INET : AF_INET6, .rtm_dst_len = t->is_v4 ? 32 : 128 };
	const void *address = t->is_v4 ? (const void *)&t->v4 : (const void *)&t->in6.sin6_addr;
	struct netlink_request request;
	struct route route = { 0 };

	netlink_request_init(&request, RTM_GETROUTE, 0, &body, sizeof(body));
	netlink_request_add(&request, RTA_DST, address, body.rtm_dst_len / 8u);
	if (netlink_ask(route_socket, &request, take_route, &route, NULL) < 0)
		return false;
	return route.found && route.unicast && (route.gateway || on_link);
}
