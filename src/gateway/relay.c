#include "gateway/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIPES_KEPT 32		/* that nobody uses at the moment */
#define PIPES_LARGE 8		/* a user may have 64 MiB in pipes, all his programs together: an eighth of it */
#define LARGE (1 << 20)
#define ROUNDS 4
#define LITTLE 4096		/* fits into every pipe */
#define BULK (1 << 16)
#define MOST ((size_t)1 << 20)

/* --- pipes */

static int kept[PIPES_KEPT][2];
static unsigned kept_n, opened;
static unsigned spare;		/* the fewest that were kept at any moment since the last trimming */

static bool take_pipe(int ret[2])
{
	if (kept_n) {
		kept_n--;
		ret[0] = kept[kept_n][0];
		ret[1] = kept[kept_n][1];
		spare = kept_n < spare ? kept_n : spare;
		return true;
	}
	if (pipe2(ret, O_CLOEXEC | O_NONBLOCK) < 0) {
		ret[0] = ret[1] = -1;
		return false;
	}
	if (opened++ < PIPES_LARGE)
		fcntl(ret[0], F_SETPIPE_SZ, LARGE);
	spare = 0;
	return true;
}

static void close_pipe(int pipe[2])
{
	close(pipe[0]);
	close(pipe[1]);
	pipe[0] = pipe[1] = -1;
	opened--;
}

static void give_pipe(int pipe[2])
{
	if (pipe[0] < 0)
		return;
	if (kept_n == PIPES_KEPT) {
		close_pipe(pipe);
		return;
	}
	kept[kept_n][0] = pipe[0];
	kept[kept_n++][1] = pipe[1];
	pipe[0] = pipe[1] = -1;
}

bool relay_trim(void)
{
	while (spare > 0 && kept_n > 0) {
		spare--;
		close_pipe(kept[--kept_n]);
	}
	spare = kept_n;
	return kept_n > 0;
}

/* --- moving */

void relay_init(struct relay *r, int inside, int outside)
{
	*r = (struct relay){ .fd = { inside, outside } };
	for (int side = 0; side < 2; side++)
		r->half[side] = (struct half){ .pipe = { -1, -1 }, .readable = true, .writable = true, .thorough = true };
}

void relay_note(struct relay *r, unsigned side, uint32_t events)
{
	struct half *h = &r->half[side];

	h->readable = h->readable || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	h->writable = h->writable || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR));
	h->thorough = h->thorough || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	h->failed = h->failed || (events & EPOLLERR);
}

/* The kernel's answer about a socket: true when it was none that ends the connection. */
static bool is_patience(ssize_t n, bool *ret_able)
{
	if (n >= 0)
		return true;
	if (errno == EINTR)
		return true;
	*ret_able = false;
	return errno == EAGAIN;
}

/* What reading answered; true as long as the connection holds. */
static bool note_read(struct half *h, ssize_t n)
{
	if (n == 0)
		h->ended = true;
	else if (n > 0)
		h->burst += (uint32_t)n;
	if (!is_patience(n, &h->readable))
		return false;
	if (!h->readable) {
		h->bulk = h->burst >= BULK;
		h->burst = 0;
		h->thorough = false;
	}
	return true;
}

/* What could not be sent waits in a pipe. */
static bool keep(struct half *h, const uint8_t *data, size_t n)
{
	if (n == 0)
		return true;
	if ((h->pipe[0] < 0 && !take_pipe(h->pipe)) || write(h->pipe[1], data, n) != (ssize_t)n)
		return false;
	h->held = (uint32_t)n;
	return true;
}

/* Less than was asked for is all there was: the next comes with an event, unless it is an end that has come already. */
static bool pass_little(struct relay *r, unsigned from)
{
	struct half *h = &r->half[from];
	uint8_t data[LITTLE];
	ssize_t sent, n = recv(r->fd[from], data, sizeof(data), MSG_DONTWAIT);

	if (!note_read(h, n))
		return false;
	if (n <= 0)
		return true;
	h->bulk = n == LITTLE;
	if (!h->bulk && !h->thorough)
		h->readable = false;
	sent = send(r->fd[!from], data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!is_patience(sent, &r->half[!from].writable))
		return false;
	sent = sent < 0 ? 0 : sent;
	return keep(h, data + sent, (size_t)(n - sent));
}

static bool fill(struct relay *r, unsigned from)
{
	struct half *h = &r->half[from];
	ssize_t n;

	if (!h->bulk && r->half[!from].writable)
		return pass_little(r, from);
	if (h->pipe[0] < 0 && !take_pipe(h->pipe))
		return false;
	n = splice(r->fd[from], NULL, h->pipe[1], NULL, MOST, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0)
		h->held = (uint32_t)n;
	return note_read(h, n);
}

static bool drain(struct relay *r, unsigned from)
{
	struct half *h = &r->half[from];
	ssize_t n = splice(h->pipe[0], NULL, r->fd[!from], NULL, h->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0)
		h->held -= (uint32_t)n;
	return is_patience(n, &r->half[!from].writable);
}

/* True as long as the connection holds. */
static bool move(struct relay *r, unsigned from, bool *ret_more)
{
	struct half *h = &r->half[from];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!h->held && h->readable && !h->ended && !fill(r, from))
			return false;
		if (!h->held && (!h->readable || h->ended))
			break;
		if (!h->held)
			continue;
		if (!r->half[!from].writable)
			return true;
		if (!drain(r, from))
			return false;
	}
	*ret_more = *ret_more || i == ROUNDS;
	if (h->held)
		return true;
	give_pipe(h->pipe);
	if (h->ended && !h->passed) {
		shutdown(r->fd[!from], SHUT_WR);
		h->passed = true;
	}
	return true;
}

enum relay_state relay_move(struct relay *r)
{
	bool more = false;

	for (int side = 0; side < 2; side++)	/* before its end, reading finds the failure, after what was sent before */
		if (r->half[side].failed && r->half[side].ended)
			return RELAY_BROKEN;
	if (!move(r, INSIDE, &more) || !move(r, OUTSIDE, &more))
		return RELAY_BROKEN;
	if (r->half[INSIDE].passed && r->half[OUTSIDE].passed)
		return RELAY_DONE;
	return more ? RELAY_MORE : RELAY_WAITS;
}

void relay_reset(int *fd)
{
	struct linger linger = { .l_onoff = 1 };

	if (*fd < 0)
		return;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(*fd);
	*fd = -1;
}

void relay_close(struct relay *r, bool broken)
{
	for (int side = 0; side < 2; side++) {
		struct half *h = &r->half[side];

		if (h->held)		/* what is in it belongs to nobody any more */
			close_pipe(h->pipe);
		give_pipe(h->pipe);
		h->held = 0;
		if (broken)
			relay_reset(&r->fd[side]);
		else if (r->fd[side] >= 0)
			close(r->fd[side]);
		r->fd[side] = -1;
	}
}
