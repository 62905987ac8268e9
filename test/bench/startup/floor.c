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
#include <ftw.h>

#include "../floor.h"

#define CAPABILITIES 0x800405fbu

static const char *state;

static void make_namespace(void)
{
	unsigned uid = getuid(), gid = getgid();

	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	map_own_id(uid, gid);
}

static void join_namespace(int pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	CHECK(fd);
	CHECK(setns(fd, CLONE_NEWUSER | CLONE_NEWNS));
	become_root();
	close(fd);
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

static void make_dev(void)
{
	static const char *const nodes[] = { "null", "zero", "full", "tty", "random", "urandom" };
	char target[64], source[64];

	attach_new("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	for (size_t i = 0; i < 6; i++) {
		snprintf(source, sizeof(source), "/dev/%s", nodes[i]);
		snprintf(target, sizeof(target), "dev/%s", nodes[i]);
		close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		bind_file(source, target);
	}
	make_device_links();
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

static void become_container(const char *layer, char **argv)
{
	mount_root(layer);
	attach_new("proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	attach_new("sysfs", "sys", MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	mount("cgroup2", "sys/fs/cgroup", "cgroup2", MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	make_dev();
	make_etc();
	hide_paths();
	leave_old_root();
	loopback_up();
	CHECK(sethostname("floor", 5));
	setsid();
	limit_bounding(CAPABILITIES);
	set_capabilities(CAPABILITIES | 1u << CAP_SYS_ADMIN);
	load_filter();
	execve(argv[0], argv, (char *[]){ "PATH=/bin", NULL });
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
					    CLONE_NEWCGROUP,
				   .exit_signal = SIGCHLD };
	int option, holder = 0, code;
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
	code = exit_code(pid);
	remove_state();
	return code;
}
