#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

int64_t monitor_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void monitor_watch(struct monitor *m, int fd, enum tag tag, unsigned index, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u64 = (uint64_t)tag << 32 | index };

	if (!events)
		epoll_ctl(m->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(m->epoll, EPOLL_CTL_MOD, fd, &e) < 0 && errno == ENOENT)
		epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* The smallest descriptor handed over that is not below `from`; -1 when there is none. */
static int next_of_ours(const struct monitor_config *c, int from)
{
	const int ours[] = { c->pidfd, c->console, c->stdin_fd, c->stdout_fd, c->stderr_fd, c->dir_fd, c->run_fd,
			     c->lock_fd, c->client_fd, c->keep_fd, c->events_fd, c->cgroup_fd, c->bypass_fd, c->bypass_door_fd,
			     c->bypass_route_fd, c->bypass_bridges_fd };
	int least = -1, row = c->forward_first, row_end = row + (int)c->forward_n;

	if (from < row_end)
		least = from > row ? from : row;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i] >= from && (least < 0 || ours[i] < least))
			least = ours[i];
	return least;
}

/* Nothing that the command inherited stays open: whoever reads its output would wait for the monitor's end. 0, 1 and 2
 * are taken by /dev/null, so that a program started at the end finds them. */
static void close_others(const struct monitor_config *c)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), first = 3;

	for (int fd = 0; fd < 3; fd++)
		if (null >= 0 && null != fd && next_of_ours(c, fd) != fd)
			dup2(null, fd);
	if (null >= 0 && null < 3)
		fcntl(null, F_SETFD, 0);
	for (int fd; (fd = next_of_ours(c, first)) >= 0; first = fd + 1)
		if (fd > first)
			syscall(SYS_close_range, first, fd - 1, 0);
	syscall(SYS_close_range, first, ~0u, 0);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int setup(struct monitor *m)
{
	close_others(&m->config);
	syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
	m->listener = -1;
	m->started_ms = monitor_now_ms();
	m->memory_used = true;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->signals = open_signals();
	if (m->epoll < 0 || m->signals < 0)
		return -1;
	monitor_watch(m, m->signals, TAG_SIGNAL, 0, EPOLLIN);
	monitor_watch(m, m->config.pidfd, TAG_EXIT, 0, EPOLLIN);
	streams_open(m);
	clients_open(m);
	ports_open(m);
	bypass_open(m);
	return 0;
}

/* Children other than the container's first process: left by whoever became this program. */
static void reap_strays(const struct monitor *m)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
	       info.si_pid != m->config.pid) {
		waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
}

static void take_signals(struct monitor *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap_strays(m);
			continue;
		}
		m->terminated = true;
		if (!m->exited)
			pidfd_signal(m->config.pidfd, SIGKILL);
	}
}

static void take_exit(struct monitor *m)
{
	int code = pidfd_reap(m->config.pidfd);

	monitor_watch(m, m->config.pidfd, TAG_EXIT, 0, 0);
	m->exit_code = code < 0 ? 255 : code;
	m->exited = true;
	reap_strays(m);
}

