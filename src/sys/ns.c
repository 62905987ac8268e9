#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/string.h"

static const struct { const char *name; uint64_t flag; } namespaces[] = {
	{ "user", CLONE_NEWUSER },	{ "pid", CLONE_NEWPID },	{ "mount", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC },	{ "uts", CLONE_NEWUTS },	{ "network", CLONE_NEWNET },
	{ "cgroup", CLONE_NEWCGROUP },	{ "time", CLONE_NEWTIME },
};

uint64_t ns_flag(const char *oci_name)
{
	for (size_t i = 0; i < ELEMENTS(namespaces); i++)
		if (strcmp(namespaces[i].name, oci_name) == 0)
			return namespaces[i].flag;
	return 0;
}

const char *ns_name(uint64_t flag)
{
	for (size_t i = 0; i < ELEMENTS(namespaces); i++)
		if (namespaces[i].flag == flag)
			return namespaces[i].name;
	return NULL;
}

pid_t ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

#define TRIES 5000
#define PAUSE_NS 100000

int ns_open_network(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	char path[64];
	int fd, tries = 0;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	while ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 && errno == EACCES && tries++ < TRIES)
		nanosleep(&pause, NULL);
	return fd;
}

int ns_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int number, result, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	result = ioctl(fd, SIOCSIFFLAGS, &request);
	number = errno;
	close(fd);
	errno = number;
	return result;
}
