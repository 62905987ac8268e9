#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/relay.h"
#include "sys/fd.h"

#define MUCH ((size_t)3 << 20)

/* A relay between two pairs of sockets: near[side] is what the other program has. */
struct fixture {
	struct relay relay;
	int near[2];
};

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int inside[2], outside[2];

	if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, inside) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, outside) < 0)
		return -1;
	f->near[INSIDE] = inside[0];
	f->near[OUTSIDE] = outside[0];
	relay_init(&f->relay, inside[1], outside[1]);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	relay_close(&f->relay, false);
	fd_close(&f->near[0]);
	fd_close(&f->near[1]);
	while (relay_trim())
		;
	free(f);
	return 0;
}

static enum relay_state move_all(struct fixture *f)
{
	enum relay_state state;

	for (unsigned side = 0; side < 2; side++) {	/* the numbers of poll's events are those of epoll's */
		struct pollfd p = { .fd = f->relay.fd[side], .events = POLLIN | POLLOUT | POLLRDHUP };

		poll(&p, 1, 0);
		relay_note(&f->relay, side, (uint32_t)p.revents);
	}
	do
		state = relay_move(&f->relay);
	while (state == RELAY_MORE);
	return state;
}

static void bytes_and_ends_go_both_ways(void **state)
{
	struct fixture *f = *state;
	char got[16];

	assert_int_equal(write(f->near[INSIDE], "question", 8), 8);
	assert_int_equal(move_all(f), RELAY_WAITS);
	assert_int_equal(read(f->near[OUTSIDE], got, sizeof(got)), 8);
	assert_memory_equal(got, "question", 8);
	shutdown(f->near[INSIDE], SHUT_WR);
	assert_int_equal(move_all(f), RELAY_WAITS);
	assert_int_equal(read(f->near[OUTSIDE], got, sizeof(got)), 0);
	assert_int_equal(write(f->near[OUTSIDE], "answer", 6), 6);
	shutdown(f->near[OUTSIDE], SHUT_WR);
	assert_int_equal(move_all(f), RELAY_DONE);
	assert_int_equal(read(f->near[INSIDE], got, sizeof(got)), 6);
	assert_int_equal(read(f->near[INSIDE], got, sizeof(got)), 0);
}

/* Writes until nobody takes more, and reads the other end only then. */
static void a_slow_reader_stops_the_writer_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t *sent = malloc(MUCH), *got = malloc(MUCH);
	size_t out = 0, in = 0;

	for (size_t i = 0; i < MUCH; i++)
		sent[i] = (uint8_t)(i * 31 >> 3);
	while (in < MUCH) {
		ssize_t n = write(f->near[INSIDE], sent + out, MUCH - out);

		if (n > 0) {
			out += (size_t)n;
			assert_int_not_equal(move_all(f), RELAY_BROKEN);
			continue;
		}
		n = read(f->near[OUTSIDE], got + in, MUCH - in);
		assert_true(n > 0);
		in += (size_t)n;
		assert_int_not_equal(move_all(f), RELAY_BROKEN);
	}
	assert_memory_equal(sent, got, MUCH);
	free(sent);
	free(got);
}

/* An end that came together with the last bytes is told of once. */
static void an_end_beside_bytes_is_seen(void **state)
{
	struct fixture *f = *state;
	char got[8];

	assert_int_equal(move_all(f), RELAY_WAITS);
	assert_int_equal(write(f->near[OUTSIDE], "bye", 3), 3);
	shutdown(f->near[OUTSIDE], SHUT_WR);
	assert_int_equal(move_all(f), RELAY_WAITS);
	assert_int_equal(read(f->near[INSIDE], got, sizeof(got)), 3);
	assert_int_equal(read(f->near[INSIDE], got, sizeof(got)), 0);
}

static void a_reader_that_is_gone_breaks_it(void **state)
{
	struct fixture *f = *state;

	fd_close(&f->near[OUTSIDE]);
	assert_int_equal(write(f->near[INSIDE], "x", 1), 1);
	assert_int_equal(move_all(f), RELAY_BROKEN);
}

static void a_failure_after_the_end_breaks_it(void **state)
{
	struct fixture *f = *state;

	shutdown(f->near[INSIDE], SHUT_WR);
	assert_int_equal(move_all(f), RELAY_WAITS);
	relay_note(&f->relay, INSIDE, EPOLLERR | EPOLLHUP);
	assert_int_equal(relay_move(&f->relay), RELAY_BROKEN);
}

static int open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void no_pipe_outlives_its_use(void **state)
{
	int before = open_files();

	for (int i = 0; i < 40; i++) {
		struct fixture *f;

		assert_int_equal(open_fixture((void **)&f), 0);
		assert_int_equal(write(f->near[INSIDE], "x", 1), 1);
		assert_int_equal(move_all(f), RELAY_WAITS);
		assert_int_equal(f->relay.half[INSIDE].pipe[0], -1);
		/* closed with bytes on their way: the pipe is not used again with them in it */
		f->relay.half[INSIDE].writable = f->relay.half[OUTSIDE].writable = false;
		assert_int_equal(write(f->near[INSIDE], "stale", 5), 5);
		relay_note(&f->relay, INSIDE, EPOLLIN);
		assert_int_equal(relay_move(&f->relay), RELAY_WAITS);
		close_fixture((void **)&f);
	}
	(void)state;
	assert_int_equal(open_files(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_and_ends_go_both_ways, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_slow_reader_stops_the_writer_and_loses_nothing, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(an_end_beside_bytes_is_seen, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_reader_that_is_gone_breaks_it, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_failure_after_the_end_breaks_it, open_fixture, close_fixture),
		cmocka_unit_test(no_pipe_outlives_its_use),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
