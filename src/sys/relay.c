#include "sys/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIPES_KEPT 16		/* that nobody uses at the moment */
#define PIPES_LARGE 32		/* a user may have 64 MiB in pipes, all his programs together: an eighth of it */
#define LARGE (256 << 10)
#define ROUNDS 4		/* then it is another one's turn */
#define LITTLE 8192		/* what the smallest pipe holds: two pages, when the user has many pipes */
#define BULK (1 << 16)
#define MOST ((size_t)1 << 20)

/* --- pipes */

static int kept[PIPES_KEPT][2];
static unsigned kept_n, opened;
static unsigned spare;		/* the fewest that were kept at any moment since the last trimming */

static bool take_pipe(int ret[2])
{
	if (ret[0] >= 0)
		return true;
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
		fcntl(ret[0], F_SETPIPE_SZ, LARGE);	/* refused to who has many: then it is a small one */
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

/* --- what is known of the sockets */

void relay_init(struct relay *r, int a, int b)
{
	*r = (struct relay){ .fd = { a, b } };
	for (int side = 0; side < 2; side++)
		r->half[side] = (struct relay_half){ .pipe = { -1, -1 }, .writable = true };
}

void relay_set_connecting(struct relay *r, unsigned side)
{
	r->half[side].connecting = true;
}

void relay_note(struct relay *r, unsigned side, uint32_t events)
{
	struct relay_half *h = &r->half[side];

	h->readable = h->readable || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	h->writable = h->writable || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR));
	h->thorough = h->thorough || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	h->failed = h->failed || (events & EPOLLERR);
	h->connecting = h->connecting && !(events & EPOLLOUT);
}

bool relay_wants_room(struct relay *r, unsigned side)
{
	struct relay_half *h = &r->half[side];

	if (!h->awaited || h->watched)
		return false;
	h->watched = true;
	return true;
}

static void await_room(struct relay_half *h)
{
	h->writable = false;
	h->awaited = true;
}

/* Below: true as long as the connection holds. */

/* What reading answered. */
static bool note_read(struct relay *r, struct relay_half *h, ssize_t n)
{
	if (n > 0) {
		h->burst += (uint32_t)n;
		r->carried = true;
		return true;
	}
	if (n == 0)
		h->ended = true;
	else if (errno != EAGAIN)
		return errno == EINTR;
	h->readable = h->thorough = false;
	h->bulk = h->burst >= BULK;
	h->burst = 0;
	return true;
}

/* What writing answered. */
static bool note_written(struct relay_half *h, ssize_t n)
{
	if (n >= 0) {
		h->connecting = false;
		return true;
	}
	if (errno == EAGAIN)
		await_room(h);
	return errno == EAGAIN || errno == EINTR;
}

/* --- moving */

/* Less than was asked for is all there was: the next comes with an event, unless it is an end that has come already. */
static void judge_amount(struct relay_half *h, ssize_t n)
{
	h->bulk = n == LITTLE;
	if (n > 0 && !h->bulk && !h->thorough)
		h->readable = false;
}

/* There is a pipe for what is not taken. */
static bool pass_little(struct relay *r, unsigned from)
{
	struct relay_half *h = &r->half[from];
	uint8_t data[LITTLE];
	ssize_t sent, n = recv(r->fd[from], data, sizeof(data), MSG_DONTWAIT);

	if (n <= 0)
		return note_read(r, h, n);
	note_read(r, h, n);
	judge_amount(h, n);
	sent = send(r->fd[!from], data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!note_written(&r->half[!from], sent))
		return false;
	sent = sent < 0 ? 0 : sent;
	h->held = (uint32_t)(n - sent);
	return !h->held || write(h->pipe[1], data + sent, h->held) == (ssize_t)h->held;
}

/* There is none. */
static bool pass_peeked(struct relay *r, unsigned from)
{
	uint8_t data[LITTLE];
	ssize_t sent, n = recv(r->fd[from], data, sizeof(data), MSG_DONTWAIT | MSG_PEEK);

	if (!note_read(r, &r->half[from], n))
		return false;
	if (n <= 0)
		return true;
	sent = send(r->fd[!from], data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!note_written(&r->half[!from], sent))
		return false;
	return sent <= 0 || recv(r->fd[from], data, (size_t)sent, MSG_DONTWAIT) == sent;
}

static bool fill(struct relay *r, unsigned from)
{
	struct relay_half *h = &r->half[from];
	ssize_t n;

	if (!take_pipe(h->pipe))
		return pass_peeked(r, from);
	if (!h->bulk)
		return pass_little(r, from);
	n = splice(r->fd[from], NULL, h->pipe[1], NULL, MOST, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0)
		h->held = (uint32_t)n;
	return note_read(r, h, n);
}

static bool drain(struct relay *r, unsigned from)
{
	struct relay_half *h = &r->half[from];
	ssize_t n = splice(h->pipe[0], NULL, r->fd[!from], NULL, h->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0)
		h->held -= (uint32_t)n;
	return note_written(&r->half[!from], n);
}

/* Not when the other side has nothing more to say either: it will be closed. Shutting down what is not yet connected would
 * forget the connection. */
static void pass_end(struct relay *r, unsigned from)
{
	struct relay_half *h = &r->half[from], *other = &r->half[!from];

	if (other->connecting) {
		await_room(other);
		return;
	}
	if (!other->ended || other->held)
		shutdown(r->fd[!from], SHUT_WR);
	h->passed = true;
}

/* Can anything be done for this direction? */
static bool is_ready(const struct relay *r, unsigned from)
{
	const struct relay_half *h = &r->half[from];

	return r->half[!from].writable && (h->held || (h->readable && !h->ended));
}

static bool move(struct relay *r, unsigned from, bool *ret_more)
{
	struct relay_half *h = &r->half[from];

	for (int i = 0; i < ROUNDS && is_ready(r, from); i++)
		if (!(h->held ? drain(r, from) : fill(r, from)))
			return false;
	*ret_more = *ret_more || is_ready(r, from);
	if (h->held)
		return true;
	give_pipe(h->pipe);
	if (h->ended && !h->passed)
		pass_end(r, from);
	return true;
}

/* Reading finds a failure, after what was sent before it; not where the end was read already, or nobody takes more. */
static bool is_lost(const struct relay *r, unsigned side)
{
	return r->half[side].failed && (r->half[side].ended || !r->half[!side].writable);
}

enum relay_state relay_move(struct relay *r)
{
	bool more = false;

	if (!move(r, 0, &more) || !move(r, 1, &more) || is_lost(r, 0) || is_lost(r, 1))
		return RELAY_BROKEN;
	if (r->half[0].passed && r->half[1].passed)
		return RELAY_DONE;
	return more ? RELAY_MORE : RELAY_WAITS;
}

/* --- ends */

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
		struct relay_half *h = &r->half[side];

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
