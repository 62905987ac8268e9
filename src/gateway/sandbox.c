#include "gateway/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/string.h"
#include "sys/caps.h"
#include "sys/seccomp_writer.h"

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

int sandbox_enter(void)
{
	struct seccomp_writer w = { .n = 0 };

	seccomp_writer_begin(&w);
	seccomp_writer_add_calls(&w, allowed, ELEMENTS(allowed), SECCOMP_RET_ALLOW);
	seccomp_writer_add(&w, SECCOMP_IF_EQUAL(SYS_socket, 0, 4));
	seccomp_writer_add(&w, SECCOMP_LOAD(args[0]));
	seccomp_writer_add(&w, SECCOMP_IF_EQUAL(AF_INET, 1, 0));
	seccomp_writer_add(&w, SECCOMP_IF_EQUAL(AF_INET6, 0, 1));
	seccomp_writer_add(&w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
	seccomp_writer_add(&w, SECCOMP_REFUSE(EPERM));
	return seccomp_writer_load(&w);
}

#else

int sandbox_enter(void)
{
	return 0;
}

#endif
