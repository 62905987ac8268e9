#include "gateway/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/string.h"
#include "sys/caps.h"
#include "sys/seccomp.h"

int sandbox_drop_privileges(struct error *err)
{
	caps_set_ambient(0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || caps_set(0, 0, 0) < 0)
		return error_errno(err, "give up privileges");
	return 0;
}

/* The sanitizers need calls of their own. */
#if SECCOMP_BY_HAND && !defined(__SANITIZE_ADDRESS__)

static const int allowed[] = {
	SYS_splice, SYS_readv, SYS_write, SYS_writev, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg,
	SYS_epoll_pwait, SYS_epoll_ctl,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_connect, SYS_accept4, SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_shutdown,
	SYS_pipe2, SYS_fcntl, SYS_close,
	SYS_clock_gettime, SYS_restart_syscall, SYS_rt_sigreturn, SYS_exit_group,
};

#define LOAD(offset) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset)))
#define IF_EQUAL(value, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no)))
#define ANSWER(action) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (action)))

struct program { struct sock_filter v[128]; unsigned short n; };

static void add(struct program *p, struct sock_filter instruction)
{
	if (p->n < ELEMENTS(p->v))
		p->v[p->n++] = instruction;
}

int sandbox_enter(void)
{
	struct program p = { .n = 0 };

	add(&p, LOAD(offsetof(struct seccomp_data, arch)));
	add(&p, IF_EQUAL(SECCOMP_NATIVE, 1, 0));
	add(&p, ANSWER(SECCOMP_RET_KILL_PROCESS));
	add(&p, LOAD(offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < ELEMENTS(allowed); i++) {
		add(&p, IF_EQUAL((unsigned)allowed[i], 0, 1));
		add(&p, ANSWER(SECCOMP_RET_ALLOW));
	}
	add(&p, IF_EQUAL(SYS_socket, 0, 4));
	add(&p, LOAD(offsetof(struct seccomp_data, args[0])));	/* its low half: little-endian machines only */
	add(&p, IF_EQUAL(AF_INET, 1, 0));
	add(&p, IF_EQUAL(AF_INET6, 0, 1));
	add(&p, ANSWER(SECCOMP_RET_ALLOW));
	add(&p, ANSWER(SECCOMP_RET_ERRNO | EPERM));
	/* A kernel without seccomp is none of this machine's users' choice. */
	return seccomp_load_filter(p.v, p.n, 0) < 0 && errno != ENOSYS && errno != EINVAL ? -1 : 0;
}

#else

int sandbox_enter(void)
{
	return 0;
}

#endif
