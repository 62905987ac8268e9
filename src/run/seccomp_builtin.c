#include "run/seccomp_profile.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/socket.h>

#include "sys/caps.h"

/* bryo's own default profile: what programs use is allowed, what is known and refused answers EPERM so that nobody
 * takes it for an old kernel, everything else answers ENOSYS so that newer programs fall back to older calls. Stricter
 * than the installed profiles in one point: sockets only of the families that containers speak. */

#define FILES \
	"access", "chdir", "chmod", "chown", "chown32", "close", "close_range", "copy_file_range", "creat", "dup", \
	"dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fchdir", "fchmod", \
	"fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr", \
	"flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", \
	"fsync", "ftruncate", "ftruncate64", "futimesat", "getcwd", "getdents", "getdents64", "getxattr", \
	"getxattrat", "ioctl", "lchown", "lchown32", "lgetxattr", "link", "linkat", "listxattr", "listxattrat", \
	"llistxattr", "_llseek", "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "mkdir", "mkdirat", \
	"mknod", "mknodat", "name_to_handle_at", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", \
	"pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink", \
	"readlinkat", "readv", "removexattr", "removexattrat", "rename", "renameat", "renameat2", "rmdir", "sendfile", \
	"sendfile64", "setxattr", "setxattrat", "splice", "stat", "stat64", "statfs", "statfs64", "statx", "symlink", \
	"symlinkat", "sync", "sync_file_range", "syncfs", "tee", "truncate", "truncate64", "umask", "unlink", \
	"unlinkat", "utime", "utimensat", "utimensat_time64", "utimes", "write", "writev", "cachestat"
#define EVENTS \
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", \
	"epoll_wait_old", "eventfd", "eventfd2", "fanotify_mark", "inotify_add_watch", "inotify_init", \
	"inotify_init1", "inotify_rm_watch", "_newselect", "poll", "ppoll", "ppoll_time64", "pselect6", \
	"pselect6_time64", "select", "signalfd", "signalfd4", "timerfd_create", "timerfd_gettime", \
	"timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "io_cancel", "io_destroy", "io_getevents", \
	"io_setup", "io_submit"
#define MEMORY \
	"brk", "get_mempolicy", "madvise", "map_shadow_stack", "mbind", "membarrier", "memfd_create", \
	"memfd_secret", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "mprotect", "mremap", "mseal", \
	"msync", "munlock", "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "remap_file_pages", \
	"set_mempolicy", "set_mempolicy_home_node"
#define PROCESSES \
	"capget", "capset", "clone", "clone3", "execve", "execveat", "exit", "exit_group", "fork", "futex", \
	"futex_requeue", "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "getcpu", "getegid", "getegid32", \
	"geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getpgid", "getpgrp", "getpid", \
	"getppid", "getpriority", "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", \
	"get_robust_list", "getrusage", "getsid", "get_thread_area", "gettid", "getuid", "getuid32", "ioprio_get", \
	"ioprio_set", "kill", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "pause", \
	"pidfd_getfd", "pidfd_open", "pidfd_send_signal", "prctl", "prlimit64", "process_mrelease", \
	"process_vm_readv", "process_vm_writev", "ptrace", "restart_syscall", "rseq", "rt_sigaction", \
	"rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", \
	"rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_getaffinity", "sched_getattr", "sched_getparam", \
	"sched_get_priority_max", "sched_get_priority_min", "sched_getscheduler", "sched_rr_get_interval", \
	"sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam", \
	"sched_setscheduler", "sched_yield", "seccomp", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", \
	"setgid", "setgid32", "setgroups", "setgroups32", "setpgid", "setpriority", "setregid", "setregid32", \
	"setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", \
	"set_robust_list", "setsid", "set_thread_area", "set_tid_address", "setuid", "setuid32", "sigaction", \
	"sigaltstack", "signal", "sigpending", "sigprocmask", "sigreturn", "sigsuspend", "tgkill", "tkill", \
	"ugetrlimit", "vfork", "wait4", "waitid", "waitpid", "arch_prctl", "modify_ldt", "cacheflush", "set_tls", \
	"breakpoint", "riscv_flush_icache", "riscv_hwprobe"
#define NETWORK \
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv", \
	"recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "setsockopt", \
	"shutdown", "socketcall", "socketpair"
#define IPC \
	"ipc", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend", \
	"mq_timedsend_time64", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", \
	"semtimedop", "semtimedop_time64", "shmat", "shmctl", "shmdt", "shmget"
#define TIME_AND_SYSTEM \
	"adjtimex", "alarm", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", \
	"clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "getitimer", "getrandom", \
	"gettimeofday", "nanosleep", "setitimer", "sysinfo", "time", "timer_create", "timer_delete", \
	"timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime", "timer_settime64", "times", "uname"
