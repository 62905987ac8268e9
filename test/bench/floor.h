/* floor - the bare system calls that the floor programs share
 *
 * Each is a static program of its own; the first call that fails ends it. */
#ifndef BRYO_BENCH_FLOOR_H
#define BRYO_BENCH_FLOOR_H

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(call) do { if ((call) < 0) { perror(#call); _exit(125); } } while (0)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sock_fprog filter;

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHECK(fd);
	CHECK(write(fd, text, strlen(text)));
	close(fd);
}

/* One id; done by the process that has just got its user namespace. */
static void map_own_id(unsigned uid, unsigned gid)
{
	char map[64], groups[64];

	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	snprintf(groups, sizeof(groups), "0 %u 1\n", gid);
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", map);
	put("/proc/self/gid_map", groups);
}

static void become_root(void)
{
	CHECK(syscall(SYS_setresgid, 0, 0, 0));
	CHECK(syscall(SYS_setresuid, 0, 0, 0));
}

static void read_filter(const char *path)
{
	static struct sock_filter instructions[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd);
	n = read(fd, instructions, sizeof(instructions));
	CHECK(n);
	close(fd);
	filter.len = (unsigned short)((size_t)n / sizeof(*instructions));
	filter.filter = instructions;
}

static void load_filter(void)
{
	if (filter.len)
		CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

static void attach_new(const char *type, const char *target, unsigned long flags, const char *data)
{
	CHECK(mount(type, target, type, flags, data));
}

static void bind_file(const char *source, const char *target)
{
	int fd = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	CHECK(fd);
	CHECK(move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
	close(fd);
}

static void make_device_links(void)
{
	static const char *const links[][2] = { { "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" },
						{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
						{ "pts/ptmx", "dev/ptmx" } };

	for (size_t i = 0; i < COUNT(links); i++)
		CHECK(symlink(links[i][0], links[i][1]));
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void limit_bounding(uint64_t kept)
{
	for (int n = 0; n <= 40; n++)
		if (!(kept >> n & 1))
			CHECK(prctl(PR_CAPBSET_DROP, n, 0, 0, 0));
}

static void set_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	uint32_t low = (uint32_t)kept, high = (uint32_t)(kept >> 32);
	struct __user_cap_data_struct data[2] = { { low, low, 0 }, { high, high, 0 } };

	CHECK(syscall(SYS_capset, &header, data));
}

static void leave_old_root(void)
{
	CHECK(syscall(SYS_pivot_root, ".", "."));
	CHECK(umount2(".", MNT_DETACH));
	CHECK(chdir("/"));
}

static int exit_code(long pid)
{
	int status = 0;

	CHECK(pid);
	CHECK(waitpid((pid_t)pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
