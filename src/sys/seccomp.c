#include "sys/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

static int seccomp(unsigned operation, unsigned flags, void *argument)
{
	return (int)syscall(SYS_seccomp, operation, flags, argument);
}

int seccomp_load_filter(const struct sock_filter *instructions, size_t n, unsigned flags)
{
	struct sock_fprog program = {
		.len = (unsigned short)n,
		.filter = (struct sock_filter *)(void *)(unsigned long)instructions,
	};

	if (n == 0 || n > BPF_MAXINSNS) {
		errno = EINVAL;
		return -1;
	}
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

bool seccomp_has_action(uint32_t action)
{
	return seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 || errno != EOPNOTSUPP;
}

/* Flags are looked at before the program is: without one a known flag ends in EFAULT. */
bool seccomp_has_flag(unsigned flag)
{
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return seccomp(SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}
