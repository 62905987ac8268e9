#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/attach.h"
#include "engine/attach_keys.h"
#include "engine/exec_relay.h"
#include "sys/attach.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/tty.h"

static void test_keys_parse(void **state)
{
	static const struct { const char *text; size_t n; unsigned char v[4]; } cases[] = {
		{ NULL, 2, { 16, 17 } },
		{ "", 0, { 0 } },
		{ "a", 1, { 'a' } },
		{ "ctrl-a", 1, { 1 } },
		{ "ctrl-z,Q,ctrl-@", 3, { 26, 'Q', 0 } },
		{ "ctrl-[,ctrl-\\,ctrl-],ctrl-^", 4, { 27, 28, 29, 30 } },
		{ "ctrl-_", 1, { 31 } },
		{ "-,~", 2, { '-', '~' } },
	};
	static const char *const bad[] = { "ctrl-", "ctrl-A", "ctrl-aa", "ab", ",", "a,", ",a", "ctrl-1", "CTRL-a",
					   "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a" };
	struct attach_keys keys;
	struct error err = { 0 };

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		assert_int_equal(attach_keys_parse(cases[i].text, &keys, &err), 0);
		assert_int_equal(keys.n, cases[i].n);
		assert_memory_equal(keys.v, cases[i].v, cases[i].n);
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		assert_int_equal(attach_keys_parse(bad[i], &keys, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
	}
}

static void test_keys_filter(void **state)
{
	static const struct { const char *keys, *in, *out; bool detached; } cases[] = {
		{ "a,b", "xyz", "xyz", false },
		{ "a,b", "xaby", "x", true },
		{ "a,b", "a|b", "", true },		/* in two reads */
		{ "a,b", "a|c", "ac", false },
		{ "a,b", "aab", "a", true },
		{ "a,a,b", "aab", "", true },
		{ "a", "xxa", "xx", true },
		{ "", "ab", "ab", false },
		{ "a,b", "a|a|a|b", "aa", true },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct attach_keys keys;
		unsigned char out[64];
		size_t n = 0;
		bool detached = false;
		char *copy = strdup(cases[i].in), *part, *rest = copy;

		assert_int_equal(attach_keys_parse(cases[i].keys, &keys, NULL), 0);
		while (!detached && (part = strsep(&rest, "|"))) {
			size_t written;

			detached = attach_keys_filter(&keys, (unsigned char *)part, strlen(part), out + n, &written);
			n += written;
		}
		assert_int_equal(detached, cases[i].detached);
		assert_int_equal(n, strlen(cases[i].out));
		assert_memory_equal(out, cases[i].out, n);
		free(copy);
	}
}

/* A monitor in a child: answers each STDIN frame with its content, and ends at the empty one. */
static pid_t start_peer(const int pair[2], const struct attach_exit *last, const char *greeting)
{
	pid_t pid = fork();
	int fd = pair[1];

	if (pid == 0) {
		static char payload[ATTACH_FRAME_MAX];
		unsigned char header[8];
		enum attach_type type;
		uint32_t n = 1;

		close(pair[0]);
		signal(SIGPIPE, SIG_IGN);
		if (greeting)
			attach_send(fd, ATTACH_STDERR, greeting, (uint32_t)strlen(greeting));
		while (n && fd_read_all(fd, header, 8) == 8 && attach_parse_header(header, &type, &n) == 0) {
			char text[64];

			fd_read_all(fd, payload, n);
			if (type == ATTACH_STDIN && n)
				attach_send(fd, ATTACH_STDOUT, payload, n);
			if (type == ATTACH_RESIZE) {
				n = (uint32_t)snprintf(text, sizeof(text), "size %d %d\n", payload[0] << 8 | payload[1],
						       payload[2] << 8 | payload[3]);
				attach_send(fd, ATTACH_STDOUT, text, n);
			}
		}
		if (last)
			attach_send(fd, ATTACH_EXIT, last, sizeof(*last));
		_exit(0);
	}
	close(fd);
	return pid;
}

static void drain(int fd, char *to, size_t size)
{
	ssize_t n = fd_read_all(fd, to, size - 1);

	to[n < 0 ? 0 : n] = 0;
}

static void test_session_with_pipes(void **state)
{
	static const struct attach_exit last = { .code = 9 };
	struct attach_options o = { .signal_pidfd = -1 };
	int pair[2], in[2], out[2], err[2], code = -1;
	enum attach_end end;
	char text[100];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = start_peer(pair, &last, "oops");	/* before the pipes, whose ends it must not have */
	assert_int_equal(fd_pipe(in) | fd_pipe(out) | fd_pipe(err), 0);
	assert_int_equal(fd_write_all(in[1], "hello\x10\x11", 7), 0);	/* no detach keys in a pipe */
	close(in[1]);
	o.in = in[0];
	o.out = out[1];
	o.err_ = err[1];
	assert_int_equal(attach_session(pair[0], &o, &end, &code, NULL), 0);
	assert_int_equal(end, ATTACH_ENDED);
	assert_int_equal(code, 9);
	close(out[1]);
	close(err[1]);
	drain(out[0], text, sizeof(text));
	assert_string_equal(text, "hello\x10\x11");
	drain(err[0], text, sizeof(text));
	assert_string_equal(text, "oops");
	waitpid(pid, NULL, 0);
	close(pair[0]);
	close(in[0]);
	close(out[0]);
	close(err[0]);
}

/* Both directions are full at once: a loop that blocks on one of them locks up here. */
static void test_session_does_not_lock_up(void **state)
{
	static const struct attach_exit last = { .code = 0 };
	struct attach_options o = { .err_ = -1, .signal_pidfd = -1 };
	int pair[2], in[2], out[2], code = -1, status;
	enum attach_end end;
	pid_t peer, feeder, counter;
	size_t total = 3 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	peer = start_peer(pair, &last, NULL);
	assert_int_equal(fd_pipe(in) | fd_pipe(out), 0);
	feeder = fork();
	if (feeder == 0) {
		static char block[1 << 20];

		for (size_t i = 0; i < total; i += sizeof(block))
			if (fd_write_all(in[1], block, sizeof(block)) < 0)
				_exit(1);
		_exit(0);
	}
	close(in[1]);
	counter = fork();
	if (counter == 0) {
		static char block[4096];
		size_t got = 0;
		ssize_t n;

		close(out[1]);
		close(in[0]);
		while ((n = read(out[0], block, sizeof(block))) > 0)
			got += (size_t)n;
		_exit(got == total ? 0 : 1);
	}
	close(out[0]);
	o.in = in[0];
	o.out = out[1];
	assert_int_equal(attach_session(pair[0], &o, &end, &code, NULL), 0);
	assert_int_equal(end, ATTACH_ENDED);
	close(out[1]);
	waitpid(counter, &status, 0);
	assert_int_equal(status, 0);
	waitpid(peer, NULL, 0);
	waitpid(feeder, NULL, 0);
	close(pair[0]);
	close(in[0]);
}

static void test_session_lost(void **state)
{
	struct attach_options o = { .in = -1, .out = -1, .err_ = -1, .signal_pidfd = -1 };
	int pair[2], code = 77;
	enum attach_end end;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(attach_session(pair[0], &o, &end, &code, NULL), 0);
	assert_int_equal(end, ATTACH_LOST);
	assert_int_equal(code, 77);
	close(pair[0]);
}

static void test_broken_output_is_an_error(void **state)
{
	struct attach_options o = { .in = -1, .err_ = -1, .signal_pidfd = -1 };
	struct error err = { 0 };
	int pair[2], out[2], code;
	enum attach_end end;

	signal(SIGPIPE, SIG_IGN);	/* else it ends us, as it should */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) | fd_pipe(out), 0);
	close(out[0]);
	attach_send(pair[1], ATTACH_STDOUT, "x", 1);
	o.out = out[1];
	assert_int_equal(attach_session(pair[0], &o, &end, &code, &err), -1);
	assert_int_equal(err.sys, EPIPE);
	close(pair[0]);
	close(pair[1]);
	close(out[1]);
	signal(SIGPIPE, SIG_DFL);
}

