#include "oci/handover.h"

#include "sys/fd.h"
#include "sys/unix_socket.h"

int handover_connect(const char *console_socket, const struct string_map *annotations, struct handover *ret,
		     struct error *err)
{
	const char *receiver = map_get(annotations, "run.oci.pidfd_receiver");

	*ret = (struct handover)HANDOVER_NONE;
	if (console_socket && (ret->console = unix_socket_connect(console_socket, "console socket", err)) < 0)
		return -1;
	if (str_is_empty(receiver))
		return 0;
	ret->pidfd = unix_socket_connect(receiver, ".annotations[\"run.oci.pidfd_receiver\"]:", err);
	return ret->pidfd < 0 ? -1 : 0;
}

int handover_send(struct handover *h, struct run_process *p, struct error *err)
{
	if (h->console >= 0) {
		if (unix_socket_send(h->console, p->console, "/dev/ptmx") < 0)
			return error_errno(err, "send the terminal to the console socket");
		fd_close(&p->console);
	}
	if (h->pidfd >= 0 && unix_socket_send(h->pidfd, p->pidfd, "pidfd") < 0)
		return error_errno(err, "send the process to the receiver of its pidfd");
	handover_close(h);
	return 0;
}

void handover_close(struct handover *h)
{
	fd_close(&h->console);
	fd_close(&h->pidfd);
}
