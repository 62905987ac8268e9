#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/relay.h"

#define MUCH ((size_t)3 << 20)

enum { INSIDE, OUTSIDE };

/* A relay between two pairs of sockets: near[side] is what the other program has. */
struct fixture {
	struct relay relay;
	int near[2];
	bool room[2];			/* watched for room, too */
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
		struct pollfd p = { .fd = f->relay.fd[side], .events = POLLIN | POLLRDHUP | (f->room[side] ? POLLOUT : 0) };

		poll(&p, 1, 0);
		relay_note(&f->relay, side, (uint32_t)p.revents);
	}
	do
		state = relay_move(&f->relay);
	while (state == RELAY_MORE);
	for (unsigned side = 0; side < 2; side++)
		f->room[side] = f->room[side] || relay_wants_room(&f->relay, side);
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
	relay_close(&f->relay, false);
	assert_int_equal(read(f->near[INSIDE], got, sizeof(got)), 0);
}

static uint8_t *new_pattern(size_t n)
{
	uint8_t *data = malloc(n);

	assert_non_null(data);
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	return data;
}

/* Writes until nobody takes more, and reads the other end only then. */
static void carry(struct fixture *f, unsigned from, size_t size)
{
	uint8_t *sent = new_pattern(size), *got = malloc(size);
	size_t out = 0, in = 0;

	while (in < size) {
		ssize_t n = write(f->near[from], sent + out, size - out);

		if (n > 0) {
			out += (size_t)n;
			assert_int_not_equal(move_all(f), RELAY_BROKEN);
			continue;
		}
		n = read(f->near[!from], got + in, size - in);
		assert_true(n > 0);
		in += (size_t)n;
		assert_int_not_equal(move_all(f), RELAY_BROKEN);
	}
	assert_memory_equal(sent, got, size);
	free(sent);
	free(got);
}

static void a_slow_reader_stops_the_writer_and_loses_nothing(void **state)
{
	struct fixture *f = *state;

	carry(f, INSIDE, MUCH);
	carry(f, OUTSIDE, MUCH);
	assert_true(f->room[INSIDE] && f->room[OUTSIDE]);
}

/* Nobody reads on either side: no turn is taken for nothing, and each side's bytes come when it is the other's turn. */
static void both_sides_may_be_full(void **state)
{
	static uint8_t data[65536];
	struct fixture *f = *state;
	size_t sent[2] = { 0 }, got[2] = { 0 };

	for (int quiet = 0; quiet < 2; quiet++)
		for (unsigned side = 0; side < 2; side++)
			for (ssize_t n; (n = write(f->near[side], data, sizeof(data))) > 0; quiet = 0) {
				sent[side] += (size_t)n;
				assert_int_equal(move_all(f), RELAY_WAITS);
			}
	for (int quiet = 0; quiet < 2; quiet++)
		for (unsigned side = 0; side < 2; side++)
			for (ssize_t n; (n = read(f->near[side], data, sizeof(data))) > 0; quiet = 0) {
				got[side] += (size_t)n;
				assert_int_equal(move_all(f), RELAY_WAITS);
			}
	assert_int_equal(got[OUTSIDE], sent[INSIDE]);
	assert_int_equal(got[INSIDE], sent[OUTSIDE]);
}

static void sizes_around_each_limit_pass(void **state)
{
	static const size_t sizes[] = { 1, 8191, 8192, 8193, 16384, 65535, 65536, 65537, 200001 };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		carry(f, INSIDE, sizes[i]);
		carry(f, OUTSIDE, sizes[i]);
	}
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

/* --- over TCP, which has resets and connections that are not there yet */

static int listen_on_loopback(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	assert_int_equal(bind(fd, (void *)ret, n), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (void *)ret, &n), 0);
	return fd;
}

static int connect_softly(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(connect(fd, (const void *)to, sizeof(*to)) == 0 || errno == EINPROGRESS);
	return fd;
}

/* ret[0] is the program's, ret[1] the relay's. */
static void open_tcp_pair(int ret[2])
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);

	ret[0] = connect_softly(&address);
	ret[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(ret[1] >= 0);
	close(listener);
}

static struct fixture *open_tcp_fixture(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int inside[2], outside[2];

	assert_non_null(f);
	open_tcp_pair(inside);
	open_tcp_pair(outside);
	f->near[INSIDE] = inside[0];
	f->near[OUTSIDE] = outside[0];
	relay_init(&f->relay, inside[1], outside[1]);
	return f;
}

static ssize_t read_patiently(int fd, void *data, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
	return read(fd, data, n);
}

