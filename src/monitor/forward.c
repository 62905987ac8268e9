/* The monitor's side of published ports: it watches the sockets while nobody comes, and starts the forwarder. */
#include "monitor/forward.h"

#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "monitor/offer.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define AGAIN_MS 1000			/* a forwarder that ended sooner has failed: the next one waits */

static const struct forward_plan *map_plan(const struct monitor_config *c)
{
	const struct forward_plan *plan;
	struct stat st;

	if (c->forward_n <= FORWARD_FIRST_SOCKET || fstat(c->forward_first + FORWARD_PLAN, &st) < 0 ||
	    st.st_size != (off_t)(sizeof(*plan) + (c->forward_n - FORWARD_FIRST_SOCKET) * sizeof(plan->port[0])))
		return NULL;
	plan = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, c->forward_first + FORWARD_PLAN, 0);
	if (plan == MAP_FAILED || plan->magic != FORWARD_MAGIC || plan->ports != c->forward_n - FORWARD_FIRST_SOCKET)
		return NULL;
	return plan;
}

/* A set of its own, watched as one: it is taken out at once while a forwarder works with it. */
static void watch_ports(struct monitor *m)
{
	struct ports *p = &m->ports;

	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll < 0)
		return;
	for (uint32_t i = 0; i < p->plan->ports; i++)
		forward_watch(p->epoll, m->config.forward_first + FORWARD_FIRST_SOCKET + (int)i, EPOLLIN,
			      forward_number(FORWARD_SOCKET, i));
	monitor_watch(m, p->epoll, TAG_PORTS, 0, EPOLLIN);
}

static struct offers *map_offers(void)
{
	struct offers *offers = mmap(NULL, sizeof(*offers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return offers == MAP_FAILED ? NULL : offers;
}

void ports_open(struct monitor *m)
{
	m->ports = (struct ports){ .plan = map_plan(&m->config), .epoll = -1, .pid = -1, .pidfd = -1 };
	if (!m->ports.plan)
		return;
	if (m->config.bypass_fd >= 0)
		m->ports.offers = map_offers();
	watch_ports(m);
}

/* In the new process. It has none of the monitor's descriptors: who waits for the end of one must not wait for it. */
static _Noreturn void forward(const struct monitor *m, pid_t monitor)
{
	const struct monitor_config *c = &m->config;
	int first = c->forward_first, last = first + (int)c->forward_n - 1, epoll = m->ports.epoll;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != monitor)
		_exit(0);
	prctl(PR_SET_NAME, "bryo-forward");
	if (epoll < first) {
		syscall(SYS_close_range, epoll + 1, first - 1, 0);
		syscall(SYS_close_range, last + 1, ~0u, 0);
		syscall(SYS_close_range, 3, epoll - 1, 0);
	} else {
		syscall(SYS_close_range, 3, first - 1, 0);
		syscall(SYS_close_range, last + 1, epoll - 1, 0);
		syscall(SYS_close_range, epoll + 1, ~0u, 0);
	}
	forward_run(first, m->ports.plan, m->ports.offers, epoll);
}

static void start_forwarder(struct monitor *m)
{
	struct ports *p = &m->ports;
	pid_t monitor = getpid();

	p->begun_ms = clock_now_ms();
	if (p->offers)			/* what the last one left */
		memset(p->offers, 0, sizeof(*p->offers));
	p->pid = fork();
	if (p->pid == 0)
		forward(m, monitor);
	if (p->pid > 0)
		p->pidfd = pidfd_open_pid(p->pid);
	if (p->pidfd >= 0)
		monitor_watch(m, p->pidfd, TAG_FORWARDER, 0, EPOLLIN);
}

void ports_client(struct monitor *m)
{
	struct ports *p = &m->ports;

	monitor_watch(m, p->epoll, TAG_PORTS, 0, 0);
	if (m->exited)
		return;
	start_forwarder(m);
	if (p->pidfd < 0)
		ports_ended(m);
}

/* Has it ended already, the monitor may have reaped it among its other children. */
static void end_forwarder(struct ports *p)
{
	if (p->pid > 0) {
		if (p->pidfd >= 0)
			pidfd_signal(p->pidfd, SIGKILL);
		else
			kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	p->pid = -1;
	fd_close(&p->pidfd);
	fd_close(&p->epoll);
}

/* No client is lost: who came after the forwarder has left stands in a queue that is watched again. */
void ports_ended(struct monitor *m)
{
	struct ports *p = &m->ports;
	int64_t now = clock_now_ms();

	end_forwarder(p);
	p->again_ms = now - p->begun_ms < AGAIN_MS ? now + AGAIN_MS : 0;
	if (!p->again_ms)
		watch_ports(m);
}

void ports_retry(struct monitor *m)
{
	if (!m->ports.again_ms || clock_now_ms() < m->ports.again_ms)
		return;
	m->ports.again_ms = 0;
	watch_ports(m);
}

/* The sockets stay open: they are the claim on the ports, until the monitor has left. */
void ports_close(struct monitor *m)
{
	end_forwarder(&m->ports);
	m->ports.again_ms = 0;
}
