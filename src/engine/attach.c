/* One poll loop joins the user's descriptors to the peer: the monitor's socket (frames) or a pty master of ours (plain
 * bytes). Nothing in it blocks on one side while the other has something to say, or `cat | bryo run -i cat | cat` would
 * lock up: each direction has one buffer, is read only when that is empty, and written when poll says so. */
#include "engine/attach.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/attach_keys.h"
#include "engine/attach_user.h"
#include "engine/state.h"
#include "sys/attach.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

struct session {
	const struct attach_options *o;
	struct attach_user user;
	struct attach_keys keys;
	int peer;
	bool framed;			/* the peer is a monitor's socket */
	int pidfd;			/* not framed: the process whose end is the end */
	bool in_open, peer_open, resize;
	unsigned char to_peer[8 + ATTACH_FRAME_MAX];
	size_t to_peer_begin, to_peer_end;
	unsigned char header[8];
	size_t header_n;
	enum attach_type type;
	uint32_t left;			/* of the frame being received */
	unsigned char output[ATTACH_FRAME_MAX];
	size_t output_begin, output_end;
	int output_fd;
	struct attach_exit exit;
	size_t exit_n;
	bool ended, detached;
};

/* --- to the peer */
static bool can_send(const struct session *s)
{
	return s->peer_open && s->to_peer_begin == s->to_peer_end;
}

static void queue(struct session *s, enum attach_type type, const void *p, size_t n)
{
	size_t header = s->framed ? 8 : 0;

	if (s->framed)
		attach_header(s->to_peer, type, (uint32_t)n);
	memmove(s->to_peer + header, p, n);
	s->to_peer_begin = 0;
	s->to_peer_end = header + n;
}

static ssize_t write_peer(struct session *s)
{
	const void *p = s->to_peer + s->to_peer_begin;
	size_t n = s->to_peer_end - s->to_peer_begin;

	return s->framed ? send(s->peer, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) : write(s->peer, p, n);
}

static void flush_to_peer(struct session *s)
{
	ssize_t n = s->to_peer_begin < s->to_peer_end ? write_peer(s) : 0;

	if (n > 0) {
		s->to_peer_begin += (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* It takes nothing more; what it still says is read until its end. */
		s->to_peer_begin = s->to_peer_end;
		s->in_open = false;
	}
}

/* What was typed before the detach keys still goes there, unless the peer takes nothing for a second. */
static void flush_rest(struct session *s)
{
	struct pollfd p = { .fd = s->peer, .events = POLLOUT };

	while (s->to_peer_begin < s->to_peer_end && poll(&p, 1, 1000) == 1)
		flush_to_peer(s);
}

static void send_size(struct session *s)
{
	struct tty_size size;
	unsigned char text[4];

	s->resize = false;
	if (s->user.sized < 0 || tty_get_size(s->user.sized, &size) < 0 || !size.rows)
		return;
	if (!s->framed) {
		tty_set_size(s->peer, size);
		return;
	}
	text[0] = (unsigned char)(size.rows >> 8);
	text[1] = (unsigned char)size.rows;
	text[2] = (unsigned char)(size.columns >> 8);
	text[3] = (unsigned char)size.columns;
	queue(s, ATTACH_RESIZE, text, sizeof(text));
}

static void end_input(struct session *s)
{
	static const unsigned char end_of_transmission = 4;

	s->in_open = false;
	if (s->framed)
		queue(s, ATTACH_STDIN, "", 0);
	else
		queue(s, ATTACH_STDIN, &end_of_transmission, 1);
}

static void read_user(struct session *s)
{
	unsigned char typed[ATTACH_FRAME_MAX - ATTACH_KEYS_MAX], passed[ATTACH_FRAME_MAX];
	ssize_t n = read(s->o->in, typed, sizeof(typed));
	size_t passed_n;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(s);
		return;
	}
	if (s->user.tty < 0) {	/* detach keys are keys: what comes from a pipe has none */
		queue(s, ATTACH_STDIN, typed, (size_t)n);
		return;
	}
	s->detached = attach_keys_filter(&s->keys, typed, (size_t)n, passed, &passed_n);
	if (passed_n)
		queue(s, ATTACH_STDIN, passed, passed_n);
}

/* --- from the peer */
static bool has_output(const struct session *s)
{
	return s->output_begin < s->output_end;
}

/* A blocking pipe takes PIPE_BUF bytes without blocking once poll says that it is writable; a file takes everything. */
static size_t writable_now(const struct session *s)
{
	size_t n = s->output_end - s->output_begin;
	struct stat st;

	if (n > PIPE_BUF && fstat(s->output_fd, &st) == 0 && !S_ISREG(st.st_mode))
		return PIPE_BUF;
	return n;
}