static void a_reset_is_carried_over_after_what_came_before(void **unused)
{
	for (unsigned from = 0; from < 2; from++) {
		struct fixture *f = open_tcp_fixture();
		void *state = f;
		char got[8];

		assert_int_equal(write(f->near[from], "last", 4), 4);
		relay_reset(&f->near[from]);
		assert_int_equal(move_all(f), RELAY_BROKEN);
		assert_int_equal(read_patiently(f->near[!from], got, sizeof(got)), 4);
		relay_close(&f->relay, true);
		assert_int_equal(read_patiently(f->near[!from], got, sizeof(got)), -1);
		assert_int_equal(errno, ECONNRESET);
		close_fixture(&state);
	}
	(void)unused;
}

/* What it sent before, and nobody takes, does not hide that it is gone. */
static void a_reset_behind_a_slow_reader_is_seen(void **unused)
{
	static uint8_t data[65536];
	struct fixture *f = open_tcp_fixture();
	void *state = f;

	for (int quiet = 0; quiet < 100; quiet++, poll(NULL, 0, 1))
		for (; write(f->near[INSIDE], data, sizeof(data)) > 0; quiet = 0)
			assert_int_equal(move_all(f), RELAY_WAITS);
	relay_reset(&f->near[INSIDE]);
	assert_int_equal(move_all(f), RELAY_BROKEN);
	close_fixture(&state);
	(void)unused;
}

static in_port_t port_of(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in name;
	socklen_t n = sizeof(name);

	assert_int_equal(ask(fd, (void *)&name, &n), 0);
	return name.sin_port;
}

/* The queue of the listener is full: the connection comes later. Bytes and their end wait for it. */
static void a_connection_that_comes_later_gets_everything(void **unused)
{
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address), filler, pair[2], peer = -1;
	struct fixture *f = calloc(1, sizeof(*f));
	void *state = f;
	char got[8];

	assert_int_equal(listen(listener, 0), 0);
	filler = connect_softly(&address);
	open_tcp_pair(pair);
	f->near[INSIDE] = pair[0];
	f->near[OUTSIDE] = -1;
	relay_init(&f->relay, pair[1], connect_softly(&address));
	relay_set_connecting(&f->relay, OUTSIDE);
	assert_int_equal(write(f->near[INSIDE], "early", 5), 5);
	shutdown(f->near[INSIDE], SHUT_WR);
	assert_int_equal(move_all(f), RELAY_WAITS);
	assert_false(f->relay.half[INSIDE].passed);
	do {
		fd_close(&peer);
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(peer >= 0);
	} while (port_of(peer, getpeername) != port_of(f->relay.fd[OUTSIDE], getsockname));
	for (int i = 0; i < 10000 && !f->relay.half[INSIDE].passed; i++, poll(NULL, 0, 1))
		assert_int_equal(move_all(f), RELAY_WAITS);
	assert_int_equal(fd_read_all(peer, got, sizeof(got)), 5);
	assert_memory_equal(got, "early", 5);
	close(filler);
	close(peer);
	close(listener);
	close_fixture(&state);
	(void)unused;
}

static void a_refused_connection_breaks_it(void **unused)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in address;
	void *state = f;
	int pair[2];

	close(listen_on_loopback(&address));
	open_tcp_pair(pair);
	f->near[INSIDE] = pair[0];
	f->near[OUTSIDE] = -1;
	relay_init(&f->relay, pair[1], connect_softly(&address));
	relay_set_connecting(&f->relay, OUTSIDE);
	assert_int_equal(move_all(f), RELAY_BROKEN);
	close_fixture(&state);
	(void)unused;
}

/* --- descriptors */

static void bytes_pass_without_descriptors_for_a_pipe(void **state)
{
	struct fixture *f = *state;
	struct rlimit files, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	none = (struct rlimit){ 1, files.rlim_max };		/* poll() needs one */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	carry(f, INSIDE, MUCH);
	carry(f, OUTSIDE, 8192);
	assert_int_equal(f->relay.half[INSIDE].pipe[0], -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
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
		cmocka_unit_test_setup_teardown(both_sides_may_be_full, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(sizes_around_each_limit_pass, open_fixture, close_fixture),
		cmocka_unit_test(a_reset_is_carried_over_after_what_came_before),
		cmocka_unit_test(a_reset_behind_a_slow_reader_is_seen),
		cmocka_unit_test(a_connection_that_comes_later_gets_everything),
		cmocka_unit_test(a_refused_connection_breaks_it),
		cmocka_unit_test_setup_teardown(bytes_pass_without_descriptors_for_a_pipe, open_fixture, close_fixture),
		cmocka_unit_test(no_pipe_outlives_its_use),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
