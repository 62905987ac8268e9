#include "transfer/sandbox_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/string.h"
#include "sys/seccomp.h"

#if SECCOMP_BY_HAND

#define FIRST_ARGUMENT offsetof(struct seccomp_data, args[0])	/* its low half: little-endian machines only */
#define NEW_NAMESPACES                                                                                       \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const int refused[] = {
	SYS_execve, SYS_execveat,
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
	SYS_fsmount, SYS_fspick, SYS_mount_setattr,
	SYS_unshare, SYS_setns, SYS_personality,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot,
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
	SYS_add_key, SYS_request_key, SYS_keyctl,
	SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_syslog, SYS_sethostname, SYS_setdomainname,
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_vhangup, SYS_fanotify_init, SYS_lookup_dcookie,
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid,
	SYS_setfsgid, SYS_capset,
};

static const int networking[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_recvmmsg,
	SYS_sendmmsg,
};

#define LOAD(offset) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset)))
#define IF_EQUAL(value, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no)))
#define IF_ANY_BIT(bits, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no)))
#define ANSWER(action) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (action)))
#define ALLOW ANSWER(SECCOMP_RET_ALLOW)
#define REFUSE(number) ANSWER(SECCOMP_RET_ERRNO | (number))

struct program { struct sock_filter v[256]; unsigned short n; };

static void add(struct program *p, struct sock_filter instruction)
{
	if (p->n < ELEMENTS(p->v))
		p->v[p->n++] = instruction;
}

static void refuse_all(struct program *p, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add(p, IF_EQUAL((unsigned)calls[i], 0, 1));
		add(p, REFUSE(EPERM));
	}
}

static void check_architecture(struct program *p)
{
	add(p, LOAD(offsetof(struct seccomp_data, arch)));
	add(p, IF_EQUAL(SECCOMP_NATIVE, 1, 0));
	add(p, ANSWER(SECCOMP_RET_KILL_PROCESS));
	add(p, LOAD(offsetof(struct seccomp_data, nr)));
	/* No call at all: what a tracer makes of one that it lets fail. */
	add(p, IF_EQUAL(0xffffffffu, 0, 1));
	add(p, ANSWER(SECCOMP_RET_ALLOW));
#ifdef __x86_64__
	add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1));	/* x32 */
	add(p, ANSWER(SECCOMP_RET_KILL_PROCESS));
#endif
}

/* Threads and workers yes, namespaces no. clone3 hides its flags in memory: libc falls back to clone. */
static void check_clone(struct program *p)
{
	add(p, IF_EQUAL(SYS_clone3, 0, 1));
	add(p, REFUSE(ENOSYS));
	add(p, IF_EQUAL(SYS_clone, 0, 4));
	add(p, LOAD(FIRST_ARGUMENT));
	add(p, IF_ANY_BIT(NEW_NAMESPACES, 0, 1));
	add(p, REFUSE(EPERM));
	add(p, ALLOW);
}

static void check_families(struct program *p)
{
	add(p, IF_EQUAL(SYS_socket, 0, 7));
	add(p, LOAD(FIRST_ARGUMENT));
	add(p, IF_EQUAL(AF_UNIX, 4, 0));
	add(p, IF_EQUAL(AF_INET, 3, 0));
	add(p, IF_EQUAL(AF_INET6, 2, 0));
	add(p, IF_EQUAL(AF_NETLINK, 1, 0));	/* name service asks for the machine's addresses */
	add(p, REFUSE(EAFNOSUPPORT));
	add(p, ALLOW);
}

int sandbox_filter(bool no_sockets, struct error *err)
{
	struct program p = { .n = 0 };
	struct sock_fprog filter;

	check_architecture(&p);
	if (no_sockets)
		refuse_all(&p, networking, ELEMENTS(networking));
	refuse_all(&p, refused, ELEMENTS(refused));
	if (!no_sockets)
		check_families(&p);
	check_clone(&p);
	add(&p, ALLOW);
	filter = (struct sock_fprog){ p.n, p.v };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0 && errno != EINVAL)
		return error_errno(err, "load the system call filter");
	return 0;
}

#else

int sandbox_filter(bool no_sockets, struct error *err)
{
	return 0;
}

#endif