/* -1 when nobody reads what is written. */
static int flush_output(struct session *s, struct error *err)
{
	ssize_t n = write(s->output_fd, s->output + s->output_begin, writable_now(s));

	if (n >= 0)
		s->output_begin += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		return error_errno(err, "write the container's output");
	return 0;
}

static ssize_t read_peer(struct session *s, void *p, size_t n)
{
	ssize_t got = s->framed ? recv(s->peer, p, n, MSG_DONTWAIT) : read(s->peer, p, n);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	if (got <= 0) {
		s->peer_open = false;	/* a pty says EIO when its last user closed it */
		return -1;
	}
	return got;
}

static void set_output(struct session *s, int fd, size_t n)
{
	s->output_fd = fd;
	s->output_begin = 0;
	s->output_end = fd >= 0 ? n : 0;
}

static int read_header(struct session *s, struct error *err)
{
	ssize_t n = read_peer(s, s->header + s->header_n, sizeof(s->header) - s->header_n);

	if (n < 0)
		return 0;
	s->header_n += (size_t)n;
	if (s->header_n < sizeof(s->header))
		return 0;
	s->header_n = 0;
	if (attach_parse_header(s->header, &s->type, &s->left) < 0)
		return error_errno(err, "the container's monitor sent nonsense");
	s->exit_n = 0;
	return 0;
}

static void read_payload(struct session *s)
{
	ssize_t n;

	if (s->type == ATTACH_EXIT && s->exit_n < sizeof(s->exit)) {
		size_t room = sizeof(s->exit) - s->exit_n;

		n = read_peer(s, (char *)&s->exit + s->exit_n, s->left < room ? s->left : room);
		if (n < 0)
			return;
		s->exit_n += (size_t)n;
		s->ended = s->exit_n == sizeof(s->exit);
	} else {
		n = read_peer(s, s->output, s->left);
		if (n < 0)
			return;
		set_output(s, s->type == ATTACH_STDOUT ? s->o->out : s->type == ATTACH_STDERR ? s->o->err_ : -1, (size_t)n);
	}
	s->left -= (uint32_t)n;
}

static int read_from_peer(struct session *s, struct error *err)
{
	ssize_t n;

	if (s->framed) {
		if (!s->left)
			return read_header(s, err);
		read_payload(s);
		return 0;
	}
	n = read_peer(s, s->output, sizeof(s->output));
	if (n > 0)
		set_output(s, s->o->out, (size_t)n);
	return 0;
}

/* --- the loop */
enum { AT_PEER, AT_IN, AT_OUT, AT_SIGNALS, AT_PROCESS, AT_N };

static void prepare_poll(const struct session *s, struct pollfd p[AT_N])
{
	bool output = has_output(s), sending = s->to_peer_begin < s->to_peer_end;
	short peer = (short)((output ? 0 : POLLIN) | (sending ? POLLOUT : 0));

	p[AT_PEER] = (struct pollfd){ .fd = s->peer_open && peer ? s->peer : -1, .events = peer };
	p[AT_IN] = (struct pollfd){ .fd = s->in_open && can_send(s) ? s->o->in : -1, .events = POLLIN };
	p[AT_OUT] = (struct pollfd){ .fd = output ? s->output_fd : -1, .events = POLLOUT };
	p[AT_SIGNALS] = (struct pollfd){ .fd = s->user.signals, .events = POLLIN };
	p[AT_PROCESS] = (struct pollfd){ .fd = output ? -1 : s->pidfd, .events = POLLIN };
}

/* The process is gone: what it left in the terminal comes out first. */
static void see_end(struct session *s)
{
	if (has_output(s))
		return;
	read_from_peer(s, NULL);
	s->ended = !has_output(s);
}

static int step(struct session *s, struct error *err)
{
	struct pollfd p[AT_N];

	if (s->resize && can_send(s))
		send_size(s);
	prepare_poll(s, p);
	if (poll(p, AT_N, -1) < 0)
		return errno == EINTR ? 0 : error_errno(err, "wait for the container");
	if (p[AT_SIGNALS].revents)
		s->resize |= attach_user_signals(&s->user);
	if (p[AT_OUT].revents && flush_output(s, err) < 0)
		return -1;
	if (p[AT_PEER].revents & POLLOUT)
		flush_to_peer(s);
	if (p[AT_IN].revents)
		read_user(s);
	if ((p[AT_PEER].events & POLLIN) && (p[AT_PEER].revents & (POLLIN | POLLHUP | POLLERR)) &&
	    read_from_peer(s, err) < 0)
		return -1;
	if (p[AT_PROCESS].revents)
		see_end(s);
	return 0;
}

