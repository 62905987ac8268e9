#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sys/attach.h"
#include "sys/fd.h"

static void test_header_round_trip(void **state)
{
	static const struct { enum attach_type type; uint32_t length; } cases[] = {
		{ ATTACH_STDIN, 0 }, { ATTACH_STDOUT, 1 }, { ATTACH_STDERR, 256 }, { ATTACH_RESIZE, 4 },
		{ ATTACH_HELLO, 1 }, { ATTACH_EXIT, sizeof(struct attach_exit) }, { ATTACH_STDOUT, ATTACH_FRAME_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char header[8];
		enum attach_type type;
		uint32_t length;

		attach_header(header, cases[i].type, cases[i].length);
		assert_int_equal(attach_parse_header(header, &type, &length), 0);
		assert_int_equal(type, cases[i].type);
		assert_int_equal(length, cases[i].length);
	}
}

static void test_header_refuses_nonsense(void **state)
{
	static const unsigned char cases[][8] = {
		{ 6, 0, 0, 0, 0, 0, 0, 1 },		/* unknown type */
		{ 1, 1, 0, 0, 0, 0, 0, 1 },		/* reserved bytes */
		{ 1, 0, 0, 9, 0, 0, 0, 1 },
		{ 1, 0, 0, 0, 0, 0, 0x80, 1 },		/* one too long */
		{ 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum attach_type type;
		uint32_t length;

		errno = 0;
		assert_int_equal(attach_parse_header(cases[i], &type, &length), -1);
		assert_int_equal(errno, EPROTO);
	}
}

/* The receiver is slow and the socket non-blocking: the frame arrives whole all the same. */
static void test_send_is_whole(void **state)
{
	static char payload[ATTACH_FRAME_MAX];
	unsigned char header[8];
	int pair[2], small = 2048, status;
	pid_t child;

	memset(payload, 'x', sizeof(payload));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	fd_set_nonblock(pair[0], true);
	child = fork();
	if (child == 0) {
		close(pair[1]);
		for (int i = 0; i < 20; i++)
			if (attach_send(pair[0], ATTACH_STDOUT, payload, sizeof(payload)) < 0)
				_exit(1);
		_exit(0);
	}
	close(pair[0]);
	for (int i = 0; i < 20; i++) {
		enum attach_type type;
		uint32_t length;
		static char got[ATTACH_FRAME_MAX];

		assert_int_equal(fd_read_all(pair[1], header, 8), 8);
		assert_int_equal(attach_parse_header(header, &type, &length), 0);
		assert_int_equal(length, sizeof(payload));
		assert_int_equal(fd_read_all(pair[1], got, length), length);
		assert_memory_equal(got, payload, length);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(pair[1]);
}

static void test_send_to_closed_peer_is_an_error(void **state)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(attach_send(pair[0], ATTACH_STDIN, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(pair[0]);
}

static void test_listen_and_connect_below_a_long_path(void **state)
{
	char dir[] = "/tmp/attach-XXXXXX", deep[300];
	struct stat st;
	int root, fd, listener, client, server;

	assert_non_null(mkdtemp(dir));
	memset(deep, 'd', 200);
	deep[200] = 0;
	root = open(dir, O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root, deep, 0700), 0);
	fd = openat(root, deep, O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(attach_connect(fd), -1);
	listener = attach_listen(fd);
	assert_true(listener >= 0);
	assert_int_equal(fstatat(fd, "attach", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	client = attach_connect(fd);
	assert_true(client >= 0);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_int_equal(fcntl(client, F_GETFD), FD_CLOEXEC);
	close(server);
	close(client);
	close(listener);
	listener = attach_listen(fd);	/* what a killed monitor left is replaced */
	assert_true(listener >= 0);
	close(listener);
	close(fd);
	assert_int_equal(fd_remove_tree(root, deep), 0);
	close(root);
	rmdir(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_round_trip),
		cmocka_unit_test(test_header_refuses_nonsense),
		cmocka_unit_test(test_send_is_whole),
		cmocka_unit_test(test_send_to_closed_peer_is_an_error),
		cmocka_unit_test(test_listen_and_connect_below_a_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
