/* bryo-monitor beside an ordinary child: no container is needed. Its program is in $BRYO_MONITOR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/arena.h"
#include "sys/attach.h"
#include "sys/fd.h"
#include "sys/log.h"
#include "sys/pidfd.h"

struct fixture {
	char path[40];
	int top, dir, run, events;
	struct arena *arena;
	struct monitor_config config;
	bool with_stdin, terminal, with_client;
	pid_t monitor, child;
	int client;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/monitor-test-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->arena = arena_new();
	f->top = open(f->path, O_DIRECTORY | O_CLOEXEC);
	mkdirat(f->top, "dir", 0700);
	mkdirat(f->top, "run", 0700);
	f->dir = fd_open_dir(f->top, "dir");
	f->run = fd_open_dir(f->top, "run");
	f->events = openat(f->top, "events", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	f->client = -1;
	f->config = (struct monitor_config){
		.magic = MONITOR_CONFIG_MAGIC, .size = sizeof(f->config), .id = "cafe",
		.console = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .lock_fd = -1, .client_fd = -1,
		.keep_fd = -1, .cgroup_fd = -1, .bypass_fd = -1, .bypass_door_fd = -1, .bypass_route_fd = -1, .bypass_bridges_fd = -1, .log_name = "ctr.log", .event = "\"Status\":\"died\"",
		.client_wants = ATTACH_WANT_STDIN | ATTACH_WANT_STDOUT | ATTACH_WANT_STDERR,
	};
	snprintf(f->config.bryo, sizeof(f->config.bryo), "%s/bryo", f->path);
	fd_write_file(f->top, "bryo", "#!/bin/sh\necho \"$@\" >> \"${0%/*}/calls\"\n", 39, 0700, false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->dir);
	close(f->run);
	close(f->events);
	close(f->top);
	fd_close(&f->client);
	fd_remove_tree(AT_FDCWD, f->path);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void make_pipe(int pair[2])
{
	if (pipe2(pair, O_CLOEXEC) < 0)
		_exit(99);
}

/* The process that becomes the monitor: makes the streams and the child, and writes the config. */
static void become_monitor(struct fixture *f, const char *script, int report)
{
	struct monitor_config *c = &f->config;
	int in[2] = { -1, -1 }, out[2], err[2], master, slave, memfd;
	char number[16];

	setsid();
	if (f->terminal) {
		if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
			_exit(99);
		in[0] = out[1] = err[1] = slave;
		c->console = master;
	} else {
		make_pipe(out);
		make_pipe(err);
		c->stdout_fd = out[0];
		c->stderr_fd = err[0];
		if (f->with_stdin) {
			make_pipe(in);
			c->stdin_fd = in[1];
		} else {
			in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		}
	}
	c->pid = fork();
	if (c->pid == 0) {
		if (f->terminal) {
			setsid();
			ioctl(slave, TIOCSCTTY, 0);
		}
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	if (write(report, &c->pid, sizeof(c->pid)) != sizeof(c->pid))
		_exit(99);
	c->pidfd = pidfd_open_pid(c->pid);
	c->dir_fd = f->dir;
	c->run_fd = f->run;
	c->events_fd = f->events;
	memfd = memfd_create("config", 0);
	if (write(memfd, c, sizeof(*c)) != sizeof(*c))
		_exit(99);
	const int kept[] = { c->console, c->stdin_fd, c->stdout_fd, c->stderr_fd, c->pidfd, c->dir_fd, c->run_fd,
			     c->events_fd, c->client_fd };
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i] >= 0)
			fd_set_cloexec(kept[i], false);
	if (f->terminal)
		close(slave);
	snprintf(number, sizeof(number), "%d", memfd);
	execl(getenv("BRYO_MONITOR"), "bryo-monitor", number, NULL);
	_exit(98);
}

static void start(struct fixture *f, const char *script)
{
	int pair[2], report[2];

	make_pipe(report);
	if (f->with_client) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		f->config.client_fd = pair[1];
	}
	f->monitor = fork();
	if (f->monitor == 0)
		become_monitor(f, script, report[1]);
	close(report[1]);
	assert_int_equal(read(report[0], &f->child, sizeof(f->child)), sizeof(f->child));
	close(report[0]);
	if (f->with_client) {
		close(pair[1]);
		f->client = pair[0];
	}
}

/* The monitor's own exit status; whatever hangs is an error after 20 s. */
static int finish(struct fixture *f)
{
	int pidfd = pidfd_open_pid(f->monitor), status = -1;

	if (pidfd_wait_exit(pidfd, 20000) != 1) {
		kill(f->monitor, SIGKILL);
		kill(f->child, SIGKILL);
	}
	close(pidfd);
	assert_int_equal(waitpid(f->monitor, &status, 0), f->monitor);
	return status;
}