static int run_loop(struct session *s, struct error *err)
{
	while (!s->ended && !s->detached && !s->user.deadly) {
		if (!s->peer_open && !has_output(s) && s->pidfd < 0)
			break;
		if (step(s, err) < 0)
			return -1;
	}
	return 0;
}

static int run_session(struct session *s, enum attach_end *ret_end, struct error *err)
{
	int r, failed;

	if (attach_keys_parse(s->o->detach_keys, &s->keys, err) < 0 || attach_user_open(&s->user, s->o, err) < 0)
		return -1;
	s->peer_open = true;
	s->in_open = s->o->in >= 0;
	s->resize = s->o->terminal;
	/* Without SIGPIPE the terminal can be restored before a broken pipe ends the command. */
	__sighandler_t old = signal(SIGPIPE, SIG_IGN);
	r = run_loop(s, err);
	failed = r < 0 ? err->sys : 0;
	if (s->detached)
		flush_rest(s);
	signal(SIGPIPE, old);
	attach_user_close(&s->user);
	if (failed == EPIPE && s->o->reader_pidfd >= 0)
		pidfd_signal(s->o->reader_pidfd, SIGKILL);
	if (failed == EPIPE && old != SIG_IGN)
		attach_user_die(SIGPIPE);	/* as any program whose reader has left */
	if (s->user.deadly) {
		attach_user_die(s->user.deadly);
		return error_set(err, ERROR_INTERRUPTED, "ended by signal %d", s->user.deadly);
	}
	*ret_end = s->detached ? ATTACH_DETACHED : s->ended ? ATTACH_ENDED : ATTACH_LOST;
	return r;
}

int attach_session(int socket, const struct attach_options *o, enum attach_end *ret_end, int *ret_exit_code,
		   struct error *err)
{
	struct session s = { .o = o, .peer = socket, .framed = true, .pidfd = -1, .output_fd = -1 };

	if (run_session(&s, ret_end, err) < 0)
		return -1;
	if (*ret_end == ATTACH_ENDED)
		*ret_exit_code = s.exit.code;
	return 0;
}

int attach_console(int console, int pidfd, const struct attach_options *o, enum attach_end *ret_end, struct error *err)
{
	struct session s = { .o = o, .peer = console, .pidfd = pidfd, .output_fd = -1 };

	fd_set_nonblock(console, true);
	return run_session(&s, ret_end, err);
}

/* The socket broke: the record says how the container ended, when it did. */
static int take_recorded_exit(struct engine *e, const struct container *c, int *ret_exit_code, struct error *err)
{
	struct container_state state;

	if (container_load_state(e, c, &state, err) < 0)
		return -1;
	if (state_is_live(&state))
		return error_set(err, ERROR_FAILED, "lost the connection to container %s, which still runs", c->name);
	*ret_exit_code = (int)state.exit_code;
	return 0;
}

static int connect_monitor(struct engine *e, const struct container *c, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, err);
	int fd;

	if (run_dir < 0)
		return -1;
	fd = attach_connect(run_dir);
	return fd < 0 ? error_errno(err, "connect to the monitor of container %s", c->name) : fd;
}

int container_attach(struct engine *e, struct container *c, const struct attach_options *o, bool stdin_too,
		     int *ret_exit_code, bool *ret_detached, struct error *err)
{
	struct attach_options mine = *o;
	struct container_state state;
	_cleanup_fd_ int socket = -1;
	unsigned char wants;
	enum attach_end end;

	*ret_exit_code = 0;
	*ret_detached = false;
	if (container_load_state(e, c, &state, err) < 0)
		return -1;
	if (!state_is_live(&state))
		return error_set(err, ERROR_STATE, "you can only attach to running containers: container state improper");
	if (!stdin_too || !c->request.interactive)
		mine.in = -1;
	wants = (unsigned char)((mine.in >= 0 ? ATTACH_WANT_STDIN : 0) | (o->out >= 0 ? ATTACH_WANT_STDOUT : 0) |
				(o->err_ >= 0 ? ATTACH_WANT_STDERR : 0));
	socket = connect_monitor(e, c, err);
	if (socket < 0)
		return -1;
	if (attach_send(socket, ATTACH_HELLO, &wants, 1) < 0)
		return error_errno(err, "attach to container %s", c->name);
	if (attach_session(socket, &mine, &end, ret_exit_code, err) < 0)
		return -1;
	*ret_detached = end == ATTACH_DETACHED;
	return end == ATTACH_LOST ? take_recorded_exit(e, c, ret_exit_code, err) : 0;
}
