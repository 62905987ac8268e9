#include "oci/network_device.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/netlink.h"

#define LIST_TRIES 8		/* of a list that changes while it is read */

/* One of the two network namespaces. */
struct side {
	int ns, socket;
};

struct device {
	struct arena *arena;
	const struct oci_net_device *asked;
	const char *name;		/* inside */
	unsigned index;			/* where it is now */
	bool was_up;
	ARRAY(struct nlmsghdr *) addresses;	/* as the kernel described them */
};

/* --- what there is */

struct names {
	struct arena *arena;
	struct strings list;
};

static void take_name(void *context, const struct nlmsghdr *m)
{
	const char *name = netlink_find_string(m, sizeof(struct ifinfomsg), IFLA_IFNAME);
	struct names *names = context;

	if (name)
		strings_add(names->arena, &names->list, name);
}

/* All that are there; after an interruption some may be missing or listed twice, so that it is read again. */
static int read_names(int socket, struct names *ret, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct netlink_request r;
	int result = -1;

	for (int i = 0; i < LIST_TRIES && result < 0 && (i == 0 || errno == EINTR); i++) {
		ret->list = (struct strings){ 0 };
		netlink_request_init(&r, RTM_GETLINK, NLM_F_DUMP, &body, sizeof(body));
		result = netlink_ask(socket, &r, take_name, ret, err);
	}
	return result < 0 ? error_frame(err, "list interfaces") : 0;
}

struct link {
	const char *name;
	unsigned index;
	bool is_up;
};

/* By its name, not by one of the further names that it may have. */
static void take_link(void *context, const struct nlmsghdr *m)
{
	const struct ifinfomsg *body = netlink_body(m, sizeof(*body));
	struct link *link = context;

	if (body && str_eq(netlink_find_string(m, sizeof(*body), IFLA_IFNAME), link->name)) {
		link->index = (unsigned)body->ifi_index;
		link->is_up = body->ifi_flags & IFF_UP;
	}
}

static int find(int socket, const char *name, struct link *ret, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct netlink_request r;

	*ret = (struct link){ .name = name };
	netlink_request_init(&r, RTM_GETLINK, 0, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, name);
	if (netlink_ask(socket, &r, take_link, ret, err) < 0 && errno != ENODEV)
		return error_frame(err, "look at the interface");
	return ret->index ? 0 : error_set(err, ERROR_INVALID, "there is no such interface");
}

/* Those that somebody has given it for good: the kernel makes the others itself. */
static void take_address(void *context, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *body = netlink_body(m, sizeof(*body));
	const uint32_t *flags = netlink_find(m, sizeof(*body), IFA_FLAGS, sizeof(uint32_t), NULL);
	struct device *d = context;

	if (!body || m->nlmsg_type != RTM_NEWADDR || body->ifa_index != d->index || body->ifa_scope != RT_SCOPE_UNIVERSE)
		return;
	if ((flags ? *flags : body->ifa_flags) & IFA_F_PERMANENT)
		*ARRAY_ADD(d->arena, &d->addresses) = arena_memdup(d->arena, m, m->nlmsg_len);
}

static int read_addresses(struct device *d, int socket, struct error *err)
{
	struct ifaddrmsg body = { .ifa_family = AF_UNSPEC };
	struct netlink_request r;
	int result = -1;

	for (int i = 0; i < LIST_TRIES && result < 0 && (i == 0 || errno == EINTR); i++) {
		d->addresses.n = 0;
		d->addresses.v = NULL;
		netlink_request_init(&r, RTM_GETADDR, NLM_F_DUMP, &body, sizeof(body));
		result = netlink_ask(socket, &r, take_address, d, err);
	}
	return result < 0 ? error_frame(err, "list its addresses") : 0;
}

/* --- one interface */

/* From one namespace to the other, with the name it shall have there; then it may have another number. */
static int carry(struct device *d, const struct side *from, const struct side *to, const char *name, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)d->index };
	uint32_t ns = (uint32_t)to->ns;
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	netlink_request_add(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	netlink_request_add_string(&r, IFLA_IFNAME, name);
	if (netlink_ask(from->socket, &r, NULL, NULL, err) == 0)
		return 0;
	return error_frame(err, "move it");
}

/* The description is given back as it was; what the kernel found out or counts itself is left out. */
static int add_address(const struct device *d, int socket, const struct nlmsghdr *m, struct error *err)
{
	static const uint16_t kept[] = { IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_RT_PRIORITY, IFA_PROTO };
	const struct ifaddrmsg *was = netlink_body(m, sizeof(*was));
	const uint32_t *all = netlink_find(m, sizeof(*was), IFA_FLAGS, sizeof(uint32_t), NULL);
	uint32_t flags = (all ? *all : was->ifa_flags) &
			 ~(uint32_t)(IFA_F_PERMANENT | IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_SECONDARY);
	struct ifaddrmsg body = *was;
	struct netlink_request r;

	body.ifa_index = d->index;
	body.ifa_flags = (uint8_t)flags;
	netlink_request_init(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	for (size_t i = 0; i < ELEMENTS(kept); i++) {
		size_t n;
		const void *value = netlink_find(m, sizeof(*was), kept[i], 0, &n);

		if (value)
			netlink_request_add(&r, kept[i], value, n);
	}
	netlink_request_add(&r, IFA_FLAGS, &flags, sizeof(flags));
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "give it its addresses again") : 0;
}