static const char *content(struct fixture *f, int dir, const char *name)
{
	char *text = fd_read_file(f->arena, dir, name, 1 << 20, NULL);

	return text ? text : "";
}

static const char *log_text(struct fixture *f, enum log_stream stream)
{
	struct log_query q = { .tail = -1 };
	struct log_reader *r = log_reader_open(f->arena, f->dir, "ctr.log", &q, NULL);
	static char text[1 << 20];
	struct log_record record;
	size_t n = 0;

	while (r && log_reader_next(r, &record, NULL) == 1)
		if (record.stream == stream)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s%s", (int)record.size, record.text,
					      record.partial ? "" : "\n");
	text[n] = 0;
	log_reader_close(r);
	return text;
}

struct seen {
	char out[1 << 20], err[4096];
	size_t out_n, err_n;
	bool ended;
	struct attach_exit last;
};

/* Reads one frame; false at the end of the connection. */
static bool read_frame(int fd, struct seen *s)
{
	static char payload[ATTACH_FRAME_MAX];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char header[8];
	enum attach_type type;
	uint32_t n;

	assert_int_equal(poll(&p, 1, 15000), 1);
	if (fd_read_all(fd, header, 8) != 8)
		return false;
	assert_int_equal(attach_parse_header(header, &type, &n), 0);
	assert_int_equal(fd_read_all(fd, payload, n), n);
	if (type == ATTACH_STDOUT) {
		memcpy(s->out + s->out_n, payload, n);
		s->out_n += n;
	} else if (type == ATTACH_STDERR) {
		memcpy(s->err + s->err_n, payload, n);
		s->err_n += n;
	} else if (type == ATTACH_EXIT) {
		memcpy(&s->last, payload, sizeof(s->last));
		s->ended = true;
	}
	s->out[s->out_n] = s->err[s->err_n] = 0;
	return true;
}

static struct seen *new_seen(void)
{
	static struct seen s;

	memset(&s, 0, sizeof(s));
	return &s;
}

static void read_until(int fd, struct seen *s, const char *text)
{
	while (!strstr(s->out, text))
		assert_true(read_frame(fd, s));
}

static int attach(struct fixture *f, unsigned char wants)
{
	int fd = -1;

	for (int i = 0; i < 200 && (fd = attach_connect(f->run)) < 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_true(fd >= 0);
	assert_int_equal(attach_send(fd, ATTACH_HELLO, &wants, 1), 0);
	return fd;
}

static void test_log_exit_and_event(void **state)
{
	struct fixture *f = *state;

	start(f, "echo out; echo err >&2; printf part; exit 3");
	assert_int_equal(finish(f), 0);
	assert_string_equal(log_text(f, LOG_STDOUT), "out\npart");
	assert_string_equal(log_text(f, LOG_STDERR), "err\n");
	assert_non_null(strstr(content(f, f->dir, "exit"), "{\"exitCode\":3,\"oomKilled\":false,\"finishedAt\":1"));
	assert_non_null(strstr(content(f, f->top, "events"), "{\"Status\":\"died\",\"exitCode\":3,\"time\":1"));
	assert_int_equal(faccessat(f->run, "attach", F_OK, 0), -1);
}

static void test_no_log(void **state)
{
	struct fixture *f = *state;

	f->config.log_none = 1;
	start(f, "echo out; kill -TERM $$");
	assert_int_equal(finish(f), 0);
	assert_int_equal(faccessat(f->dir, "ctr.log", F_OK, 0), -1);
	assert_non_null(strstr(content(f, f->dir, "exit"), "\"exitCode\":143,"));
}

static void test_exit_goes_to_the_runtime_directory_when_the_store_is_full(void **state)
{
	struct fixture *f = *state;

	unlinkat(f->top, "dir", AT_REMOVEDIR);	/* nothing can be made in it: as on a full disk */
	start(f, "exit 5");
	assert_int_equal(finish(f), 0);
	assert_non_null(strstr(content(f, f->run, "exit"), "\"exitCode\":5,"));
}

static void test_foreground_client(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_client = f->with_stdin = true;
	start(f, "read a; echo got $a; echo bad >&2; cat; exit 7");
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, "one\n", 4), 0);
	read_until(f->client, s, "got one");
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, "rest", 4), 0);
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, NULL, 0), 0);
	while (read_frame(f->client, s))
		;
	assert_string_equal(s->out, "got one\nrest");
	assert_string_equal(s->err, "bad\n");
	assert_true(s->ended);
	assert_int_equal(s->last.code, 7);
	assert_int_equal(finish(f), 0);
}