/* Raw while it lasts, size first, detach keys, and the mode as before. */
static void test_session_on_a_terminal(void **state)
{
	struct attach_options o = { .signal_pidfd = -1, .terminal = true };
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int master, slave, pair[2], code;
	struct termios before = { 0 }, after = { 0 };	/* compared with their padding */
	enum attach_end end;
	char text[100];
	pid_t pid;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tcgetattr(slave, &before);
	pid = start_peer(pair, NULL, NULL);
	if (fork() == 0) {
		struct timespec pause = { .tv_nsec = 200000000 };

		nanosleep(&pause, NULL);
		tcgetattr(slave, &after);
		if (after.c_lflag & (ICANON | ECHO))
			_exit(1);
		fd_write_all(master, "hi", 2);
		nanosleep(&pause, NULL);
		fd_write_all(master, "\x10", 1);
		nanosleep(&pause, NULL);
		fd_write_all(master, "\x11", 1);
		_exit(0);
	}
	o.in = o.out = o.err_ = slave;
	assert_int_equal(attach_session(pair[0], &o, &end, &code, NULL), 0);
	assert_int_equal(end, ATTACH_DETACHED);
	tcgetattr(slave, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	text[read(master, text, sizeof(text) - 1)] = 0;
	assert_string_equal(text, "size 24 80\nhi");
	close(pair[0]);
	waitpid(pid, NULL, 0);
	assert_true(wait(&code) > 0);
	assert_int_equal(code, 0);
	close(master);
	close(slave);
}

static void test_console(void **state)
{
	struct attach_options o = { .signal_pidfd = -1, .terminal = true, .err_ = -1 };
	struct winsize size = { .ws_row = 11, .ws_col = 22 };
	int master, pidfd, in[2], out[2];
	enum attach_end end;
	char text[200];
	pid_t pid;

	pid = forkpty(&master, NULL, NULL, &size);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "stty -echo; echo ready; read a; echo got $a; seq 100 | tail -1; exit 6", NULL);
		_exit(127);
	}
	assert_int_equal(fd_pipe(in) | fd_pipe(out), 0);
	pidfd = pidfd_open_pid(pid);
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	assert_int_equal(fd_write_all(in[1], "word\n", 5), 0);
	o.in = in[0];
	o.out = out[1];
	assert_int_equal(attach_console(master, pidfd, &o, &end, NULL), 0);
	assert_int_equal(end, ATTACH_ENDED);
	assert_int_equal(pidfd_reap(pidfd), 6);
	close(out[1]);
	drain(out[0], text, sizeof(text));
	assert_string_equal(text, "ready\r\ngot word\r\n100\r\n");
	close(master);
	close(pidfd);
	close(in[0]);
	close(in[1]);
	close(out[0]);
}

