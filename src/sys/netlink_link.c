#include "sys/netlink_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/string.h"
#include "sys/netlink.h"

/* --- interfaces */

static void take_link(void *context, const struct nlmsghdr *m)
{
	const struct ifinfomsg *body = netlink_body(m, sizeof(*body));
	const uint32_t *other = netlink_find(m, sizeof(*body), IFLA_LINK, sizeof(*other), NULL);
	struct netlink_link *ret = context;
	const uint8_t *mac;
	size_t n = 0;

	if (!body || m->nlmsg_type != RTM_NEWLINK)
		return;
	*ret = (struct netlink_link){ .index = (unsigned)body->ifi_index, .other = other ? *other : 0, .is_up = body->ifi_flags & IFF_UP };
	mac = netlink_find(m, sizeof(*body), IFLA_ADDRESS, sizeof(ret->mac), &n);
	if (mac && n == sizeof(ret->mac))
		memcpy(ret->mac, mac, n);
}

/* Without what it has counted, which costs the kernel more than the rest. */
static int look(int socket, struct netlink_request *r, struct netlink_link *ret, struct error *err)
{
	uint32_t mask = RTEXT_FILTER_SKIP_STATS;
	struct error failure = { 0 };

	*ret = (struct netlink_link){ 0 };
	netlink_request_add(r, IFLA_EXT_MASK, &mask, sizeof(mask));
	if (netlink_ask(socket, r, take_link, ret, &failure) == 0 || failure.sys == ENODEV)
		return 0;
	if (err)
		*err = failure;
	return -1;
}

int netlink_link_find(int socket, const char *name, struct netlink_link *ret, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct netlink_request r;

	netlink_request_init(&r, RTM_GETLINK, 0, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, name);
	return look(socket, &r, ret, err) < 0 ? error_frame(err, "look at the interface %s", name) : 0;
}

int netlink_link_at(int socket, unsigned index, struct netlink_link *ret, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
	struct netlink_request r;

	netlink_request_init(&r, RTM_GETLINK, 0, &body, sizeof(body));
	return look(socket, &r, ret, err) < 0 ? error_frame(err, "look at interface %u", index) : 0;
}

/* One without a queue is refused, after the kind was looked for. */
int netlink_link_check_kind(int socket, const char *kind, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct error failure = { 0 };
	struct netlink_request r;
	uint32_t none = 0;
	size_t info;

	netlink_request_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add(&r, IFLA_NUM_TX_QUEUES, &none, sizeof(none));
	info = netlink_request_begin(&r, IFLA_LINKINFO, NULL, 0);
	netlink_request_add_string(&r, IFLA_INFO_KIND, kind);
	netlink_request_end(&r, info);
	if (netlink_ask(socket, &r, NULL, NULL, &failure) == 0 || failure.sys == EINVAL)
		return 0;
	if (err)
		*err = failure;
	return -1;
}

int netlink_link_add_bridge(int socket, const char *name, unsigned mtu, const uint8_t mac[6], unsigned vlan, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	uint16_t every_port = (uint16_t)vlan;
	struct netlink_request r;
	uint8_t off = 0, on = 1;
	size_t info, data;

	netlink_request_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, name);
	netlink_request_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	netlink_request_add(&r, IFLA_ADDRESS, mac, 6);
	info = netlink_request_begin(&r, IFLA_LINKINFO, NULL, 0);
	netlink_request_add_string(&r, IFLA_INFO_KIND, "bridge");
	data = netlink_request_begin(&r, IFLA_INFO_DATA, NULL, 0);
	netlink_request_add(&r, IFLA_BR_MCAST_SNOOPING, &off, sizeof(off));
	if (vlan) {
		netlink_request_add(&r, IFLA_BR_VLAN_FILTERING, &on, sizeof(on));
		netlink_request_add(&r, IFLA_BR_VLAN_DEFAULT_PVID, &every_port, sizeof(every_port));
	}
	netlink_request_end(&r, data);
	netlink_request_end(&r, info);
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "make the bridge %s", name) : 0;
}

static void add_other_end(struct netlink_request *r, const struct netlink_pair *p)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };	/* veth refuses to be up before both ends are there */
	uint32_t ns = (uint32_t)p->other_ns;
	size_t end = netlink_request_begin(r, VETH_INFO_PEER, &body, sizeof(body));

	netlink_request_add_string(r, IFLA_IFNAME, p->other_name);
	netlink_request_add(r, IFLA_MTU, &p->mtu, sizeof(p->mtu));
	netlink_request_add(r, IFLA_ADDRESS, p->other_mac, 6);
	netlink_request_add(r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	netlink_request_end(r, end);
}

int netlink_link_add_pair(int socket, const struct netlink_pair *p, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink_request r;
	size_t info, data;

	netlink_request_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add(&r, IFLA_MTU, &p->mtu, sizeof(p->mtu));
	netlink_request_add(&r, IFLA_MASTER, &p->bridge, sizeof(p->bridge));
	info = netlink_request_begin(&r, IFLA_LINKINFO, NULL, 0);
	netlink_request_add_string(&r, IFLA_INFO_KIND, "veth");
	data = netlink_request_begin(&r, IFLA_INFO_DATA, NULL, 0);
	add_other_end(&r, p);
	netlink_request_end(&r, data);
	netlink_request_end(&r, info);
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "make the interface %s", p->other_name) : 0;
}

int netlink_link_set_up(int socket, unsigned index, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "set an interface up") : 0;
}

int netlink_link_delete(int socket, unsigned index, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
	struct netlink_request r;

	netlink_request_init(&r, RTM_DELLINK, 0, &body, sizeof(body));
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "delete an interface") : 0;
}

/* --- addresses and routes */

static size_t size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

static void add_broadcast(struct netlink_request *r, const struct netlink_address *a)
{
	uint8_t all[4];

	memcpy(all, a->bytes, sizeof(all));
	for (unsigned bit = a->length; bit < 32; bit++)
		all[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	netlink_request_add(r, IFA_BROADCAST, all, sizeof(all));
}

int netlink_link_add_address(int socket, unsigned index, const struct netlink_address *a, struct error *err)
{
	struct ifaddrmsg body = { .ifa_family = (uint8_t)a->family, .ifa_prefixlen = (uint8_t)a->length,
				  .ifa_scope = RT_SCOPE_UNIVERSE, .ifa_index = index };
	uint32_t flags = IFA_F_NODAD;
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add(&r, IFA_LOCAL, a->bytes, size_of(a->family));
	netlink_request_add(&r, IFA_ADDRESS, a->bytes, size_of(a->family));
	if (a->family == AF_INET && a->length < 31)
		add_broadcast(&r, a);
	if (a->family == AF_INET6)
		netlink_request_add(&r, IFA_FLAGS, &flags, sizeof(flags));
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "give an interface its address") : 0;
}

int netlink_link_add_route(int socket, unsigned index, const struct netlink_address *to, const uint8_t *gateway,
			   uint32_t metric, struct error *err)
{
	struct rtmsg body = { .rtm_family = (uint8_t)to->family, .rtm_dst_len = (uint8_t)to->length, .rtm_table = RT_TABLE_MAIN,
			      .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &body, sizeof(body));
	if (to->length)
		netlink_request_add(&r, RTA_DST, to->bytes, size_of(to->family));
	netlink_request_add(&r, RTA_GATEWAY, gateway, size_of(to->family));
	netlink_request_add(&r, RTA_OIF, &index, sizeof(index));
	netlink_request_add(&r, RTA_PRIORITY, &metric, sizeof(metric));
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "add a route") : 0;
}
