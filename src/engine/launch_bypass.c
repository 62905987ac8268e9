#include "engine/launch_bypass.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/bypass_filter.h"
#include "sys/attach.h"
#include "sys/errand.h"
#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/ns.h"
#include "sys/unix_socket.h"

/* Only CAP_NET_ADMIN over the host's network may ask a socket for it. Then the container could have it too. */
static bool has_power_over_network(void)
{
	_cleanup_fd_ int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int network = own < 0 ? -1 : ioctl(own, SIOCGSKNS);

	return network >= 0 || errno != EPERM;
}

void launch_bypass_prepare(struct launch *l)
{
	int ends[2];

	if (!l->net.bypass || has_power_over_network() || !bypass_filter_is_possible() ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	l->bypass_ours = ends[0];
	l->bypass_child = ends[1];
}

static int open_routes(void *context, struct error *err)
{
	const struct run_process *p = context;
	int ns = ns_open_network(p->pid), fd = -1;

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0 || (fd = netlink_open()) < 0)
		return error_errno(err, "look at the container's routes");
	return fd;
}

/* A security module may forbid it (Yama's ptrace_scope 3). */
static bool can_take_descriptors(int pidfd)
{
	_cleanup_fd_ int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);

	return fd >= 0 || errno == EBADF;
}

void launch_bypass_see(struct launch *l, const struct run_process *p)
{
	if (l->bypass_ours < 0)
		return;
	fd_close(&l->bypass_child);
	l->bypass_routes = errand_fd(open_routes, (void *)(uintptr_t)p, NULL);
	l->bypass_door = attach_bypass_open(l->run_dir);
	if (l->bypass_routes >= 0 && l->bypass_door >= 0 && can_take_descriptors(p->pidfd))
		return;
	unlinkat(l->run_dir, "bypass", 0);
	launch_bypass_done(l);
}

void launch_bypass_take(struct launch *l)
{
	if (l->bypass_ours < 0)
		return;
	/* It was sent before the command was executed, or never. */
	l->bypass_fd = unix_socket_receive(l->bypass_ours, MSG_DONTWAIT);
	fd_close(&l->bypass_ours);
	if (l->bypass_fd >= 0)
		return;
	unlinkat(l->run_dir, "bypass", 0);
	launch_bypass_done(l);
}

void launch_bypass_done(struct launch *l)
{
	fd_close(&l->bypass_ours);
	fd_close(&l->bypass_child);
	fd_close(&l->bypass_fd);
	fd_close(&l->bypass_door);
	fd_close(&l->bypass_routes);
}