/* They need capabilities of the user namespace that the kernel checks by itself; a container that makes its own
 * namespaces (a nested engine, a browser's sandbox) uses them rightly. */
#define NAMESPACES \
	"fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount", "open_tree", \
	"pivot_root", "setns", "umount", "umount2", "unshare"

static const char *const allowed[] = { FILES, EVENTS, MEMORY, PROCESSES, NETWORK, IPC, TIME_AND_SYSTEM, NULL };

static const char *const refused[] = {
	"_sysctl", "afs_syscall", "bdflush", "get_kernel_syms", "create_module", "io_uring_enter", "io_uring_register",
	"io_uring_setup", "add_key", "keyctl", "request_key", "kexec_file_load", "kexec_load", "migrate_pages",
	"move_pages", "nfsservctl", "quotactl_fd", "swapoff", "swapon", "sysfs", "uselib", "userfaultfd", "ustat",
	"vm86", "vm86old", "vmsplice", "reboot", "nice", "stime", NULL,
};

/* Allowed with the capability, refused without. */
static const struct { int capability; const char *names[16]; } gated[] = {
	{ CAP_SYS_ADMIN, { "bpf", "fanotify_init", "lookup_dcookie", "perf_event_open", "quotactl", "setdomainname",
				"sethostname", "syslog" } },
	{ CAP_SYS_ADMIN, { NAMESPACES } },
	{ CAP_SYS_CHROOT, { "chroot" } },
	{ CAP_DAC_READ_SEARCH, { "open_by_handle_at" } },
	{ CAP_SYS_MODULE, { "delete_module", "finit_module", "init_module", "query_module" } },
	{ CAP_SYS_RAWIO, { "ioperm", "iopl" } },
	{ CAP_SYS_PTRACE, { "kcmp", "process_madvise" } },
	{ CAP_SYS_PACCT, { "acct" } },
	{ CAP_SYS_TIME, { "clock_settime", "clock_settime64", "settimeofday" } },
	{ CAP_SYS_TTY_CONFIG, { "vhangup" } },
};

static struct oci_syscall *add_call(struct arena *arena, struct oci_seccomp *s, const char *const *names,
				    const char *action, uint64_t number)
{
	struct oci_syscall *call = ARRAY_ADD(arena, &s->syscalls);

	for (; *names; names++)
		strings_add(arena, &call->names, *names);
	call->action = arena_strdup(arena, action);
	if (number) {
		call->errno_ret = arena_new_one(arena, uint64_t);
		*call->errno_ret = number;
	}
	return call;
}

static void add_value(struct arena *arena, struct oci_seccomp *s, const char *name, uint64_t index, uint64_t value)
{
	struct oci_syscall *call = add_call(arena, s, (const char *const[]){ name, NULL }, "SCMP_ACT_ALLOW", 0);

	*ARRAY_ADD(arena, &call->args) = (struct oci_seccomp_arg){ .index = index, .value = value,
								   .op = arena_strdup(arena, "SCMP_CMP_EQ") };
}

static void add_gated(struct arena *arena, struct oci_seccomp *s, uint64_t bounding)
{
	for (size_t i = 0; i < ELEMENTS(gated); i++) {
		bool has = bounding & CAPS_BIT(gated[i].capability);

		add_call(arena, s, gated[i].names, has ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO", has ? 0 : EPERM);
	}
}

struct oci_seccomp *seccomp_profile_builtin(struct arena *arena, const struct seccomp_target *target)
{
	static const uint64_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET };
	static const uint64_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };
	struct oci_seccomp *s = arena_new_one(arena, struct oci_seccomp);

	s->default_action = arena_strdup(arena, "SCMP_ACT_ERRNO");
	s->default_errno_ret = arena_new_one(arena, uint64_t);
	*s->default_errno_ret = ENOSYS;
	strings_add(arena, &s->architectures, target->scmp_arch);
	if (str_eq(target->arch, "amd64"))
		strings_add(arena, &s->architectures, "SCMP_ARCH_X86");
	if (str_eq(target->arch, "arm64"))
		strings_add(arena, &s->architectures, "SCMP_ARCH_ARM");
	add_call(arena, s, allowed, "SCMP_ACT_ALLOW", 0);
	add_call(arena, s, refused, "SCMP_ACT_ERRNO", EPERM);
	add_gated(arena, s, target->bounding);
	for (size_t i = 0; i < ELEMENTS(families); i++)
		add_value(arena, s, "socket", 0, families[i]);
	for (size_t i = 0; i < ELEMENTS(personalities); i++)
		add_value(arena, s, "personality", 0, personalities[i]);
	return s;
}
