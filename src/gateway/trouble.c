#include "gateway/trouble.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <string.h>
#include <sys/socket.h>

#include "base/string.h"
#include "gateway/policy.h"
#include "sys/gateway.h"

void trouble_want(int fd, bool v6, bool want)
{
	int value = want;

	setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &value, sizeof(value));
}

static void take_offender(const struct sock_extended_err *e, bool v6, struct in6_addr *ret)
{
	const union address *a = (const void *)SO_EE_OFFENDER(e);

	policy_address(v6 ? GATEWAY_DNS6 : GATEWAY_DNS, ret);
	if (v6 && a->any.sa_family == AF_INET6)
		*ret = a->in6.sin6_addr;
	else if (!v6 && a->any.sa_family == AF_INET)
		memcpy(ret->s6_addr + 12, &a->in.sin_addr, 4);
}

/* Routers' words as they are; of this host's own kernel only that a packet is too large. */
static bool take(const struct cmsghdr *c, bool v6, struct trouble_report *ret)
{
	const struct sock_extended_err *e = (const void *)CMSG_DATA(c);
	bool too_large = e->ee_errno == EMSGSIZE;

	if (c->cmsg_len < CMSG_LEN(sizeof(*e) + sizeof(struct sockaddr_in)))
		return false;
	ret->trouble = (struct packet_trouble){ e->ee_type, e->ee_code, too_large ? e->ee_info : 0 };
	take_offender(e, v6, &ret->by);
	if (e->ee_origin != SO_EE_ORIGIN_LOCAL)
		return e->ee_origin == (v6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP);
	ret->trouble.type = v6 ? ICMPV6_PKT_TOOBIG : ICMP_DEST_UNREACH;
	ret->trouble.code = v6 ? 0 : ICMP_FRAG_NEEDED;
	return too_large;
}

bool trouble_read(int fd, bool v6, void *data, size_t room, struct trouble_report *ret)
{
	_Alignas(struct cmsghdr) char control[512];
	struct iovec part = { data, room };

	for (;;) {
		struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

		if (n < 0)
			return false;
		ret->n = (size_t)n;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			     (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) && take(c, v6, ret))
				return true;
	}
}

bool trouble_of_errno(int number, enum trouble *ret)
{
	static const struct { int number; enum trouble trouble; } meanings[] = {
		{ ENETUNREACH, TROUBLE_NO_NETWORK }, { ENETDOWN, TROUBLE_NO_NETWORK },
		{ EAFNOSUPPORT, TROUBLE_NO_NETWORK }, { EADDRNOTAVAIL, TROUBLE_NO_NETWORK }, { EHOSTUNREACH, TROUBLE_NO_HOST }, { EHOSTDOWN, TROUBLE_NO_HOST },
		{ ECONNREFUSED, TROUBLE_NO_PORT }, { EACCES, TROUBLE_PROHIBITED }, { EPERM, TROUBLE_PROHIBITED },
	};

	for (size_t i = 0; i < ELEMENTS(meanings); i++)
		if (meanings[i].number == number) {
			*ret = meanings[i].trouble;
			return true;
		}
	return false;
}
