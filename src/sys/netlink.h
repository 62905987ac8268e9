/* sys/netlink - requests to the kernel's tables of interfaces and addresses, and its answers (rtnetlink(7))
 *
 * One request at a time on a socket of its own, which stays in the network namespace that it was opened in. Answers come
 * from the kernel alone; a message that is shorter than it says ends the conversation with EBADMSG. */
#ifndef BRYO_SYS_NETLINK_H
#define BRYO_SYS_NETLINK_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* In the caller's network namespace. -1 with errno. */
int netlink_open(void);
/* One in each of these network namespaces, by a child that goes there: who enters a namespace of his own from one that is not
 * his, such as the host's, cannot come back. The child shares memory and descriptors with the caller, and costs little. */
int netlink_open_in(const int *namespaces, size_t n, int *ret_sockets, struct error *err);

struct netlink_request {
	union {
		struct nlmsghdr header;
		char bytes[1024];
	};
	bool failed;			/* it did not fit */
};

/* RTM_GETLINK and others with their fixed part; flags: NLM_F_DUMP, NLM_F_CREATE ... */
void netlink_request_init(struct netlink_request *r, uint16_t type, uint16_t flags, const void *body, size_t n);
void netlink_request_add(struct netlink_request *r, uint16_t type, const void *p, size_t n);
void netlink_request_add_string(struct netlink_request *r, uint16_t type, const char *s);
/* An attribute that holds others: what is added until netlink_request_end belongs to it, after a fixed part of n bytes. */
size_t netlink_request_begin(struct netlink_request *r, uint16_t type, const void *body, size_t n);
void netlink_request_end(struct netlink_request *r, size_t begun);

/* Sends it and gives each message of the answer to take (NULL: none is expected) until the kernel has said that all is
 * done. -1 with the kernel's errno, and its words in err where it has any; EINTR: a list that changed meanwhile. */
int netlink_ask(int fd, struct netlink_request *r, void (*take)(void *context, const struct nlmsghdr *m), void *context,
		struct error *err);

/* The fixed part of an answer, NULL when it is shorter than n. */
const void *netlink_body(const struct nlmsghdr *m, size_t n);
/* An attribute after a fixed part of `body` bytes: at least min bytes, their number in *ret_n (may be NULL); or NULL. */
const void *netlink_find(const struct nlmsghdr *m, size_t body, uint16_t type, size_t min, size_t *ret_n);
/* The same as text; NULL when it is absent or does not end. */
const char *netlink_find_string(const struct nlmsghdr *m, size_t body, uint16_t type);

#endif