static void test_attach_detach_attach(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();
	int fd, onlooker;

	f->with_stdin = true;
	f->config.keep_stdin = 1;
	start(f, "while read a; do echo \"<$a>\"; done; echo end");
	fd = attach(f, ATTACH_WANT_STDIN | ATTACH_WANT_STDOUT);
	assert_int_equal(attach_send(fd, ATTACH_STDIN, "a\n", 2), 0);
	read_until(fd, s, "<a>");
	close(fd);
	onlooker = attach(f, ATTACH_WANT_STDOUT);	/* may not write */
	assert_int_equal(attach_send(onlooker, ATTACH_STDIN, "evil\n", 5), 0);
	fd = attach(f, ATTACH_WANT_STDIN | ATTACH_WANT_STDOUT);
	assert_int_equal(attach_send(fd, ATTACH_STDIN, "b\n", 2), 0);
	s = new_seen();
	read_until(fd, s, "<b>");
	assert_int_equal(attach_send(fd, ATTACH_STDIN, NULL, 0), 0);
	while (read_frame(fd, s))
		;
	assert_string_equal(s->out, "<b>\nend\n");
	close(fd);
	close(onlooker);
	assert_int_equal(finish(f), 0);
	assert_string_equal(log_text(f, LOG_STDOUT), "<a>\n<b>\nend\n");
}

static void test_stdin_once_ends_with_its_client(void **state)
{
	struct fixture *f = *state;

	f->with_client = f->with_stdin = true;
	f->config.keep_stdin = f->config.stdin_once = 1;
	start(f, "cat; echo closed");
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, "x\n", 2), 0);
	fd_close(&f->client);
	assert_int_equal(finish(f), 0);
	assert_string_equal(log_text(f, LOG_STDOUT), "x\nclosed\n");
}

static void test_nonsense_drops_the_client_alone(void **state)
{
	static const unsigned char cases[][8] = {
		{ 9, 0, 0, 0, 0, 0, 0, 0 },			/* type */
		{ ATTACH_STDIN, 0, 0, 0, 0x7f, 0, 0, 0 },	/* length */
		{ ATTACH_HELLO, 0, 0, 0, 0, 0, 0, 0 },		/* empty */
		{ ATTACH_RESIZE, 0, 0, 0, 0, 0, 1, 0 },		/* long */
		{ ATTACH_EXIT, 0, 0, 0, 0, 0, 0, 4 },		/* not for clients */
	};
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_stdin = true;
	f->config.keep_stdin = 1;
	start(f, "read a; echo $a");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = attach(f, ATTACH_WANT_STDIN);

		assert_int_equal(send(fd, cases[i], 8, MSG_NOSIGNAL), 8);
		send(fd, "1234", 4, MSG_NOSIGNAL);
		assert_false(read_frame(fd, s));
		close(fd);
	}
	int fd = attach(f, ATTACH_WANT_STDIN | ATTACH_WANT_STDOUT);
	assert_int_equal(attach_send(fd, ATTACH_STDIN, "alive\n", 6), 0);
	read_until(fd, s, "alive");
	close(fd);
	assert_int_equal(finish(f), 0);
}

static void test_terminal_and_resize(void **state)
{
	static const unsigned char size[4] = { 0, 33, 0, 77 };
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_client = f->terminal = true;
	start(f, "stty -echo; echo ready; read a; stty size; cat; echo end");
	read_until(f->client, s, "ready");
	assert_int_equal(attach_send(f->client, ATTACH_RESIZE, size, 4), 0);
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, "go\n", 3), 0);
	read_until(f->client, s, "33 77");
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, NULL, 0), 0);	/* ^D */
	while (read_frame(f->client, s))
		;
	assert_string_equal(s->out, "ready\r\n33 77\r\nend\r\n");
	assert_int_equal(s->last.code, 0);
	assert_int_equal(finish(f), 0);
}

/* The reader is slow: nothing is lost, and the log has the same. */
static void test_large_output_to_a_slow_client(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_client = true;
	start(f, "i=0; while [ $i -lt 9000 ]; do echo line-$i-0123456789012345678901234567890123456789; i=$((i+1)); done");
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	while (read_frame(f->client, s))
		;
	assert_true(s->ended);
	assert_non_null(strstr(s->out, "line-0-"));
	assert_non_null(strstr(s->out, "line-8999-"));
	assert_int_equal(finish(f), 0);
	assert_string_equal(log_text(f, LOG_STDOUT), s->out);
}

