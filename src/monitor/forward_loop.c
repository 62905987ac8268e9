/* The forwarder's process: where it stands, what it may, and its loop. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "monitor/forward.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define IDLE_MS 10000			/* with nothing to do it ends */
#define EXPIRE_S 10
#define WAIT_MS 1000			/* for room, when no end of a connection tells of it */
#define EVENTS 128
#define SPARE_DESCRIPTORS 8

int forward_watch(int epoll, int fd, uint32_t events, uint64_t number)
{
	struct epoll_event e = { .events = events, .data.u64 = number };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return 0;
	return errno == EEXIST ? epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e) : -1;
}

/* What is left: sources that are not ours, and clients' ports below 1024. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	uint32_t kept = 1u << CAP_NET_RAW | 1u << CAP_NET_BIND_SERVICE;
	struct __user_cap_data_struct data[2] = { { .effective = kept, .permitted = kept } };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_capset, &head, data);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* How many connections there may be: two descriptors each, and a third of all for pipes and datagrams. */
static uint32_t limit_flows(const struct forwarder *f)
{
	uint64_t ours = (uint64_t)f->first_socket + f->plan->ports + SPARE_DESCRIPTORS, all = fd_raise_limit();

	if (all <= ours + 3)
		return 1;
	return (all - ours) / 3 < FLOWS ? (uint32_t)(all - ours) / 3 : FLOWS;
}

static void tick(struct forwarder *f)
{
	f->round++;
	f->now_ms = clock_now_ms();
	f->now_s = (uint32_t)(f->now_ms / 1000);
}

static void init(struct forwarder *f)
{
	f->accepts = 1;
	f->free_flow = f->busy_flow = f->free_exchange = NOBODY;
	tick(f);
	f->expired_s = f->now_s;
	for (size_t i = 0; i < EXCHANGE_BUCKETS; i++)
		f->bucket[i] = NOBODY;
}

static void dispatch(struct forwarder *f, const struct epoll_event *e)
{
	uint32_t index = (uint32_t)e->data.u64;

	switch ((enum forward_tag)(e->data.u64 >> 32)) {
	case FORWARD_SOCKET:
		if (f->plan->port[index].protocol == IPPROTO_UDP)
			forward_datagrams(f, index);
		else
			forward_accept(f, index);
		break;
	case FORWARD_FLOW:
		forward_flow_event(f, index, e->events);
		break;
	case FORWARD_EXCHANGE:
		forward_answers(f, index);
		break;
	}
}

static int timeout_of(const struct forwarder *f)
{
	if (f->busy_flow != NOBODY)
		return 0;
	if (f->paused_until_ms)
		return f->paused_until_ms > f->now_ms ? (int)(f->paused_until_ms - f->now_ms) : WAIT_MS;
	if (f->exchanges)
		return EXPIRE_S * 1000;
	return f->flows ? -1 : IDLE_MS;
}

static bool step(struct forwarder *f)
{
	struct epoll_event events[EVENTS];
	int timeout = timeout_of(f), n = epoll_wait(f->epoll, events, EVENTS, timeout);

	tick(f);
	if (n == 0 && timeout == IDLE_MS && !f->flows && !f->exchanges)
		return false;
	for (int i = 0; i < n; i++)
		dispatch(f, &events[i]);
	forward_continue(f);
	forward_resume(f);
	if (f->exchanges && f->now_s - f->expired_s >= EXPIRE_S) {
		forward_expire(f);
		f->expired_s = f->now_s;
	}
	return n >= 0 || errno == EINTR;
}

void forward_run(int row, const struct forward_plan *plan, struct offers *offers, int epoll)
{
	static struct forwarder forwarder;
	struct forwarder *f = &forwarder;

	if (setns(row + FORWARD_NETNS, CLONE_NEWNET) < 0)
		_exit(1);
	f->plan = plan;
	f->offers = offers;
	f->first_socket = row + FORWARD_FIRST_SOCKET;
	f->epoll = epoll;
	f->flows_max = limit_flows(f);
	drop_privileges();
	init(f);
	while (step(f))
		;
	_exit(0);
}
