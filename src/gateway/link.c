#include "gateway/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/gateway.h"
#include "sys/netlink.h"
#include "sys/netlink_link.h"

#define OTHER_END "out1"

static int remove_old(int netlink, struct error *err)
{
	struct netlink_link old;

	if (netlink_link_find(netlink, GATEWAY_INTERFACE, &old, err) < 0)
		return -1;
	return old.index ? netlink_link_delete(netlink, old.index, err) : 0;
}

/* -1 with errno: there is no TUN here. */
static int open_tun(struct link *ret)
{
	_cleanup_fd_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq request = { .ifr_name = GATEWAY_INTERFACE, .ifr_flags = IFF_TUN | IFF_NO_PI };

	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		return -1;
	*ret = (struct link){ .fd = fd_take(&fd) };
	return 0;
}

/* --- a pair */

/* Datagrams that a container leaves to be cut by the device are cut before: at most one segment passes. */
static int make_pair(int netlink, struct error *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	uint32_t one = 1, mtu = LINK_MTU;
	struct netlink_request r;
	size_t info, data, end;

	netlink_request_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, GATEWAY_INTERFACE);
	netlink_request_add(&r, IFLA_GSO_MAX_SEGS, &one, sizeof(one));
	info = netlink_request_begin(&r, IFLA_LINKINFO, NULL, 0);
	netlink_request_add_string(&r, IFLA_INFO_KIND, "veth");
	data = netlink_request_begin(&r, IFLA_INFO_DATA, NULL, 0);
	end = netlink_request_begin(&r, VETH_INFO_PEER, &body, sizeof(body));
	netlink_request_add_string(&r, IFLA_IFNAME, OTHER_END);
	netlink_request_add(&r, IFLA_MTU, &mtu, sizeof(mtu));
	netlink_request_end(&r, end);
	netlink_request_end(&r, data);
	netlink_request_end(&r, info);
	return netlink_ask(netlink, &r, NULL, NULL, err);
}

static int find_hardware_address(int fd, const char *name, uint8_t ret[ETH_ALEN])
{
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, name, strlen(name));
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -1;
	memcpy(ret, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return 0;
}

static int add_flags(int fd, const char *name, int flags)
{
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, name, strlen(name));
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return -1;
	request.ifr_flags = (short)(request.ifr_flags | flags);
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

/* Packets that are read at the other end have their checksums: none is left for a device to make. */
static int make_checksums(int fd)
{
	struct ethtool_value off = { .cmd = ETHTOOL_STXCSUM };
	struct ifreq request = { .ifr_name = GATEWAY_INTERFACE, .ifr_data = (void *)&off };

	return ioctl(fd, SIOCETHTOOL, &request);
}

/* Without ARP out0 sends at once; the frames' destination is its own address, so out1's own stack leaves them alone. */
static int configure_pair(int fd, struct ether_header *ret)
{
	if (make_checksums(fd) < 0 || add_flags(fd, GATEWAY_INTERFACE, IFF_NOARP) < 0 ||
	    add_flags(fd, OTHER_END, IFF_UP) < 0 || find_hardware_address(fd, GATEWAY_INTERFACE, ret->ether_dhost) < 0)
		return -1;
	return find_hardware_address(fd, OTHER_END, ret->ether_shost);
}

static int open_pair(int netlink, struct link *ret, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	if (make_pair(netlink, err) < 0)
		return error_frame(err, "make the interface %s", GATEWAY_INTERFACE);
	address.sll_ifindex = (int)if_nametoindex(OTHER_END);
	*ret = (struct link){ .fd = -1, .is_pair = true };
	if (fd < 0 || configure_pair(fd, &ret->header) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, "open the interface %s", OTHER_END);
	ret->fd = fd_take(&fd);
	return 0;
}

int link_open(int netlink, bool without_tun, struct link *ret, struct error *err)
{
	if (remove_old(netlink, err) < 0)
		return -1;
	if (!without_tun && open_tun(ret) == 0)
		return 0;
	return open_pair(netlink, ret, err);
}

/* --- packets */

size_t link_read(const struct link *link, uint8_t *packet, size_t room)
{
	struct ether_header header;
	struct iovec parts[2] = { { &header, sizeof(header) }, { packet, room } };
	ssize_t n = readv(link->fd, parts + !link->is_pair, 1 + link->is_pair);

	if (n > 0 && link->is_pair)
		n -= (ssize_t)sizeof(header);
	return n > 0 ? (size_t)n : 0;
}

void link_write(const struct link *link, const uint8_t *packet, size_t n)
{
	struct ether_header header = link->header;
	struct iovec parts[2] = { { &header, sizeof(header) }, { (void *)(uintptr_t)packet, n } };

	if (n == 0)
		return;
	header.ether_type = htons(packet[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	if (writev(link->fd, parts + !link->is_pair, 1 + link->is_pair) < 0)
		return;
}
