/* The fork that becomes the monitor: between here and exec of bryo-monitor it is the container's parent. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/events.h"
#include "engine/idfile.h"
#include "engine/launch.h"
#include "engine/launch_bypass.h"
#include "engine/network_names.h"
#include "engine/state.h"
#include "monitor/run.h"
#include "net/forward.h"
#include "store/container.h"
#include "sys/fd.h"
#include "sys/forward.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"
#include "sys/trace.h"

#define SHORT_MS 8
#define SHORT_CLOSED_MS 2

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

/* The died event but for its time and exit code, which the monitor adds. */
static void died_event(struct launch *l, char *to, size_t size)
{
	const struct container *c = l->c;
	const char *text = event_members(l->e, "container", "died", c->id, c->name, c->image_name, &c->labels);

	if (strlen(text) >= size)	/* labels may be long */
		text = event_members(l->e, "container", "died", c->id, c->name, NULL, NULL);
	copy_text(to, size, text);
}

/* The descriptors of the published ports stand in a row, where nothing else is open. */
static int lay_row(const int *v, size_t n)
{
	int first = 3, got;

	for (size_t i = 0; i < n; i++) {
		got = fcntl(v[i], F_DUPFD_CLOEXEC, first + (int)i);
		if (got == first + (int)i)
			continue;
		for (size_t k = 0; k < i; k++)
			close(first + (int)k);
		if (got < 0)
			return -1;
		close(got);
		first = got;
		i = (size_t)-1;		/* from the beginning */
	}
	return first;
}

static int hand_over_ports(struct launch *l, struct monitor_config *m, struct error *err)
{
	size_t n = l->net.mode == NET_BRIDGE ? net_forward_count(&l->net) : 0;
	int *row = arena_new_array(l->e->arena, int, FORWARD_FIRST_SOCKET + n);

	if (!n)
		return 0;
	row[FORWARD_PLAN] = net_forward_plan(l->e->arena, &l->net, l->bridges.endpoints.v, l->bridges.endpoints.n,
					     l->run_dir, err);
	if (row[FORWARD_PLAN] < 0)
		return -1;
	row[FORWARD_NETNS] = l->bridges.rootless.ns;
	for (size_t i = 0; i < n; i++)
		row[FORWARD_FIRST_SOCKET + i] = net_forward_socket(&l->net, i);
	fd_raise_limit();
	m->forward_n = (uint32_t)(FORWARD_FIRST_SOCKET + n);
	m->forward_first = lay_row(row, m->forward_n);
	return m->forward_first < 0 ? error_errno(err, "hand over %zu published ports", n) : 0;
}

static int fill_config(struct launch *l, const struct run_process *p, struct monitor_config *m, struct error *err)
{
	const struct create_request *r = &l->c->request;
	const char *max_size = map_get(&l->c->log_options, "max-size");
	enum restart_policy policy = RESTART_NO;
	char *bryo = spawn_own_program(l->e->arena, "bryo", err);
	unsigned timeout = 0;

	if (!bryo)
		return -1;
	*m = (struct monitor_config){ .magic = MONITOR_CONFIG_MAGIC, .size = sizeof(*m), .pid = p->pid, .pidfd = p->pidfd,
		.console = p->console, .stdin_fd = l->our_stdio[0], .stdout_fd = l->our_stdio[1], .stderr_fd = l->our_stdio[2],
		.dir_fd = l->dir_fd, .run_fd = l->run_dir, .lock_fd = l->lock_fd, .client_fd = l->monitor_client,
		.client_wants = l->client_wants, .keep_stdin = r->interactive, .stdin_once = r->interactive && !r->detach,
		.log_none = strcmp(l->c->log_driver, "none") == 0, .keep_fd = l->net_result.keep_fd,
		.events_fd = event_log_fd(l->e), .cgroup_fd = l->cgroup_fd,
		.bypass_fd = l->bypass_fd, .bypass_door_fd = l->bypass_door, .bypass_route_fd = l->bypass_routes,
		.bypass_bridges_fd = l->net.mode == NET_BRIDGE && l->bypass_fd >= 0 ? l->bridges.rootless.socket : -1,
		.bypass_on_link = l->net.mode == NET_PASTA,
		.restart_count = (uint32_t)l->restart_count };
	if (r->timeout && str_to_u32(r->timeout, &timeout) < 0)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --timeout: seconds are needed", r->timeout);
	m->timeout_s = timeout;
	if (max_size && units_parse_size(max_size, &m->log_max_size) < 0)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --log-opt max-size", max_size);
	restart_parse(r->restart, &policy, &m->restart_max);
	m->restart = policy;
	/* Somebody must take away what outlives the container: itself with --rm, its cgroup, its helpers. */
	m->cleanup = r->rm || l->cgroup.places.n || l->storage_pid || l->net_result.helper_pid || l->bridges.endpoints.n;
	m->removed_at_end = r->rm;
	m->client_cleans = l->client_removes;
	copy_text(m->id, sizeof(m->id), l->c->id);
	copy_text(m->log_name, sizeof(m->log_name), "ctr.log");
	copy_text(m->bryo, sizeof(m->bryo), bryo);
	died_event(l, m->event, sizeof(m->event));
	return hand_over_ports(l, m, err);
}