static void test_wait_client_keeps_output(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();
	int fd;

	f->config.wait_client = 1;
	start(f, "echo first; sleep 0.3; echo second");
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	fd = attach(f, ATTACH_WANT_STDOUT);
	while (read_frame(fd, s))
		;
	assert_string_equal(s->out, "first\nsecond\n");
	close(fd);
	assert_int_equal(finish(f), 0);
}

static void test_large_input(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();
	static char block[30000];

	memset(block, 'i', sizeof(block));
	f->with_client = f->with_stdin = true;
	start(f, "sleep 0.3; wc -c");
	for (int i = 0; i < 20; i++)
		assert_int_equal(attach_send(f->client, ATTACH_STDIN, block, sizeof(block)), 0);
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, NULL, 0), 0);
	while (read_frame(f->client, s))
		;
	assert_int_equal(strtol(s->out, NULL, 10), 600000);
	assert_int_equal(finish(f), 0);
}

static void test_input_that_nobody_reads(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_client = f->with_stdin = true;
	start(f, "exec <&-; echo closed; sleep 0.2");
	read_until(f->client, s, "closed");
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, "x", 1), 0);
	assert_int_equal(attach_send(f->client, ATTACH_STDIN, "y", 1), 0);
	while (read_frame(f->client, s))
		;
	assert_true(s->ended);
	assert_int_equal(finish(f), 0);
}

static void test_term_to_the_monitor_ends_the_container(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_client = true;
	f->config.restart = RESTART_ALWAYS;
	f->config.cleanup = 1;
	start(f, "echo up; exec sleep 100");
	read_until(f->client, s, "up");
	kill(f->monitor, SIGHUP);	/* ignored */
	kill(f->monitor, SIGTERM);
	assert_int_equal(finish(f), 0);
	assert_non_null(strstr(content(f, f->dir, "exit"), "\"exitCode\":137,"));
	assert_string_equal(content(f, f->top, "calls"), "container cleanup cafe\n");
}

static void test_killed_monitor_does_not_leave_the_container_hanging(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();
	int pidfd;

	f->with_client = true;
	start(f, "echo up; while echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; do :; done");
	read_until(f->client, s, "up");
	pidfd = pidfd_open_pid(f->child);
	kill(f->monitor, SIGKILL);
	assert_int_equal(finish(f), SIGKILL);
	assert_int_equal(pidfd_wait_exit(pidfd, 5000), 1);
	close(pidfd);
}

static void test_timeout(void **state)
{
	struct fixture *f = *state;

	f->config.timeout_s = 1;
	start(f, "exec sleep 100");
	assert_int_equal(finish(f), 0);
	assert_non_null(strstr(content(f, f->dir, "exit"), "\"exitCode\":137,"));
}

static void test_restart_policies(void **state)
{
	static const struct {
		enum restart_policy policy;
		uint32_t max, count;
		bool stopped, cleanup;
		const char *script, *call;
	} cases[] = {
		{ RESTART_NO, 0, 0, false, false, "exit 1", "" },
		{ RESTART_NO, 0, 0, false, true, "exit 1", "container cleanup cafe\n" },
		{ RESTART_ALWAYS, 0, 0, false, true, "exit 0", "container restart-now cafe\n" },
		{ RESTART_ALWAYS, 0, 0, true, true, "exit 0", "container cleanup cafe\n" },
		{ RESTART_UNLESS_STOPPED, 0, 9, false, false, "exit 1", "container restart-now cafe\n" },
		{ RESTART_UNLESS_STOPPED, 0, 9, true, false, "exit 1", "" },
		{ RESTART_ON_FAILURE, 0, 50, false, false, "exit 1", "container restart-now cafe\n" },
		{ RESTART_ON_FAILURE, 0, 0, false, false, "exit 0", "" },
		{ RESTART_ON_FAILURE, 2, 1, false, false, "exit 1", "container restart-now cafe\n" },
		{ RESTART_ON_FAILURE, 2, 2, false, true, "exit 1", "container cleanup cafe\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->config.restart = cases[i].policy;
		f->config.restart_max = cases[i].max;
		f->config.restart_count = cases[i].count;
		f->config.cleanup = cases[i].cleanup;
		unlinkat(f->top, "calls", 0);
		unlinkat(f->run, "stopped", 0);
		unlinkat(f->run, "backoff", 0);
		if (cases[i].stopped)
			fd_write_file(f->run, "stopped", "", 0, 0600, false);
		start(f, cases[i].script);
		assert_int_equal(finish(f), 0);
		assert_string_equal(content(f, f->top, "calls"), cases[i].call);
	}
}

static void test_back_off_doubles_and_is_cut_short_by_stop(void **state)
{
	struct fixture *f = *state;

	f->config.restart = RESTART_ALWAYS;
	f->config.cleanup = 1;
	start(f, "exit 0");
	assert_int_equal(finish(f), 0);
	assert_string_equal(content(f, f->run, "backoff"), "100");
	start(f, "exit 0");
	assert_int_equal(finish(f), 0);
	assert_string_equal(content(f, f->run, "backoff"), "200");
	fd_write_file(f->run, "backoff", "55000", 5, 0600, false);
	unlinkat(f->top, "calls", 0);
	start(f, "exit 0");
	while (strcmp(content(f, f->run, "backoff"), "60000") != 0)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	fd_write_file(f->run, "stopped", "", 0, 0600, false);
	assert_int_equal(finish(f), 0);
	assert_string_equal(content(f, f->top, "calls"), "container cleanup cafe\n");
}

/* Beyond the container's own process, at most 0.3 MB; what is here is the whole of it. */
static void test_memory(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();
	char path[64];
	const char *text, *at;

	if (getenv("BRYO_SANITIZED") && *getenv("BRYO_SANITIZED")) {
		print_message("memory of a sanitized program says nothing\n");
		skip();
	}
	f->with_client = true;
	start(f, "echo up; exec sleep 100");
	read_until(f->client, s, "up");
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)f->monitor);
	text = content(f, AT_FDCWD, path);
	for (at = text; (at = strstr(at, "Anonymous:")); at++) {
		print_message("anonymous: %ld KiB\n", strtol(at + 10, NULL, 10));
		assert_true(strtol(at + 10, NULL, 10) < 150);
	}
	kill(f->monitor, SIGTERM);
	assert_int_equal(finish(f), 0);
}

