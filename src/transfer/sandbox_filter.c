#include "transfer/sandbox_filter.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/string.h"
#include "sys/seccomp_writer.h"

#if SECCOMP_BY_HAND

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

/* Threads and workers yes, namespaces no. clone3 hides its flags in memory: libc falls back to clone. */
static void check_clone(struct seccomp_writer *w)
{
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(SYS_clone3, 0, 1));
	seccomp_writer_add(w, SECCOMP_REFUSE(ENOSYS));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(SYS_clone, 0, 4));
	seccomp_writer_add(w, SECCOMP_LOAD(args[0]));
	seccomp_writer_add(w, SECCOMP_IF_ANY_BIT(NEW_NAMESPACES, 0, 1));
	seccomp_writer_add(w, SECCOMP_REFUSE(EPERM));
	seccomp_writer_add(w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
}

static void check_families(struct seccomp_writer *w)
{
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(SYS_socket, 0, 7));
	seccomp_writer_add(w, SECCOMP_LOAD(args[0]));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(AF_UNIX, 4, 0));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(AF_INET, 3, 0));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(AF_INET6, 2, 0));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(AF_NETLINK, 1, 0));	/* name service asks for the machine's addresses */
	seccomp_writer_add(w, SECCOMP_REFUSE(EAFNOSUPPORT));
	seccomp_writer_add(w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
}

int sandbox_filter(bool no_sockets, struct error *err)
{
	struct seccomp_writer w = { .n = 0 };

	seccomp_writer_begin(&w);
	if (no_sockets)
		seccomp_writer_add_calls(&w, networking, ELEMENTS(networking), SECCOMP_RET_ERRNO | EPERM);
	seccomp_writer_add_calls(&w, refused, ELEMENTS(refused), SECCOMP_RET_ERRNO | EPERM);
	if (!no_sockets)
		check_families(&w);
	check_clone(&w);
	seccomp_writer_add(&w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
	if (seccomp_writer_load(&w) < 0)
		return error_errno(err, "load the system call filter");
	return 0;
}

#else

int sandbox_filter(bool no_sockets, struct error *err)
{
	return 0;
}

#endif
