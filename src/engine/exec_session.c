#include "engine/exec_session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include "engine/attach.h"
#include "sys/attach.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

int exec_streams_open(struct exec_streams *s, bool terminal, const struct label_pipes *pipes, struct error *err)
{
	*s = (struct exec_streams){ { -1, -1, -1 }, { -1, -1, -1 } };
	if (terminal)
		return 0;
	s->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 1; i < 3; i++) {
		int ends[2];

		if (label_pipe(pipes, ends, err) < 0) {
			exec_streams_close(s);
			return -1;
		}
		s->ours[i] = ends[0];
		s->child[i] = ends[1];
	}
	return 0;
}

void exec_streams_close(struct exec_streams *s)
{
	for (int i = 0; i < 3; i++) {
		fd_close(&s->child[i]);
		fd_close(&s->ours[i]);
	}
}

/* --- in the foreground */
int exec_session_console(const struct run_process *p, const struct exec_request *r, bool *ret_left, struct error *err)
{
	struct attach_options o = { .in = r->interactive ? STDIN_FILENO : -1, .out = STDOUT_FILENO, .err_ = STDERR_FILENO,
				    .terminal = true, .detach_keys = r->detach_keys, .signal_pidfd = -1, .reader_pidfd = -1 };
	enum attach_end end;

	if (attach_console(p->console, p->pidfd, &o, &end, err) < 0)
		return -1;
	*ret_left = end == ATTACH_DETACHED;
	return 0;
}

/* --- with a monitor */
struct session {
	char id[65];
	int dir, lock;
};

static int session_open(struct engine *e, const struct container *c, struct session *s, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, err);
	char path[80];

	s->dir = s->lock = -1;
	if (run_dir < 0)
		return -1;
	if (fd_random_hex(s->id, 32) < 0)
		return error_errno(err, "make an exec session id");
	snprintf(path, sizeof(path), "exec/%s", s->id);
	if (fd_mkdirs(run_dir, path, 0700) < 0)
		return error_errno(err, "make the exec session's directory");
	s->dir = openat(run_dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return error_errno(err, "open the exec session's directory");
	s->lock = lock_open(s->dir, "monitor.lock", LOCK_EXCLUSIVE, false);
	return s->lock < 0 ? error_errno(err, "lock the exec session") : 0;
}

static void session_close(struct session *s)
{
	fd_close(&s->dir);
	fd_close(&s->lock);
}

static int become_monitor(struct engine *e, const struct session *s, const struct run_process *p, const int ours[3],
			  struct error *err)
{
	char *program = spawn_own_program(e->arena, "bryo-monitor", err);
	struct monitor_config m = { .magic = MONITOR_CONFIG_MAGIC, .size = sizeof(m), .pid = p->pid, .pidfd = p->pidfd,
				    .console = p->console, .stdin_fd = ours[0], .stdout_fd = ours[1], .stderr_fd = ours[2],
				    .dir_fd = s->dir, .run_fd = s->dir, .lock_fd = s->lock, .client_fd = -1, .keep_fd = -1,
				    .events_fd = -1, .cgroup_fd = -1, .log_none = 1 };
	const int kept[] = { m.pidfd, m.console, m.stdin_fd, m.stdout_fd, m.stderr_fd, m.dir_fd, m.lock_fd };
	char number[16];
	int config;

	if (!program)
		return -1;
	snprintf(m.id, sizeof(m.id), "%s", s->id);
	config = memfd_create("monitor-config", 0);
	if (config < 0 || fd_write_all(config, &m, sizeof(m)) < 0)
		return error_errno(err, "hand over to the monitor");
	for (size_t i = 0; i < ELEMENTS(kept); i++)
		if (kept[i] >= 0)
			fd_set_cloexec(kept[i], false);
	snprintf(number, sizeof(number), "%d", config);
	execv(program, (char *[]){ "bryo-monitor", number, NULL });
	return error_errno(err, "start %s", program);
}

/* The monitor must hold none of the command's streams: who reads them would wait for its end. */
static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static _Noreturn void detached_child(struct engine *e, const struct session *s, const struct run_plan *plan,
				     const struct exec_streams *streams, int report)
{
	struct run_process p = { .pidfd = -1, .console = -1, .release = -1 };
	struct error err = { 0 };

	leave_terminal();
	if (run_start(plan, NULL, NULL, &p, &err) == 0 &&
	    become_monitor(e, s, &p, streams->ours, &err) < 0) {
		pidfd_signal(p.pidfd, SIGKILL);
		pidfd_reap(p.pidfd);
	}
	error_send(report, &err);
	_exit(125);
}

int exec_session_detach(struct engine *e, const struct container *c, const struct run_plan *plan,
			const struct exec_streams *streams, char **ret_session, struct error *err)
{
	struct session s;
	int report[2], r;
	pid_t pid;

	if (session_open(e, c, &s, err) < 0 || fd_pipe(report) < 0) {
		session_close(&s);
		return err->kind ? -1 : error_errno(err, "make a pipe");
	}
	pid = fork();
	if (pid == 0)
		detached_child(e, &s, plan, streams, report[1]);
	close(report[1]);
	r = pid < 0 ? error_errno(err, "start the monitor of an exec session") : error_receive(report[0], err);
	close(report[0]);
	session_close(&s);
	if (r != 0)
		return -1;
	*ret_session = arena_strdup(e->arena, s.id);
	return 0;
}

int exec_session_leave(struct engine *e, const struct container *c, const struct run_process *p, struct error *err)
{
	static const int none[3] = { -1, -1, -1 };
	struct session s;
	int report[2], r;
	pid_t pid;

	if (session_open(e, c, &s, err) < 0 || fd_pipe(report) < 0) {
		session_close(&s);
		return err->kind ? -1 : error_errno(err, "make a pipe");
	}
	pid = fork();
	if (pid == 0) {
		struct error failure = { 0 };

		leave_terminal();
		become_monitor(e, &s, p, none, &failure);
		error_send(report[1], &failure);
		_exit(125);
	}
	close(report[1]);
	/* Our end would hang up the terminal, and whoever has not left it yet. */
	r = pid < 0 ? error_errno(err, "start the monitor of an exec session") : error_receive(report[0], err);
	close(report[0]);
	session_close(&s);
	return r == 0 ? 0 : -1;
}
