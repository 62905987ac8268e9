/* calls - which system calls are refused here? Prints "NAME ERRNO-NAME" for each, "NAME works" where one succeeded.
 * Runs inside containers: static. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void report(const char *name, long result)
{
	printf("%s %s\n", name, result >= 0 ? "works" : strerrorname_np(errno));
	if (result > 2)
		close((int)result);
}

/* ./calls abstract NAME: connects to an abstract socket */
static long connect_abstract(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path + 1, name, n);
	return connect(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + 1 + n));
}

/* ./calls openat2 PATH: makes a file */
static long make_file(const char *path)
{
	struct open_how how = { .flags = O_CREAT | O_WRONLY, .mode = 0600 };

	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

int main(int argc, char **argv)
{
	static char zeros[4096];
	struct perf_event_attr event = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(event) };

	if (argc == 3 && strcmp(argv[1], "abstract") == 0) {
		report("abstract", connect_abstract(argv[2]));
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "openat2") == 0) {
		report("openat2", make_file(argv[2]));
		return 0;
	}
	report("bpf", syscall(SYS_bpf, 0, zeros, 64));
	report("perf_event_open", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
	report("userfaultfd", syscall(SYS_userfaultfd, 0));
	report("io_uring_setup", syscall(SYS_io_uring_setup, 4, zeros));
	report("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
	report("remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	report("umount", umount2("/proc/kcore", MNT_DETACH));
	report("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	report("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	report("pivot_root", syscall(SYS_pivot_root, ".", "."));
	report("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, zeros, 0));
	report("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	report("init_module", syscall(SYS_init_module, zeros, 8, ""));
	report("swapon", syscall(SYS_swapon, "/nonexistent", 0));
	report("acct", syscall(SYS_acct, "/nonexistent"));
	report("setns", syscall(SYS_setns, -1, CLONE_NEWNET));
	report("unshare-net", unshare(CLONE_NEWNET));
	report("AF_ALG", socket(38, SOCK_SEQPACKET, 0));
	report("AF_VSOCK", socket(40, SOCK_STREAM, 0));
	report("TIOCSTI", ioctl(0, TIOCSTI, "x"));
	report("add_key", syscall(SYS_add_key, "user", "bryo", "x", 1, KEY_SPEC_SESSION_KEYRING));
	report("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
	report("request_key", syscall(SYS_request_key, "user", "bryo-none", NULL, 0));
	return 0;
}