/* Files and terminals are not given away: the process has pipes, and what it writes arrives in order. */
static void test_relay(void **state)
{
	char in_name[] = "/tmp/bryo-relay-XXXXXX", out_name[] = "/tmp/bryo-relay-XXXXXX", text[256] = "";
	int in = mkstemp(in_name), out = mkstemp(out_name), pidfd;
	struct exec_relay relay;
	struct stat st;
	pid_t pid, killer;

	unlink(in_name);
	unlink(out_name);
	assert_int_equal(write(in, "typed\n", 6), 6);
	lseek(in, 0, SEEK_SET);
	assert_int_equal(exec_relay_open(&relay, (int[]){ in, out, out }, &(struct label_pipes){ 0 }, NULL), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fstat(relay.child[i], &st), 0);
		assert_true(S_ISFIFO(st.st_mode));
	}
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 3; i++)
			dup2(relay.child[i], i);
		execl("/bin/sh", "sh", "-c", "trap 'echo end; exit 5' USR1; cat; echo out; echo err >&2; while :; do sleep 0.05; done",
		      NULL);
		_exit(127);
	}
	pidfd = pidfd_open_pid(pid);
	killer = fork();
	if (killer == 0) {
		exec_relay_close(&relay);	/* or the input would never end */
		while (pread(out, text, sizeof(text) - 1, 0) < 14)
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	assert_int_equal(exec_relay_run(&relay, pidfd, NULL), 0);
	exec_relay_close(&relay);
	assert_int_equal(pidfd_reap(pidfd), 5);
	waitpid(killer, NULL, 0);
	assert_true(pread(out, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "typed\nout\nerr\nend\n");
	close(pidfd);
	close(in);
	close(out);
}

/* Pipes and /dev/null are passed on as they are. */
static void test_relay_passes_pipes(void **state)
{
	int pipe[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct exec_relay relay;

	assert_int_equal(fd_pipe(pipe), 0);
	assert_int_equal(exec_relay_open(&relay, (int[]){ null, pipe[1], -1 }, &(struct label_pipes){ 0 }, NULL), 0);
	assert_int_equal(relay.child[0], null);
	assert_int_equal(relay.child[1], pipe[1]);
	assert_int_not_equal(relay.child[2], -1);
	exec_relay_close(&relay);
	assert_true(fcntl(pipe[1], F_GETFD) >= 0);
	close(pipe[0]);
	close(pipe[1]);
	close(null);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_parse),
		cmocka_unit_test(test_keys_filter),
		cmocka_unit_test(test_session_with_pipes),
		cmocka_unit_test(test_session_does_not_lock_up),
		cmocka_unit_test(test_session_lost),
		cmocka_unit_test(test_broken_output_is_an_error),
		cmocka_unit_test(test_session_on_a_terminal),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_relay_passes_pipes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
