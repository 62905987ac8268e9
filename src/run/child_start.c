#include "run/plan.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fd.h"

#define OPEN_MAX_LOOKED_AT 1024		/* the maker has opened what is needed in a process that had opened little */

/* Whoever connects the network looks into our /proc/PID/ns, which a process that is not dumpable hides. Where other
 * containers' processes could look too (a shared pid namespace, exec), it stays hidden. */
static void show_to_parent(const struct child *c)
{
	const struct run_plan *plan = c->plan;
	bool alone = plan->clone_flags & CLONE_NEWPID, needed = plan->clone_flags & CLONE_NEWNET;

	prctl(PR_SET_DUMPABLE, plan->target_pidfd < 0 && (alone || needed) ? 1 : 0, 0, 0, 0);
}

/* Whatever was inherited without the flag by mistake stays out of the container. */
static int seal_descriptors(const struct child *c)
{
	return close_range(3 + (unsigned)c->plan->preserve_fds_n, ~0u, CLOSE_RANGE_CLOEXEC);
}

/* The caller's, which is still to be found in this process by whoever may look into it (its own container may), as long
 * as it waits to be started. */
static void forget_environment(void)
{
	for (char **e = environ; *e; e++)
		explicit_bzero(*e, strlen(*e));
}

static int wait_for_release(struct child *c)
{
	struct message m = { .kind = MESSAGE_READY };

	if (c->plan->start_socket >= 0)
		forget_environment();
	if (seal_descriptors(c) < 0)
		return -1;
	show_to_parent(c);
	if (child_send(c->sync, &m, NULL, 0) < 0)
		return -1;
	child_wait(c);
	return 0;
}

static bool is_needed(const struct child *c, int fd)
{
	const int needed[] = { c->plan->start_socket, c->plan->created_lock, c->label[0], c->label[1], c->plan->hook_output[0],
			       c->plan->hook_output[1] };

	for (size_t i = 0; i < ELEMENTS(needed); i++)
		if (needed[i] == fd)
			return true;
	for (size_t i = 0; i < c->plan->ops.n; i++) {
		const struct op *op = &c->plan->ops.v[i];

		if ((op->kind == OP_HOOK && c->fds[op->hook->state] == fd) ||
		    (op->kind == OP_SECCOMP && op->slot >= 0 && c->fds[op->slot] == fd))
			return true;
	}
	return false;
}

/* What the maker had open besides would stay open as long as the container waits: his locks, pipes of his caller. */
static int close_others(struct child *c)
{
	unsigned first = 3 + (unsigned)c->plan->preserve_fds_n, at = first;

	c->sync = -1;
	for (unsigned fd = first; fd < OPEN_MAX_LOOKED_AT; fd++) {
		if (!is_needed(c, (int)fd))
			continue;
		if (fd > at && close_range(at, fd - 1, 0) < 0)
			return -1;
		at = fd + 1;
	}
	return close_range(at, ~0u, 0);
}

/* Its maker has gone; anybody who reaches the socket (its directory is private) may start it. One who connects and
 * says nothing was killed before he could: the next one is waited for. */
static int wait_for_start(struct child *c)
{
	int connection;
	char byte;

	if (close_others(c) < 0)
		return -1;
	for (;;) {
		connection = accept4(c->plan->start_socket, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0 && recv(connection, &byte, 1, 0) == 1)
			break;
		if (connection < 0 && errno != EINTR && errno != ECONNABORTED)
			return -1;
		fd_close(&connection);
	}
	c->sync = connection;
	return 0;
}

int child_start_op(struct child *c, const struct op *op)
{
	return op->kind == OP_READY ? wait_for_release(c) : wait_for_start(c);
}
