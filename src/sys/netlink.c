#include "sys/netlink.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"

#define CHILD_STACK 16384
#define ANSWER_MAX 32768	/* as much as the kernel puts into one piece of a list */

/* --- the socket */

int netlink_open(void)
{
	int on = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	/* Words of the kernel's beside its errno; kernels without them do without. */
	if (fd >= 0)
		setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return fd;
}

struct visit {
	const int *namespaces;
	size_t n;
	int *sockets;
	const char *failed;		/* which step, with error as its errno */
	int error;
};

/* In a child that shares everything: what it opens is ours. */
static int open_there(void *context)
{
	struct visit *v = context;

	for (size_t i = 0; i < v->n && !v->failed; i++) {
		if (setns(v->namespaces[i], CLONE_NEWNET) < 0)
			v->failed = "enter the network namespace";
		else if ((v->sockets[i] = netlink_open()) < 0)
			v->failed = "open a netlink socket";
		v->error = errno;
	}
	return 0;
}

/* The caller sleeps meanwhile, and no handler of a signal runs in his memory. */
static int send_child(struct visit *v)
{
	_Alignas(16) char stack[CHILD_STACK];
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = clone(open_there, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, v);
	if (pid < 0) {
		v->failed = "start a process";
		v->error = errno;
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return v->failed ? -1 : 0;
}

int netlink_open_in(const int *namespaces, size_t n, int *ret_sockets, struct error *err)
{
	struct visit v = { .namespaces = namespaces, .n = n, .sockets = ret_sockets };

	for (size_t i = 0; i < n; i++)
		ret_sockets[i] = -1;
	if (send_child(&v) == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		fd_close(&ret_sockets[i]);
	errno = v.error;
	return error_errno(err, "%s", v.failed);
}

/* --- requests */

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

void netlink_request_init(struct netlink_request *r, uint16_t type, uint16_t flags, const void *body, size_t n)
{
	static uint32_t sequence;

	*r = (struct netlink_request){ .header = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST,
						   .nlmsg_seq = ++sequence } };
	/* Its bits mean other things in requests that change something. */
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		r->header.nlmsg_flags |= NLM_F_ACK;
	memcpy(r->bytes + NLMSG_HDRLEN, body, n);
	r->header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + aligned(n));
}

void netlink_request_add(struct netlink_request *r, uint16_t type, const void *p, size_t n)
{
	struct rtattr head = { .rta_len = (unsigned short)(sizeof(head) + n), .rta_type = type };
	size_t at = r->header.nlmsg_len;

	if (n > sizeof(r->bytes) || at + sizeof(head) + aligned(n) > sizeof(r->bytes)) {
		r->failed = true;
		return;
	}
	memcpy(r->bytes + at, &head, sizeof(head));
	if (n)
		memcpy(r->bytes + at + sizeof(head), p, n);
	r->header.nlmsg_len = (uint32_t)(at + sizeof(head) + aligned(n));
}

void netlink_request_add_string(struct netlink_request *r, uint16_t type, const char *s)
{
	netlink_request_add(r, type, s, strlen(s) + 1);
}

size_t netlink_request_begin(struct netlink_request *r, uint16_t type, const void *body, size_t n)
{
	size_t begun = r->header.nlmsg_len;

	netlink_request_add(r, type, body, n);
	return begun;
}

void netlink_request_end(struct netlink_request *r, size_t begun)
{
	uint16_t n = (uint16_t)(r->header.nlmsg_len - begun);

	if (!r->failed)
		memcpy(r->bytes + begun, &n, sizeof(n));	/* rta_len */
}

/* --- answers */

const void *netlink_body(const struct nlmsghdr *m, size_t n)
{
	return m->nlmsg_len >= NLMSG_HDRLEN + n ? (const char *)m + NLMSG_HDRLEN : NULL;
}

