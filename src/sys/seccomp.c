#include "sys/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
