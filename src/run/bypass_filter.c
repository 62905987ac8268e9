#include "run/bypass_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/seccomp_machine.h"
#include "sys/bypass_options.h"
#include "sys/seccomp.h"
#include "sys/unix_socket.h"

/* Without the first a signal could come between the replacing of a descriptor and the answer. */
#define FLAGS (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW)

/* The other calls of this processor by which a socket may be made to listen. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define IS_KNOWN 1
#define FOREIGN_NUMBERS 0x40000000	/* of x32: from here on */
#define FOREIGN_LISTEN 363		/* of i386 */
#elif defined(__aarch64__)
#define IS_KNOWN 1
#define FOREIGN_NUMBERS 0x40000000	/* there are none */
#define FOREIGN_LISTEN 284		/* of arm */
#else
#define IS_KNOWN 0
#define FOREIGN_NUMBERS 0x40000000
#define FOREIGN_LISTEN 0
#endif
#define SOCKETCALL 102			/* of i386: what is called is the first argument */
#define SOCKETCALL_LISTEN 4
#define IO_URING_SETUP 425		/* everywhere */

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define WHEN(value, then, other) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, other)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)

#define WHEN_OPTION(level, name) WHEN((level) << 16 | (name), 0, 1), ANSWER(SECCOMP_RET_USER_NOTIF),
#define ONE(level, name) +1
#define OPTION_ROWS (9 + 2 * (0 BYPASS_SELDOM_OPTIONS(ONE) BYPASS_SPECIAL_OPTIONS(ONE) BYPASS_OTHER_OPTIONS(ONE)))

/* Three programs, one after the other: the first is for containers with published ports.
 * Both processors are little-endian: the low half of an argument comes first. */
static const struct sock_filter rows[] = {
	LOAD(arch),			/* ports are published */
	WHEN(SECCOMP_NATIVE, 0, 4),
	LOAD(nr),
	WHEN(SYS_accept, 1, 0),
	WHEN(SYS_accept4, 0, 1),
	ANSWER(SECCOMP_RET_USER_NOTIF),

	LOAD(arch),			/* options are set that few sockets have */
	WHEN(SECCOMP_NATIVE, 0, OPTION_ROWS - 2),
	LOAD(nr),
	WHEN(SYS_setsockopt, 0, OPTION_ROWS - 4),
	LOAD(args[1]),
	BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 16),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	LOAD(args[2]),
	BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0),
	BYPASS_SELDOM_OPTIONS(WHEN_OPTION)
	BYPASS_SPECIAL_OPTIONS(WHEN_OPTION)
	BYPASS_OTHER_OPTIONS(WHEN_OPTION)

	/*  0 */ LOAD(arch),
	/*  1 */ WHEN(SECCOMP_NATIVE, 0, 10),
	/*  2 */ LOAD(nr),
	/*  3 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_NUMBERS, 16, 0),
	/*  4 */ WHEN(SYS_listen, 17, 0),
	/*  5 */ WHEN(IO_URING_SETUP, 14, 0),
	/*  6 */ WHEN(SYS_connect, 0, 12),
	/*  7 */ LOAD(args[2]),
	/*  8 */ WHEN(sizeof(struct sockaddr_in), 13, 0),
	/*  9 */ WHEN(sizeof(struct sockaddr_in6), 12, 0),
	/* 10 */ WHEN(sizeof(struct sockaddr_storage), 11, 0),
	/* 11 */ ANSWER(SECCOMP_RET_ALLOW),
	/* 12 */ LOAD(nr),
	/* 13 */ WHEN(FOREIGN_LISTEN, 7, 0),
	/* 14 */ WHEN(IO_URING_SETUP, 5, 0),
	/* 15 */ WHEN(SOCKETCALL, 0, 3),
	/* 16 */ LOAD(args[0]),
	/* 17 */ WHEN(SOCKETCALL_LISTEN, 3, 0),
	/* 18 */ ANSWER(SECCOMP_RET_ALLOW),
	/* 19 */ ANSWER(SECCOMP_RET_ALLOW),
	/* 20 */ ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
	/* 21 */ ANSWER(SECCOMP_RET_ERRNO | EPERM),
	/* 22 */ ANSWER(SECCOMP_RET_USER_NOTIF),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define ACCEPT_ROWS 6

const struct sock_filter *bypass_filter(bool published, size_t *ret_n)
{
	*ret_n = published ? ROWS : ROWS - ACCEPT_ROWS;
	return published ? rows : rows + ACCEPT_ROWS;
}

bool bypass_filter_is_possible(void)
{
	return IS_KNOWN && seccomp_has_action(SECCOMP_RET_USER_NOTIF) && seccomp_has_flag(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

/* Whoever made it has closed his end. */
static bool is_given_up(int socket)
{
	char byte;

	return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

int bypass_filter_load(int socket, bool published)
{
	size_t n;
	const struct sock_filter *filter = bypass_filter(published, &n);
	int result, listener = is_given_up(socket) ? -1 : seccomp_load_filter(filter, n, FLAGS);

	if (listener < 0)
		return 0;
	result = unix_socket_send(socket, listener, "?");
	close(listener);
	close(socket);
	return result;
}