/* `run --rm` in the foreground removes the container itself; when it is gone the monitor does. */
static void test_cleanup_is_left_to_a_client_that_is_there(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();

	f->with_client = true;
	f->config.cleanup = f->config.client_cleans = 1;
	start(f, "echo up");
	while (!s->ended && read_frame(f->client, s))
		;
	fd_close(&f->client);	/* the directory has no configuration: it was removed */
	assert_int_equal(finish(f), 0);
	assert_string_equal(content(f, f->top, "calls"), "");
	start(f, "sleep 0.2");
	fd_close(&f->client);
	assert_int_equal(finish(f), 0);
	assert_string_equal(content(f, f->top, "calls"), "container cleanup cafe\n");
}

static void test_waiting_client_gets_the_exit_alone(void **state)
{
	struct fixture *f = *state;
	struct seen *s = new_seen();
	int fd;

	start(f, "echo noise; sleep 0.3; exit 4");
	fd = attach(f, 0);
	while (read_frame(fd, s))
		;
	assert_string_equal(s->out, "");
	assert_true(s->ended);
	assert_int_equal(s->last.code, 4);
	close(fd);
	assert_int_equal(finish(f), 0);
}

static void test_refuses_a_foreign_config(void **state)
{
	struct fixture *f = *state;

	f->config.size++;
	start(f, "exit 0");
	assert_true(WEXITSTATUS(finish(f)) != 0);
}

int main(void)
{
#define MONITOR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		MONITOR_TEST(test_log_exit_and_event),
		MONITOR_TEST(test_no_log),
		MONITOR_TEST(test_exit_goes_to_the_runtime_directory_when_the_store_is_full),
		MONITOR_TEST(test_foreground_client),
		MONITOR_TEST(test_attach_detach_attach),
		MONITOR_TEST(test_stdin_once_ends_with_its_client),
		MONITOR_TEST(test_nonsense_drops_the_client_alone),
		MONITOR_TEST(test_terminal_and_resize),
		MONITOR_TEST(test_large_output_to_a_slow_client),
		MONITOR_TEST(test_wait_client_keeps_output),
		MONITOR_TEST(test_large_input),
		MONITOR_TEST(test_input_that_nobody_reads),
		MONITOR_TEST(test_term_to_the_monitor_ends_the_container),
		MONITOR_TEST(test_killed_monitor_does_not_leave_the_container_hanging),
		MONITOR_TEST(test_timeout),
		MONITOR_TEST(test_restart_policies),
		MONITOR_TEST(test_back_off_doubles_and_is_cut_short_by_stop),
		MONITOR_TEST(test_memory),
		MONITOR_TEST(test_cleanup_is_left_to_a_client_that_is_there),
		MONITOR_TEST(test_waiting_client_gets_the_exit_alone),
		MONITOR_TEST(test_refuses_a_foreign_config),
	};

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
