/* The container's end: what is written down, and what happens then. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "sys/fd.h"
#include "sys/forward.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS 60000
#define BACKOFF_RESET_MS 10000

static bool was_oom_killed(const struct monitor *m)
{
	char text[512], *at;
	int fd = m->config.cgroup_fd < 0 ? -1 : openat(m->config.cgroup_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = fd_read_all(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	at = strstr(text, "oom_kill ");
	return at && strtoull(at + strlen("oom_kill "), NULL, 10) > 0;
}

static bool stopped_by_user(const struct monitor *m)
{
	return faccessat(m->config.run_fd, "stopped", F_OK, 0) == 0;
}

bool ending_restart_is_wanted(struct monitor *m)
{
	const struct monitor_config *c = &m->config;

	if (m->terminated || stopped_by_user(m))
		return false;
	switch (c->restart) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return m->exit_code != 0 && (c->restart_max == 0 || c->restart_count < c->restart_max);
	default:
		return false;
	}
}

static void write_event(const struct monitor *m, int64_t now_ns)
{
	char line[sizeof(m->config.event) + 256];
	int n = snprintf(line, sizeof(line), "{%s%s\"exitCode\":%d,\"time\":%lld}\n", m->config.event,
			 m->config.event[0] ? "," : "", m->exit_code, (long long)now_ns);

	/* One write in append mode: lines of several writers do not mix. A full disk loses it. */
	if (m->config.events_fd >= 0 && n > 0 && (size_t)n < sizeof(line) && write(m->config.events_fd, line, (size_t)n) < 0)
		return;
}

void ending_record(struct monitor *m, bool restarting)
{
	struct attach_exit last = { .code = m->exit_code, .oom_killed = was_oom_killed(m), .restarting = restarting };
	struct timespec now;
	int64_t now_ns;
	char text[160];
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	n = snprintf(text, sizeof(text), "{\"exitCode\":%d,\"oomKilled\":%s,\"finishedAt\":%lld,\"error\":\"\"}\n",
		     m->exit_code, last.oom_killed ? "true" : "false", (long long)now_ns);
	/* On a full disk the runtime directory, which is memory, keeps it; and of a container that is removed at its end
	 * nobody asks after a reboot. */
	if (m->config.removed_at_end || fd_write_file(m->config.dir_fd, "exit", text, (size_t)n, 0600, false) < 0)
		fd_write_file(m->config.run_fd, "exit", text, (size_t)n, 0600, false);
	write_event(m, now_ns);
	clients_send(m, ATTACH_EXIT, &last, sizeof(last));
}

/* The back-off outlives this process in a file beside the socket; a run that lasted starts it anew. */
static int64_t next_backoff(const struct monitor *m)
{
	char text[24];
	int fd = openat(m->config.run_fd, "backoff", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int64_t ms = 0;
	ssize_t n = fd < 0 ? 0 : fd_read_all(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n > 0) {
		text[n] = 0;
		ms = strtoll(text, NULL, 10);
	}
	if (monitor_now_ms() - m->started_ms >= BACKOFF_RESET_MS)
		ms = 0;
	ms = ms <= 0 ? BACKOFF_FIRST_MS : ms * 2;
	if (ms > BACKOFF_MOST_MS)
		ms = BACKOFF_MOST_MS;
	n = snprintf(text, sizeof(text), "%lld", (long long)ms);
	fd_write_file(m->config.run_fd, "backoff", text, (size_t)n, 0600, false);
	return ms;
}

/* The sockets of the published ports go on to the next run: nobody else can have the ports meanwhile. */
static char *leave_ports(const struct monitor *m, char *text, size_t size)
{
	int first = m->config.forward_first + FORWARD_FIRST_SOCKET, last = m->config.forward_first + (int)m->config.forward_n - 1;

	if (!m->ports.plan)
		return NULL;
	for (int fd = first; fd <= last; fd++)
		fd_set_cloexec(fd, false);
	snprintf(text, size, "%d-%d", first, last);
	return text;
}

static void run_bryo(const struct monitor *m, const char *command, char *operand)
{
	char *const argv[] = { (char *)"bryo", (char *)"container", (char *)command, (char *)m->config.id, operand, NULL };
	sigset_t none;

	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(m->config.bryo, argv);
}

bool ending_is_container_there(const struct monitor *m)
{
	return faccessat(m->config.dir_fd, "config.json", F_OK, 0) == 0;
}

/* Becomes the bryo program where something is left to do; the lock on monitor.lock is free from then on. */
void ending_leave(struct monitor *m, bool restarting)
{
	char ports[32];

	if (restarting && monitor_sleep(m, next_backoff(m)))
		run_bryo(m, "restart-now", leave_ports(m, ports, sizeof(ports)));
	else if (m->config.cleanup)
		run_bryo(m, "cleanup", NULL);
	else
		_exit(0);
	_exit(1);
}
