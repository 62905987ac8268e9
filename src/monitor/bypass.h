/* monitor/bypass - connections of the container that are made in the host's network
 *
 * The container's filter (run/bypass_filter) notifies of connect(2). Of a call that leads out of the container's
 * networks the monitor makes a socket of its own, locks it to that way out and puts it in the place of the caller's; any
 * other, and whatever goes wrong, is continued, and takes the normal path. It notifies of listen(2) too, which the monitor
 * makes itself and never for a socket that it gave. What a container may try, and what protects the host:
 * doc/design/socket-bypass.md.
 *
 * bypass.c: the call, and its answer. bypass_target.c: pure: may this address be bypassed, and the lock's filter.
 * bypass_process.c: the calling process: memory, descriptors. bypass_socket.c: the two sockets. bypass_accept.c: the
 * container's accept(2), where its ports are published: it is given the client whom the forwarder offers (monitor/offer.h). */
#ifndef BRYO_MONITOR_BYPASS_H
#define BRYO_MONITOR_BYPASS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/monitor.h"

struct seccomp_notif;

/* --- bypass_target.c */

/* Where a call wants to go. */
struct target {
	union {
		struct sockaddr head;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage any;
	};
	socklen_t size;			/* 0: no address of the internet */
	bool is_v4;			/* by address, not by family: a mapped one is */
	struct in_addr v4;
};

/* Takes the address apart, as the kernel would. false: not one of the internet's, or one that must never be bypassed. */
bool target_parse(struct target *ret, const void *address, size_t size);
/* What the container's own routes say of it. on_link: what needs no gateway is outside, too. */
bool target_is_outside(const struct target *t, int route_socket, bool on_link);
/* What the routes of the user's bridges say: only their default route leads there. */
bool target_is_beyond_bridges(const struct target *t, int route_socket);
/* The network device that leads there, by the routes of the socket's network; 0: none, or only the loopback. */
uint32_t target_device(const struct target *t, int route_socket);
/* Both answers in one, remembered for a second: 0 also where it is not outside. */
uint32_t target_bypass(const struct target *t, const struct monitor *m);
/* The device alone. */
uint32_t target_way(const struct target *t, const struct monitor *m);

/* --- bypass_process.c */

/* Its effective ids, as we see them. */
bool caller_ids(pid_t pid, uid_t *ret_uid, gid_t *ret_gid);
/* The memory of a process; false unless all of it came. */
bool caller_read(pid_t pid, uint64_t address, void *p, size_t n);
/* Writing: the memory is opened while the call is known to wait, since a number may come to mean another process. -1. */
int caller_memory(pid_t pid);
bool caller_write(int memory, uint64_t address, const void *p, size_t n);
/* Could it open one more descriptor? true also where that cannot be told, before kernel 6.2. */
bool caller_has_room(pid_t pid);
/* Its descriptor, as one of ours. -1 with errno. */
int caller_take(pid_t pid, int number);
/* Is its descriptor close-on-exec? -1 when that cannot be told. */
int caller_closes_on_exec(pid_t pid, int number);

struct epoll_place {			/* of a descriptor in an epoll set of its process */
	int epoll;			/* the set's number there; -1: in none */
	uint32_t events;
	uint64_t data;
};
/* Who else in the process knows the socket with this inode: false when that is too much to find out, or more than one
 * epoll set, or a second descriptor. */
bool caller_knows_once(pid_t pid, int number, uint64_t inode, struct epoll_place *ret);

/* --- bypass_socket.c */

struct own_socket {			/* the caller's, and the one that replaces it */
	int fd;
	int domain;
	int flags;			/* O_NONBLOCK */
	bool has_timeout;		/* SO_SNDTIMEO: how long connect waits */
	bool is_host;			/* it is in the monitor's network already: handed over before */
	bool seldom;			/* it may have options that few have ... */
	bool has_seldom;		/* ... and had one, when it was replaced */
};
/* Looks at the caller's: TCP, in the container's network or (handed over) the host's, neither bound nor connected nor
 * special. false: leave it alone. */
bool own_socket_examine(struct own_socket *s, int fd, uint64_t container_cookie, bool seldom);
uint64_t own_socket_cookie(int fd);	/* of its network; 0: this kernel does not tell */
bool own_socket_is_listener(int fd, uint64_t container_cookie);	/* of the internet's families, in the container's network */
/* A socket in the host's network, locked to a device and a port, with the other's options. -1. */
int own_socket_twin(struct own_socket *s, uint32_t device);
/* Makes the caller's socket listen, whatever it is: a unix socket's peers are told of the caller's ids. An errno, or 0. */
int own_socket_listen(int fd, int backlog, pid_t caller);
/* The same in the container's network, without a lock. -1. */
int own_socket_inner(struct own_socket *s, int route_socket);
/* What had to wait until it is connected or connects. */
void own_socket_finish(const struct own_socket *s, int twin);
/* Makes a client that was accepted in the host's network what the container's listening socket would have accepted: its
 * family and options; and locks it to the device, by which it must have come. */
int own_socket_adopt(int client, int listener, uint32_t device, bool seldom);

/* --- bypass_port.c */

void port_prepare(void);
int port_lock(int fd, int domain);	/* binds it to a port for good; -1 */

/* --- bypass_accept.c */

/* What becomes of a call, besides an errno or 0: the kernel makes it; it has been answered. */
enum { CALL_CONTINUES = -1, CALL_IS_ANSWERED = -2 };
void accept_prepare(void);
int accept_for(struct monitor *m, int notify, const struct seccomp_notif *n);

#endif
