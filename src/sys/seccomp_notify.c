#include "sys/seccomp_notify.h"

#include <string.h>
#include <sys/ioctl.h>

#include "sys/fd.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

int seccomp_notify_receive(int listener, struct seccomp_notif *ret)
{
	memset(ret, 0, sizeof(*ret));	/* the kernel insists */
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, ret);
}

bool seccomp_notify_is_valid(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int seccomp_notify_replace(int listener, uint64_t id, int fd, int number, unsigned flags)
{
	struct seccomp_notif_addfd a = { .id = id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)fd,
					 .newfd = (uint32_t)number, .newfd_flags = flags };

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a) < 0 ? -1 : 0;
}

static int respond(int listener, const struct seccomp_notif_resp *response)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
}

int seccomp_notify_give(int listener, uint64_t id, int *fd, unsigned flags)
{
	struct seccomp_notif_addfd a = { .id = id, .srcfd = (uint32_t)*fd, .newfd_flags = flags };
	int number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);

	if (number < 0)
		return -1;
	fd_close(fd);
	return respond(listener, &(struct seccomp_notif_resp){ .id = id, .val = number });
}

int seccomp_notify_answer(int listener, uint64_t id, int number)
{
	return respond(listener, &(struct seccomp_notif_resp){ .id = id, .error = -number });
}

int seccomp_notify_continue(int listener, uint64_t id)
{
	return respond(listener, &(struct seccomp_notif_resp){ .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE });
}

void seccomp_notify_stay_near(int listener)
{
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}