static void dispatch(struct monitor *m, const struct epoll_event *e)
{
	unsigned index = (unsigned)e->data.u64;

	switch ((enum tag)(e->data.u64 >> 32)) {
	case TAG_SIGNAL:
		take_signals(m);
		break;
	case TAG_EXIT:
		take_exit(m);
		break;
	case TAG_LISTENER:
		clients_accept(m);
		break;
	case TAG_OUTPUT:
		streams_read(m, index);
		break;
	case TAG_INPUT:
		input_flush(m);
		break;
	case TAG_CLIENT:
		clients_event(m, index, e->events);
		break;
	case TAG_PORTS:
		ports_client(m);
		break;
	case TAG_FORWARDER:
		ports_ended(m);
		break;
	case TAG_BYPASS:
		bypass_event(m, index, e->events);
		break;
	case TAG_BYPASS_DOOR:
		bypass_accept(m);
		break;
	}
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until something is due, -1 when nothing is. */
static int next_timeout(const struct monitor *m)
{
	int64_t now = monitor_now_ms(), due = INT64_MAX;

	if (m->config.timeout_s && !m->exited)
		due = m->started_ms + (int64_t)m->config.timeout_s * 1000;
	for (unsigned i = 0; i < 2; i++)
		if (m->output[i].fd >= 0 && m->output[i].parked_until_ms > now)
			due = earliest(due, m->output[i].parked_until_ms);
	for (unsigned i = 0; i < MONITOR_CLIENTS; i++) {
		const struct client *c = &m->client[i];

		if (c->fd >= 0 && !c->foreground && c->begin < c->end)
			due = earliest(due, c->progress_ms + STALL_MS);
	}
	if (m->ports.again_ms)
		due = earliest(due, m->ports.again_ms);
	if (m->memory_used)
		due = earliest(due, now + IDLE_MS);
	if (due == INT64_MAX)
		return -1;
	return due <= now ? 0 : (int)earliest(due - now, 3600000);
}

/* Nothing happened for a while. */
static void release_memory(struct monitor *m)
{
	if (!m->memory_used || m->input.end || !clients_are_idle(m))
		return;
	madvise(m->buffers, sizeof(*m->buffers), MADV_DONTNEED);
	if (m->release_code)
		m->release_code();
	m->memory_used = false;
}

static void check_timeout(struct monitor *m)
{
	if (m->exited || !m->config.timeout_s ||
	    monitor_now_ms() - m->started_ms < (int64_t)m->config.timeout_s * 1000)
		return;
	m->config.timeout_s = 0;
	pidfd_signal(m->config.pidfd, SIGKILL);
}

static void step(struct monitor *m)
{
	struct epoll_event events[8];
	int n;

	clients_update(m);
	if (!m->exited)
		streams_update(m);
	n = epoll_wait(m->epoll, events, 8, next_timeout(m));
	if (n == 0)
		release_memory(m);
	for (int i = 0; i < n; i++)
		dispatch(m, &events[i]);
	check_timeout(m);
	ports_retry(m);
	clients_drop_stalled(m);
}

static void loop(struct monitor *m)
{
	while (!m->exited)
		step(m);
	for (;;) {
		for (unsigned i = 0; i < 2; i++) {	/* from now on read without being asked to */
			struct output *o = &m->output[i];

			if (o->fd >= 0 && o->watched)
				monitor_watch(m, o->fd, TAG_OUTPUT, i, 0);
			o->watched = false;
		}
		streams_drain(m);
		if (streams_are_done(m) || m->terminated)
			break;
		step(m);
	}
}

static void flush_clients(struct monitor *m)
{
	while (!clients_are_idle(m) && !m->terminated)
		step(m);
}

bool monitor_sleep(struct monitor *m, int64_t ms)
{
	int64_t end = monitor_now_ms() + ms;

	for (;;) {
		struct epoll_event e;
		int64_t left = end - monitor_now_ms();

		if (!ending_restart_is_wanted(m))
			return false;
		if (left <= 0)
			return true;
		if (epoll_wait(m->epoll, &e, 1, (int)earliest(left, 500)) > 0)
			take_signals(m);
	}
}

void monitor_run(const struct monitor_config *config, void (*release_code)(void))
{
	static struct monitor monitor;
	struct monitor *m = &monitor;
	bool restarting;

	m->config = *config;
	m->release_code = release_code;
	/* Costs nothing until it is touched, and then by small pages. */
	m->buffers = mmap(NULL, sizeof(*m->buffers), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->buffers == MAP_FAILED || setup(m) < 0)
		_exit(125);
	madvise(m->buffers, sizeof(*m->buffers), MADV_NOHUGEPAGE);
	loop(m);
	ports_close(m);
	streams_close(m);
	restarting = ending_restart_is_wanted(m);
	ending_record(m, restarting);
	flush_clients(m);
	if (m->config.client_cleans && clients_await_foreground(m) && !ending_is_container_there(m))
		m->config.cleanup = 0;	/* it was told of the end, and has removed the container itself */
	clients_close(m);
	bypass_close(m);
	ending_leave(m, restarting);
}