const void *netlink_find(const struct nlmsghdr *m, size_t body, uint16_t type, size_t min, size_t *ret_n)
{
	const char *at = (const char *)m + NLMSG_HDRLEN + aligned(body), *end = (const char *)m + m->nlmsg_len;

	while (end - at >= (ptrdiff_t)sizeof(struct rtattr)) {
		const struct rtattr *a = (const struct rtattr *)(const void *)at;
		size_t n = a->rta_len;

		if (n < sizeof(*a) || n > (size_t)(end - at))
			return NULL;
		if ((a->rta_type & NLA_TYPE_MASK) == type) {
			if (n - sizeof(*a) < min)
				return NULL;
			if (ret_n)
				*ret_n = n - sizeof(*a);
			return a + 1;
		}
		if (aligned(n) > (size_t)(end - at))
			return NULL;
		at += aligned(n);
	}
	return NULL;
}

const char *netlink_find_string(const struct nlmsghdr *m, size_t body, uint16_t type)
{
	size_t n;
	const char *s = netlink_find(m, body, type, 1, &n);

	return s && memchr(s, '\0', n) ? s : NULL;
}

/* The end of a conversation: 0 for success, else -1 with what the kernel says. */
static int verdict(const struct nlmsghdr *m, struct error *err)
{
	const int *code = netlink_body(m, sizeof(int));
	size_t body = sizeof(struct nlmsgerr);
	const char *words;

	if (!code) {
		errno = EBADMSG;
		return error_errno(err, "netlink");
	}
	if (*code >= 0)
		return 0;
	/* The request comes back in an error, unless it is capped; the words stand after it. */
	if (m->nlmsg_type == NLMSG_DONE)
		body = sizeof(int);
	else if (!(m->nlmsg_flags & NLM_F_CAPPED) && netlink_body(m, body))
		body += ((const struct nlmsgerr *)(const void *)code)->msg.nlmsg_len - sizeof(struct nlmsghdr);
	words = m->nlmsg_flags & NLM_F_ACK_TLVS && body < m->nlmsg_len ? netlink_find_string(m, body, NLMSGERR_ATTR_MSG) : NULL;
	errno = -*code;
	return error_errno(err, "%s", words ? words : "the kernel refuses");
}

/* One datagram of the kernel's; of others nothing is read. */
static ssize_t receive(int fd, void *p, size_t room)
{
	struct sockaddr_nl from = { 0 };
	struct iovec part = { p, room };
	struct msghdr header = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(fd, &header, 0);
	while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n >= 0 && (header.msg_flags & MSG_TRUNC)) {
		errno = EBADMSG;
		return -1;
	}
	return n;
}

struct listening {
	uint32_t sequence;
	void (*take)(void *context, const struct nlmsghdr *m);
	void *context;
	bool interrupted, ended;
};

/* The messages of one datagram; the verdict when it is among them. */
static int listen_to(struct listening *l, const char *at, size_t left, struct error *err)
{
	while (left >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)at;

		if (m->nlmsg_len < sizeof(*m) || m->nlmsg_len > left) {
			errno = EBADMSG;
			return error_errno(err, "netlink");
		}
		if (m->nlmsg_seq == l->sequence) {
			l->interrupted = l->interrupted || (m->nlmsg_flags & NLM_F_DUMP_INTR);
			l->ended = m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR;
			if (l->ended)
				return verdict(m, err);
			if (l->take && m->nlmsg_type >= NLMSG_MIN_TYPE)
				l->take(l->context, m);
		}
		if (aligned(m->nlmsg_len) >= left)
			break;
		left -= aligned(m->nlmsg_len);
		at += aligned(m->nlmsg_len);
	}
	return 0;
}

int netlink_ask(int fd, struct netlink_request *r, void (*take)(void *context, const struct nlmsghdr *m), void *context,
		struct error *err)
{
	struct listening l = { .sequence = r->header.nlmsg_seq, .take = take, .context = context };
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];

	if (r->failed) {
		errno = E2BIG;
		return error_errno(err, "netlink");
	}
	if (send(fd, r->bytes, r->header.nlmsg_len, 0) < 0)
		return error_errno(err, "netlink");
	while (!l.ended) {
		ssize_t n = receive(fd, answer, sizeof(answer));

		if (n < 0)
			return error_errno(err, "netlink");
		if (listen_to(&l, answer, (size_t)n, err) < 0)
			return -1;
	}
	if (!l.interrupted)
		return 0;
	errno = EINTR;
	return error_errno(err, "netlink");
}
