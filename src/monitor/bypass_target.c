/* Where a connection leads. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "monitor/bypass.h"
#include "sys/clock.h"
#include "sys/netlink.h"

#define LOOPBACK 1		/* its number in every network namespace */
#define WAYS 16			/* remembered, each for */
#define WAY_MS 1000

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

/* --- routes */

struct route {
	bool found, gateway;
	unsigned char type, prefix;
	uint32_t device;
};

static void take_route(void *context, const struct nlmsghdr *m)
{
	const struct rtmsg *body = netlink_body(m, sizeof(*body));
	const uint32_t *device;
	struct route *r = context;

	if (m->nlmsg_type != RTM_NEWROUTE || !body)
		return;
	device = netlink_find(m, sizeof(*body), RTA_OIF, sizeof(*device), NULL);
	r->found = true;
	r->type = body->rtm_type;
	r->prefix = body->rtm_dst_len;
	r->device = device ? *device : 0;
	r->gateway = netlink_find(m, sizeof(*body), RTA_GATEWAY, 4, NULL) || netlink_find(m, sizeof(*body), RTA_VIA, 2, NULL);
}

/* flags: RTM_F_FIB_MATCH asks for the entry of the table, not for what follows from it. */
static struct route route_of(const struct target *t, int route_socket, unsigned flags)
{
	struct rtmsg body = { .rtm_family = t->is_v4 ? AF_INET : AF_INET6, .rtm_dst_len = t->is_v4 ? 32 : 128, .rtm_flags = flags };
	const void *address = t->is_v4 ? (const void *)&t->v4 : (const void *)&t->in6.sin6_addr;
	struct netlink_request request;
	struct route route = { 0 };

	netlink_request_init(&request, RTM_GETROUTE, 0, &body, sizeof(body));
	netlink_request_add(&request, RTA_DST, address, body.rtm_dst_len / 8u);
	if (netlink_ask(route_socket, &request, take_route, &route, NULL) < 0)
		route.found = false;
	return route;
}

bool target_is_outside(const struct target *t, int route_socket, bool on_link)
{
	struct route route = route_of(t, route_socket, 0);

	return route.found && route.type == RTN_UNICAST && (route.gateway || on_link);
}

bool target_is_beyond_bridges(const struct target *t, int route_socket)
{
	struct route route = route_of(t, route_socket, RTM_F_FIB_MATCH);

	return route.found && route.type == RTN_UNICAST && route.prefix == 0;
}

/* An address of the host's own is reached over its loopback, but it is the address of another device. */
uint32_t target_device(const struct target *t, int route_socket)
{
	struct route route = route_of(t, route_socket, 0);

	if (route.found && route.type == RTN_LOCAL)
		route = route_of(t, route_socket, RTM_F_FIB_MATCH);
	if (!route.found || (route.type != RTN_UNICAST && route.type != RTN_LOCAL) || route.device == LOOPBACK)
		return 0;
	return route.device;
}

/* --- both */

struct way {
	struct target target;
	int64_t until_ms;
	uint32_t device;
	bool is_outside, outside_is_known;
};

/* Programs connect again to where they were, and clients come again. */
static struct way *way_of(const struct target *t, const struct monitor *m)
{
	static struct way ways[WAYS];
	const uint8_t *a = t->is_v4 ? (const uint8_t *)&t->v4 : t->in6.sin6_addr.s6_addr;
	size_t size = t->is_v4 ? sizeof(t->v4) : sizeof(t->in6.sin6_addr);
	struct way *w = &ways[(a[size - 1] ^ a[size - 2] ^ a[size - 3]) % WAYS];
	const uint8_t *b = w->target.is_v4 ? (const uint8_t *)&w->target.v4 : w->target.in6.sin6_addr.s6_addr;
	int64_t now = clock_now_ms();

	if (w->until_ms > now && w->target.is_v4 == t->is_v4 && memcmp(a, b, size) == 0)
		return w;
	*w = (struct way){ .target = *t, .until_ms = now + WAY_MS, .device = target_device(t, m->host_routes) };
	return w;
}

uint32_t target_way(const struct target *t, const struct monitor *m)
{
	return way_of(t, m)->device;
}

uint32_t target_bypass(const struct target *t, const struct monitor *m)
{
	const struct monitor_config *c = &m->config;
	struct way *w = way_of(t, m);

	if (w->device && !w->outside_is_known)
		w->is_outside = target_is_outside(t, c->bypass_route_fd, c->bypass_on_link) &&
				(c->bypass_bridges_fd < 0 || target_is_beyond_bridges(t, c->bypass_bridges_fd));
	w->outside_is_known = true;
	return w->is_outside ? w->device : 0;
}
