#include "run/bypass_filter.h"

#include <linux/seccomp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "run/seccomp_machine.h"
#include "sys/seccomp.h"

/* Without the first a signal could come between the replacing of a descriptor and the answer. */
#define FLAGS (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW(argument) (offsetof(struct seccomp_data, args[argument]))
#else
#define LOW(argument) (offsetof(struct seccomp_data, args[argument]) + 4)
#endif

const struct sock_filter bypass_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_MACHINE_NATIVE, 0, 6),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(2)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, sizeof(struct sockaddr_in), 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, sizeof(struct sockaddr_in6), 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, sizeof(struct sockaddr_storage), 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};
const size_t bypass_filter_n = sizeof(bypass_filter) / sizeof(bypass_filter[0]);

bool bypass_filter_is_possible(void)
{
	return seccomp_has_action(SECCOMP_RET_USER_NOTIF) && seccomp_has_flag(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

static int send_listener(int socket, int listener)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { (char[1]){ 0 }, 1 };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &listener, sizeof(int));
	return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

int bypass_filter_load(int socket)
{
	int result, listener = seccomp_load_filter(bypass_filter, bypass_filter_n, FLAGS);

	if (listener < 0)
		return 0;
	result = send_listener(socket, listener);
	close(listener);
	close(socket);
	return result;
}
