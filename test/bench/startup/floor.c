/* floor - the least that a container start costs on this kernel
 *
 * usage: floor [-p PID] [-f FILTER] LAYER STATE COMMAND [ARG...]
 *
 * A static program of bare system calls: joins the user and mount namespace of PID (a rootless namespace that is kept
 * open; without -p it makes one, which costs more), writes a little state, clones six namespaces, mounts overlay, /proc,
 * /sys, /dev, three files of /etc, pivots, masks, drops capabilities, loads a ready BPF program, executes COMMAND,
 * waits and cleans up. Nothing is checked that an engine must check, nothing is recorded that a user asks for later:
 * the distance to this program is what an engine adds. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
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

static const char *state;
static struct sock_fprog filter;

#define CHECK(call) do { if ((call) < 0) { perror(#call); _exit(125); } } while (0)

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHECK(fd);
	CHECK(write(fd, text, strlen(text)));
	close(fd);
}

static void make_namespace(void)
{
	char map[64], groups[64];

	snprintf(map, sizeof(map), "0 %u 1\n", getuid());
	snprintf(groups, sizeof(groups), "0 %u 1\n", getgid());
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", map);
	put("/proc/self/gid_map", groups);
}

static void join_namespace(int pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	CHECK(fd);
	CHECK(setns(fd, CLONE_NEWUSER | CLONE_NEWNS));
	CHECK(syscall(SYS_setresgid, 0, 0, 0));
	CHECK(syscall(SYS_setresuid, 0, 0, 0));
	close(fd);
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

static const char *const state_dirs[] = { "upper", "work", "run", "etc" };
static const char *const state_files[] = { "etc/resolv.conf", "etc/hosts", "etc/hostname", "run/state" };

static void make_state(void)
{
	CHECK(mkdir(state, 0755));
	CHECK(chdir(state));
	for (size_t i = 0; i < 4; i++)
		CHECK(mkdir(state_dirs[i], 0755));
	for (size_t i = 0; i < 4; i++)
		put(state_files[i], "127.0.0.1 localhost\n");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_state(void)
{
	chmod("work/work", 0700);	/* overlayfs leaves it without permissions */
	CHECK(chdir("/"));
	CHECK(nftw(state, remove_one, 8, FTW_DEPTH | FTW_PHYS));
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

static void make_dev(void)
{
	static const char *const nodes[] = { "null", "zero", "full", "tty", "random", "urandom" };
	static const char *const links[][2] = { { "/proc/self/fd", "fd" }, { "/proc/self/fd/0", "stdin" },
						{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
						{ "pts/ptmx", "ptmx" } };
	char target[64], source[64];

	attach_new("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	for (size_t i = 0; i < 6; i++) {
		snprintf(source, sizeof(source), "/dev/%s", nodes[i]);
		snprintf(target, sizeof(target), "dev/%s", nodes[i]);
		close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		bind_file(source, target);
	}
	for (size_t i = 0; i < 5; i++) {
		snprintf(target, sizeof(target), "dev/%s", links[i][1]);
		CHECK(symlink(links[i][0], target));
	}
	mkdir("dev/pts", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/mqueue", 0755);
	attach_new("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	attach_new("tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=64000k");
	attach_new("mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
}

static void make_etc(void)
{
	static const char *const names[] = { "resolv.conf", "hosts", "hostname" };
	char source[4200], target[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(source, sizeof(source), "%s/etc/%s", state, names[i]);
		snprintf(target, sizeof(target), "etc/%s", names[i]);
		close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		bind_file(source, target);
	}
}

static void mount_root(const char *layer)
{
	char data[9000], root[4200];

	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,userxattr,volatile", layer, state,
		 state);
	snprintf(root, sizeof(root), "%s/run", state);
	CHECK(mount("overlay", root, "overlay", 0, data));
	CHECK(chdir(root));
	for (const char *const *d = (const char *const[]){ "proc", "sys", "dev", "etc", NULL }; *d; d++)
		mkdir(*d, 0755);
}

static void hide_paths(void)
{
	static const char *const files[] = { "proc/kcore", "proc/keys", "proc/timer_list" };
	static const char *const directories[] = { "proc/acpi", "proc/scsi", "sys/firmware" };
	static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };

	for (size_t i = 0; i < 3; i++)
		if (access(files[i], F_OK) == 0)
			bind_file("/dev/null", files[i]);
	for (size_t i = 0; i < 3; i++)
		if (access(directories[i], F_OK) == 0)
			attach_new("tmpfs", directories[i], MS_RDONLY, "size=0k");
	for (size_t i = 0; i < 5; i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) < 0)
			continue;
		CHECK(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			    NULL));
	}
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0x800405fb | 1u << CAP_SYS_ADMIN, 0x800405fb | 1u << CAP_SYS_ADMIN, 0 } };

	for (int n = 0; n <= 40; n++)
		if (n > 31 || !(0x800405fbu & 1u << n))
			CHECK(prctl(PR_CAPBSET_DROP, n, 0, 0, 0));
	CHECK(syscall(SYS_capset, &header, data));
}

static void become_container(const char *layer, char **argv)
{
	mount_root(layer);
	attach_new("proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	attach_new("sysfs", "sys", MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	mount("cgroup2", "sys/fs/cgroup", "cgroup2", MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	make_dev();
	make_etc();
	hide_paths();
	CHECK(syscall(SYS_pivot_root, ".", "."));
	CHECK(umount2(".", MNT_DETACH));
	CHECK(chdir("/"));
	loopback_up();
	CHECK(sethostname("floor", 5));
	setsid();
	drop_capabilities();
	if (filter.len)
		CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
	execve(argv[0], argv, (char *[]){ "PATH=/bin", NULL });
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
					    CLONE_NEWCGROUP,
				   .exit_signal = SIGCHLD };
	int option, holder = 0, status = 0;
	long pid;

	while ((option = getopt(argc, argv, "+p:f:")) != -1) {
		if (option == 'p')
			holder = atoi(optarg);
		else if (option == 'f')
			read_filter(optarg);
		else
			return 125;
	}
	if (argc - optind < 3)
		return 125;
	state = argv[optind + 1];
	if (holder)
		join_namespace(holder);
	else
		make_namespace();
	make_state();
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		become_container(argv[optind], argv + optind + 2);
	CHECK(pid);
	CHECK(waitpid((pid_t)pid, &status, 0));
	remove_state();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
