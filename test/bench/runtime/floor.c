/* floor - the least that a container of one bundle costs on this kernel
 *
 * usage: floor [-f FILTER] run STATE | floor [-f FILTER] exec PID COMMAND
 *
 * A static program of bare system calls, compiled together with tables that bundle.py makes out of config.json. `run`
 * writes one file of state, makes the cgroup, clones all namespaces (and has the ids mapped), mounts, hides, pivots,
 * drops capabilities, loads a ready BPF program, executes the command, waits and cleans up. `exec` joins the namespaces
 * and the cgroup of PID and executes COMMAND. Nothing is read, checked or reported: the distance to this program is
 * what a runtime adds. */
#define _GNU_SOURCE
#include "../floor.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include TABLES

static int ready[2];		/* closed by the parent when the ids are mapped */

static void make_devices(void)
{
	char target[64];

	for (size_t i = 0; i < COUNT(devices); i++) {
		snprintf(target, sizeof(target), "dev/%s", devices[i].name);
		if (may_make_devices) {
			CHECK(mknod(target, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
			continue;
		}
		close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		bind_file(devices[i].source, target);
	}
	make_device_links();
}

static void mount_all(void)
{
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
	CHECK(chdir(rootfs));
	for (size_t i = 0; i < COUNT(mounts); i++) {
		if (mounts[i].makes_target)
			mkdir(mounts[i].target, 0755);
		CHECK(mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data));
		if (strcmp(mounts[i].target, "dev") == 0)
			make_devices();
	}
}

static void hide_paths(void)
{
	for (size_t i = 0; i < COUNT(masked); i++)
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) < 0 && errno == ENOTDIR)
			attach_new("tmpfs", masked[i], MS_RDONLY, "size=0k");
	for (size_t i = 0; i < COUNT(readonly); i++)
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			CHECK(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV |
				    MS_NOEXEC, NULL));
}

static void enter_user_namespace(void)
{
	char byte;

	if (uid_map[3]) {	/* more than one id: by helpers */
		close(ready[1]);
		CHECK(read(ready[0], &byte, 1));
	} else {
		map_own_id(caller_uid, caller_gid);
	}
	become_root();
}

/* As the bundle does not ask for no_new_privs, CAP_SYS_ADMIN is needed until the filter stands. */
static void drop_privileges(void)
{
	limit_bounding(capabilities);
	load_filter();
	set_capabilities(capabilities);
}

static _Noreturn void become_container(void)
{
	struct rlimit limit = { 1024, 1024 };

	if (own_user_namespace)
		enter_user_namespace();
	CHECK(unshare(CLONE_NEWCGROUP));
	mount_all();
	for (size_t i = 0; i < COUNT(sysctls); i++)
		put(sysctls[i][0], sysctls[i][1]);
	hide_paths();
	leave_old_root();
	loopback_up();
	CHECK(sethostname(hostname, sizeof(hostname) - 1));
	CHECK(setrlimit(RLIMIT_NOFILE, &limit));
	setsid();
	umask(022);
	CHECK(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
	drop_privileges();
	execve(command[0], command, environment);
	perror(command[0]);
	_exit(127);
}

/* Both at once: newuidmap PID 0 UID 1 ... */
static void map_ids(long pid)
{
	const char *const *const maps[] = { uid_map, gid_map };
	pid_t helpers[2];
	char number[16], *argv[16] = { NULL };

	snprintf(number, sizeof(number), "%ld", pid);
	for (int i = 0; i < 2; i++) {
		argv[0] = (char *)(uintptr_t)helper_programs[i];
		argv[1] = number;
		for (size_t n = 0; maps[i][n]; n++)
			argv[n + 2] = (char *)(uintptr_t)maps[i][n];
		helpers[i] = vfork();
		if (helpers[i] == 0) {
			execv(argv[0], argv);
			_exit(127);
		}
	}
	for (int i = 0; i < 2; i++)
		if (exit_code(helpers[i]) != 0)
			_exit(125);
}

static int run(const char *state)
{
	struct clone_args args = { .flags = namespaces, .exit_signal = SIGCHLD };
	int code;
	long pid;

	CHECK(mkdir(state, 0700));
	CHECK(chdir(state));
	put("state", "{\"pid\": 12345, \"bundle\": \"/some/where\"}\n");
	if (*cgroup) {
		CHECK(mkdir(cgroup, 0755));
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	CHECK(pipe2(ready, O_CLOEXEC));
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		become_container();
	close(ready[0]);
	if (own_user_namespace && uid_map[3])
		map_ids(pid);
	close(ready[1]);
	code = exit_code(pid);
	if (*cgroup)
		rmdir(cgroup);
	unlink("state");
	rmdir(state);
	return code;
}

static int execute(int target, char **argv)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int fd = (int)syscall(SYS_pidfd_open, target, 0);
	long pid;

	CHECK(fd);
	if (*cgroup) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	CHECK(setns(fd, (int)namespaces));
	if (own_user_namespace)
		become_root();
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid != 0)
		return exit_code(pid);
	CHECK(setns(fd, CLONE_NEWCGROUP));	/* who is in it already may not be born in the cgroup from outside */
	CHECK(chdir("/"));
	umask(022);
	CHECK(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
	drop_privileges();
	execve(argv[0], argv, environment);
	_exit(127);
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "-f") == 0) {
		read_filter(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc == 3 && strcmp(argv[1], "run") == 0)
		return run(argv[2]);
	if (argc > 3 && strcmp(argv[1], "exec") == 0)
		return execute(atoi(argv[2]), argv + 3);
	return 125;
}