/* The monitor outlives the command: it must hold neither the caller's terminal nor a pipe that somebody reads to its
 * end, be it 1 and 2 or a descriptor that the caller left open. */
static void let_go_of_caller(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* A command that somebody waits for may be over before bryo-monitor has started, so it is given a moment; but not once it
 * says something: read late, its two streams would lose their order. Streams that are closed announce the end. */
static bool ends_soon(const struct launch *l, const struct monitor_config *m)
{
	struct pollfd fds[] = { { .fd = m->pidfd, .events = POLLIN }, { .fd = m->stdout_fd, .events = POLLIN },
				{ .fd = m->stderr_fd, .events = POLLIN } };

	if (!m->client_cleans || m->console >= 0 || m->keep_stdin)
		return false;
	if (poll(fds, ELEMENTS(fds), SHORT_MS) > 0 && !fds[0].revents && !((fds[1].revents | fds[2].revents) & POLLIN))
		poll(fds, 1, SHORT_CLOSED_MS);
	return fds[0].revents != 0;
}

static int become_monitor(struct launch *l, const struct run_process *p, int *report, struct error *err)
{
	char *program = spawn_own_program(l->e->arena, "bryo-monitor", err);
	struct monitor_config m;
	char number[16];
	int config;

	if (!program || fill_config(l, p, &m, err) < 0)
		return -1;
	if (m.client_cleans)
		fd_close(report);	/* the command is told that its container runs */
	if (ends_soon(l, &m)) {
		/* Taking down the mount waits for the kernel: after the end is told. */
		if (m.keep_fd < 0)
			m.keep_fd = l->root_mount;
		trace_flush();
		monitor_run(&m, NULL);
	}
	config = memfd_create("monitor-config", 0);
	if (config < 0 || fd_write_all(config, &m, sizeof(m)) < 0)
		return error_errno(err, "hand over to the monitor");
	let_go_of_caller();
	const int kept[] = { config, m.pidfd, m.console, m.stdin_fd, m.stdout_fd, m.stderr_fd, m.dir_fd, m.run_fd, m.lock_fd,
			     m.client_fd, m.keep_fd, m.events_fd, m.cgroup_fd, m.bypass_fd, m.bypass_door_fd,
			     m.bypass_route_fd, m.bypass_bridges_fd };
	for (size_t i = 0; i < ELEMENTS(kept); i++)
		if (kept[i] >= 0 && fd_set_cloexec(kept[i], false) < 0)
			return error_errno(err, "hand over to the monitor");
	for (unsigned i = 0; i < m.forward_n; i++)
		if (fd_set_cloexec(m.forward_first + (int)i, false) < 0)
			return error_errno(err, "hand over to the monitor");
	lseek(config, 0, SEEK_SET);
	trace_flush();
	snprintf(number, sizeof(number), "%d", config);
	execv(program, (char *[]){ "bryo-monitor", number, NULL });
	return error_errno(err, "start %s", program);
}

static int record_state(struct launch *l, const struct run_process *p, struct error *err)
{
	_cleanup_trace_ struct trace_span span = trace_begin("record the state");
	char boot[37] = "";
	struct container_state s = { .pid = p->pid, .pid_start = pidfd_start_time(p->pid), .monitor_pid = getpid(),
				     .monitor_start = pidfd_start_time(getpid()), .net_pid = l->net_result.helper_pid,
				     .storage_pid = l->storage_pid, .boot_id = boot, .started_ns = units_now(),
				     .cgroup = l->cgroup.places.n ? &l->cgroup : NULL,
				     .network_mode = (char *)net_mode_name(l->net.mode), .ip = l->net_result.ip, .gateway = l->net_result.gateway,
				     .mac = l->net_result.mac, .networks = { l->bridges.endpoints.v, l->bridges.endpoints.n },
				     .restart_count = l->restart_count };

	pidfd_boot_id(boot);
	network_port_texts(l->e->arena, &l->net, &s.ports);
	if (state_write(l->e, l->run_dir, &s, err) < 0)
		return -1;
	return l->c->request.pidfile ? idfile_write(l->c->request.pidfile, arena_printf(l->e->arena, "%d", p->pid), false, err)
				     : 0;
}

/* To networks of containers; what else there is net_start starts. */
static int attach(struct launch *l, const struct run_process *p, struct error *err)
{
	if (!l->bridges.endpoints.n)
		return 0;
	if (network_bridge_attach(&l->bridges, p->pid, err) < 0)
		return -1;
	network_names_add(l->e, l->c, &l->bridges);
	return 0;
}

static int bring_up(struct launch *l, struct run_process *p, struct error *err)
{
	const char *own_dir = arena_printf(l->e->arena, "%s/containers/%s", l->e->run_path, l->c->id);

	if (run_spawn(l->plan, p, err) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		fd_close(&l->child_stdio[i]);
	if (attach(l, p, err) < 0 || (!l->netns_path && net_needs_start(&l->net) &&
				      net_start(l->e->arena, &l->net, p->pid, own_dir, &l->net_result, err) < 0)) {
		run_abandon(p);
		return -1;
	}
	launch_bypass_see(l, p);
	if (record_state(l, p, err) < 0) {
		net_stop(own_dir);
		run_abandon(p);
		return -1;
	}
	return 0;
}

/* `container init`: everything stands, and the process waits for launch_release. The connection that brings the order
 * also takes the answer, and is then the first attached client. */
static int hold(struct launch *l, struct run_process *p, int *report, struct error *err)
{
	_cleanup_fd_ int listener = attach_listen(l->run_dir);
	struct pollfd wait[2] = { { .fd = listener, .events = POLLIN }, { .fd = p->pidfd, .events = POLLIN } };

	if (listener < 0 || state_mark(l->run_dir, "initialized", true) < 0)
		return error_errno(err, "wait for the start of container %s", l->c->name);
	error_send(*report, &(struct error){ 0 });	/* the waiting process has the pipe too: closing says nothing */
	fd_close(report);
	while (poll(wait, 2, -1) < 0 && errno == EINTR)
		;
	state_mark(l->run_dir, "initialized", false);
	if (wait[1].revents)
		return error_set(err, ERROR_STATE, "the container was killed before its start");
	*report = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	l->ordered = true;
	if (*report < 0 || read(*report, &l->client_wants, 1) != 1)
		return error_errno(err, "take the order to start");
	return record_state(l, p, err);
}

/* After hold: one byte 0 and the connection becomes a client, or 1 and an error. */
static int answer(struct launch *l, int connection, const struct error *err)
{
	unsigned char failed = err != NULL;

	if (write(connection, &failed, 1) != 1 || (err && error_send(connection, err) < 0))
		return -1;
	if (!err)
		l->monitor_client = connection;
	return 0;
}

/* With its pid on record the container may run. */
static int born(void *context, const struct run_process *p, struct error *err)
{
	struct launch *l = context;

	for (int i = 0; i < 3; i++)
		fd_close(&l->child_stdio[i]);
	if (attach(l, p, err) < 0)
		return -1;
	launch_bypass_see(l, p);
	return record_state(l, p, err);
}

static int start_process(struct launch *l, struct run_process *p, int *report, struct error *err)
{
	if (!l->hold && (l->netns_path || !net_needs_start(&l->net))) {
		if (run_start(l->plan, born, l, p, err) < 0)
			return -1;
		launch_bypass_take(l);
		return 0;
	}
	if (bring_up(l, p, err) < 0)
		return -1;
	if (l->hold && hold(l, p, report, err) < 0) {
		run_abandon(p);
		return -1;
	}
	if (run_release(p, err) < 0)
		return -1;
	launch_bypass_take(l);
	return l->hold ? answer(l, *report, NULL) : 0;
}

static _Noreturn void child(struct launch *l, int report)
{
	struct error err = { 0 };
	struct run_process p = { .pid = 0, .pidfd = -1, .console = -1, .release = -1 };
	sigset_t none;

	trace_process("bryo, the later monitor");
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, l->hold ? SIG_IGN : SIG_DFL);
	fd_close(&l->client);
	/* The lock on the container belongs to the command; the monitor gets a descriptor without one. */
	fd_close(&l->dir_fd);
	l->dir_fd = container_store_open(&l->e->store, l->c->id, -1, &err);
	if (l->dir_fd >= 0 && start_process(l, &p, &report, &err) == 0 && become_monitor(l, &p, &report, &err) < 0 && p.pidfd >= 0) {
		pidfd_signal(p.pidfd, SIGKILL);
		pidfd_reap(p.pidfd);
	}
	unlinkat(l->run_dir, "state", 0);
	if (l->ordered && report >= 0)
		answer(l, report, &err);
	else if (report >= 0)
		error_send(report, &err);
	if (l->hold) {		/* nobody else is there to do it */
		cgroup_remove(&l->cgroup);
		if (l->bridges.endpoints.n)
			network_bridge_undo(l->e, l->c->id);
	}
	trace_flush();
	_exit(125);
}

int launch_release(int run_dir, uint8_t wants, int *ret_client, struct error *err)
{
	_cleanup_fd_ int socket = attach_connect(run_dir);
	unsigned char failed = 0;
	ssize_t n;

	if (socket < 0 || write(socket, &wants, 1) != 1)
		return error_errno(err, "reach the process that waits to start");
	while ((n = read(socket, &failed, 1)) < 0 && errno == EINTR)
		;
	if (n != 1)
		return error_set(err, ERROR_FAILED, "the process that waited to start has ended");
	if (failed)
		return error_receive(socket, err) == 1 ? -1 :
		       error_set(err, ERROR_FAILED, "the start failed without a reason");
	*ret_client = fd_take(&socket);
	return 0;
}

int launch_go(struct launch *l, struct error *err)
{
	int report[2], r;
	pid_t pid;

	if (fd_pipe(report) < 0)
		return error_errno(err, "make a pipe");
	event_log_fd(l->e);	/* opened here, so that the child inherits it */
	pid = fork();
	if (pid < 0) {
		close(report[0]);
		close(report[1]);
		return error_errno(err, "start the container's monitor");
	}
	if (pid == 0) {
		close(report[0]);
		child(l, report[1]);
	}
	close(report[1]);
	_cleanup_trace_ struct trace_span span = trace_begin("wait until it runs");
	r = error_receive(report[0], err);
	close(report[0]);
	if (r == 0)
		return 0;	/* end of file: bryo-monitor was exec'd */
	return -1;
}
