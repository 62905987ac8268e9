/* The container's ends: its output into log and clients, and its input. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "sys/fd.h"

static void open_output(struct output *o, int fd, enum attach_type type, enum log_stream stream)
{
	*o = (struct output){ .fd = fd, .type = type, .stream = stream };
	if (fd >= 0)
		fd_set_nonblock(fd, true);
}

void streams_open(struct monitor *m)
{
	const struct monitor_config *c = &m->config;
	bool terminal = c->console >= 0;

	open_output(&m->output[0], terminal ? c->console : c->stdout_fd, ATTACH_STDOUT, LOG_STDOUT);
	open_output(&m->output[1], terminal ? -1 : c->stderr_fd, ATTACH_STDERR, LOG_STDERR);
	/* A second descriptor of the terminal, because one epoll entry cannot be watched for two things separately. */
	m->input.fd = terminal ? dup(c->console) : c->stdin_fd;
	if (m->input.fd >= 0) {
		fd_set_cloexec(m->input.fd, true);
		fd_set_nonblock(m->input.fd, true);
	}
	m->log_is_wanted = !c->log_none && c->log_name[0];
}

/* The file is made by the first output: many short containers say nothing. */
static void log_chunk(struct monitor *m, enum log_stream stream, const char *chunk, size_t n)
{
	const struct monitor_config *c = &m->config;

	if (m->log_is_wanted && !m->log_is_open) {
		m->log_is_open = log_writer_open(&m->log, c->dir_fd, c->log_name, c->log_max_size, NULL) == 0;
		m->log_is_wanted = m->log_is_open;
	}
	if (m->log_is_open)
		log_write(&m->log, stream, chunk, n);
}

void streams_update(struct monitor *m)
{
	bool may_read = (m->attached || !m->config.wait_client || m->exited) && clients_are_idle(m);
	int64_t now = monitor_now_ms();

	for (unsigned i = 0; i < 2; i++) {
		struct output *o = &m->output[i];
		bool watch = o->fd >= 0 && may_read && o->parked_until_ms <= now;

		if (o->fd >= 0 && watch != o->watched)
			monitor_watch(m, o->fd, TAG_OUTPUT, i, watch ? EPOLLIN : 0);
		o->watched = watch;
	}
}

static void end_output(struct monitor *m, struct output *o)
{
	if (o->watched)
		monitor_watch(m, o->fd, TAG_OUTPUT, 0, 0);
	o->watched = false;
	/* Input and resize still need the terminal. */
	if (o->fd != m->config.console)
		close(o->fd);
	o->fd = -1;
}

/* One chunk. 1 when there may be more, 0 when there is nothing now, -1 at the end. */
static int read_chunk(struct monitor *m, struct output *o)
{
	char *chunk = m->buffers->chunk;
	ssize_t n = read(o->fd, chunk, CHUNK_SIZE);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n <= 0)
		return -1;
	if (n > 4096)
		m->memory_used = true;
	log_chunk(m, o->stream, chunk, (size_t)n);
	clients_send(m, o->type, chunk, (uint32_t)n);
	return 1;
}

/* A terminal has no end while the container lives: when the last process closes it, another may open it again. */
static void park(struct monitor *m, struct output *o, unsigned index)
{
	monitor_watch(m, o->fd, TAG_OUTPUT, index, 0);
	o->watched = false;
	o->parked_until_ms = monitor_now_ms() + PARK_MS;
}

void streams_read(struct monitor *m, unsigned index)
{
	struct output *o = &m->output[index];

	if (o->fd < 0 || read_chunk(m, o) >= 0)
		return;
	if (o->fd == m->config.console && !m->exited)
		park(m, o, index);
	else
		end_output(m, o);
}

void streams_drain(struct monitor *m)
{
	for (unsigned i = 0; i < 2; i++) {
		struct output *o = &m->output[i];

		while (o->fd >= 0 && clients_have_room(m))
			if (read_chunk(m, o) <= 0)
				end_output(m, o);
	}
}

bool streams_are_done(const struct monitor *m)
{
	return m->output[0].fd < 0 && m->output[1].fd < 0;
}

static void close_input(struct monitor *m)
{
	struct input *in = &m->input;

	if (in->watched)
		monitor_watch(m, in->fd, TAG_INPUT, 0, 0);
	fd_close(&in->fd);
	*in = (struct input){ .fd = -1 };
}

void input_flush(struct monitor *m)
{
	struct input *in = &m->input;
	bool blocked = false;

	while (in->fd >= 0 && in->begin < in->end && !blocked) {
		ssize_t n = write(in->fd, m->buffers->input + in->begin, in->end - in->begin);

		if (n > 0)
			in->begin += (uint32_t)n;
		else if (n < 0 && errno == EAGAIN)
			blocked = true;
		else if (n == 0 || errno != EINTR)
			close_input(m);	/* the container reads no more */
	}
	if (in->fd < 0)
		return;
	if (!blocked) {
		in->begin = in->end = 0;
		if (in->ending) {
			close_input(m);
			return;
		}
	}
	if (blocked != in->watched)
		monitor_watch(m, in->fd, TAG_INPUT, 0, blocked ? EPOLLOUT : 0);
	in->watched = blocked;
}

void input_close(struct monitor *m)
{
	struct input *in = &m->input;

	if (in->fd < 0)
		return;
	if (m->config.console < 0) {
		in->ending = true;
	} else if (in->end < INPUT_SIZE) {
		m->buffers->input[in->end++] = 4;	/* ^D: what the end of input is on a terminal */
	}
	input_flush(m);
}

void streams_close(struct monitor *m)
{
	if (m->input.fd >= 0)
		close_input(m);
	if (m->log_is_open)
		log_writer_close(&m->log);
	m->log_is_open = false;
}