static int set_up(const struct device *d, int socket, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)d->index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct netlink_request r;

	netlink_request_init(&r, RTM_NEWLINK, 0, &body, sizeof(body));
	return netlink_ask(socket, &r, NULL, NULL, err) < 0 ? error_frame(err, "set it up") : 0;
}

/* After it was carried. */
static int settle(struct device *d, const struct side *at, const char *name, bool up, struct error *err)
{
	struct link link;

	if (find(at->socket, name, &link, err) < 0)
		return -1;
	d->index = link.index;
	for (size_t i = 0; i < d->addresses.n; i++)
		if (add_address(d, at->socket, d->addresses.v[i], err) < 0)
			return -1;
	return up ? set_up(d, at->socket, err) : 0;
}

static void bring_back(struct device *d, const struct side *host, const struct side *inside)
{
	struct link link;

	if (find(inside->socket, d->name, &link, NULL) < 0)
		return;
	d->index = link.index;
	if (carry(d, inside, host, d->asked->device, NULL) == 0)
		settle(d, host, d->asked->device, d->was_up, NULL);
}

/* --- all of them */

static int position(const struct device *d, struct error *err)
{
	return error_frame(err, ".linux.netDevices[\"%s\"]", d->asked->device);
}

static int look_at(struct device *d, const struct side *host, struct names *inside, struct error *err)
{
	const char *wanted = d->asked->name ? d->asked->name : d->asked->device;
	struct link link;

	if (find(host->socket, d->asked->device, &link, err) < 0)
		return position(d, err);
	d->index = link.index;
	d->was_up = link.is_up;
	if (read_addresses(d, host->socket, err) < 0)
		return position(d, err);
	d->name = network_device_name(d->arena, wanted, &inside->list);
	if (!d->name) {
		error_set(err, ERROR_EXISTS, "the container's network namespace has an interface \"%s\" already", wanted);
		return position(d, err);
	}
	strings_add(d->arena, &inside->list, d->name);
	return 0;
}

static int move_all(struct device *v, size_t n, const struct side *host, const struct side *inside, struct error *err)
{
	size_t i, moved = 0;

	for (i = 0; i < n; i++) {
		if (carry(&v[i], host, inside, v[i].name, err) < 0)
			break;
		moved++;
		if (settle(&v[i], inside, v[i].name, true, err) < 0)
			break;
	}
	if (i == n)
		return 0;
	position(&v[i], err);
	while (moved > 0)
		bring_back(&v[--moved], host, inside);
	return -1;
}

static int look_and_move(struct arena *arena, const struct oci_linux *l, const struct side *host,
			 const struct side *inside, struct error *err)
{
	struct device *v = arena_new_array(arena, struct device, l->net_devices.n);
	struct names names = { .arena = arena };

	if (read_names(inside->socket, &names, err) < 0)
		return error_frame(err, ".linux.netDevices");
	for (size_t i = 0; i < l->net_devices.n; i++) {
		v[i] = (struct device){ .arena = arena, .asked = &l->net_devices.v[i] };
		if (look_at(&v[i], host, &names, err) < 0)
			return -1;
	}
	return move_all(v, l->net_devices.n, host, inside, err);
}

static int open_sides(struct side *host, struct side *inside, pid_t pid, struct error *err)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	host->ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	inside->ns = open(path, O_RDONLY | O_CLOEXEC);
	if (host->ns < 0 || inside->ns < 0 || fstat(host->ns, &own) < 0 || fstat(inside->ns, &other) < 0)
		return error_errno(err, ".linux.netDevices: the network namespaces");
	if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
		return error_set(err, ERROR_INVALID, NETWORK_DEVICE_NO_NAMESPACE);
	host->socket = netlink_open();
	if (host->socket < 0)
		return error_errno(err, ".linux.netDevices: open a netlink socket");
	return netlink_open_in(&inside->ns, 1, &inside->socket, err) < 0 ? error_frame(err, ".linux.netDevices") : 0;
}

static void close_side(struct side *s)
{
	fd_close(&s->ns);
	fd_close(&s->socket);
}

int network_device_move(struct arena *arena, const struct oci_linux *l, pid_t pid, struct error *err)
{
	struct side host = { -1, -1 }, inside = { -1, -1 };
	int result = network_device_check(arena, l, err);

	if (result == 0 && l->net_devices.n) {
		result = open_sides(&host, &inside, pid, err);
		if (result == 0)
			result = look_and_move(arena, l, &host, &inside, err);
		close_side(&host);
		close_side(&inside);
	}
	if (result < 0 && error_is(err, ERROR_DENIED))
		error_hint(err, "only root of the network namespace that an interface is in can give it away");
	return result;
}
