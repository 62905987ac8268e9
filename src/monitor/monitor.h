/* monitor - the one process that stays beside a running container
 *
 * bryo-monitor is the parent of the container's first process. One epoll loop moves the container's output into the log
 * and to attached clients, and the clients' input into the container; at the container's end it records the exit and
 * restarts, cleans up or leaves. It takes everything from a struct monitor_config (sys/attach.h), allocates nothing,
 * and keeps no page it does not need: there may be a hundred of it.
 *
 * Flow: output is read only while every client's queue is empty, so a client that stops reading stops the container,
 * as a pipe does. The client that `run` connected may do that for ever; any other is dropped after STALL_MS. */
#ifndef BRYO_MONITOR_MONITOR_H
#define BRYO_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/run.h"
#include "sys/attach.h"
#include "sys/log.h"

#define MONITOR_CLIENTS 32
#define STALL_MS 10000
#define IDLE_MS 1000
#define PARK_MS 500
#define BYPASS_LISTENERS 64

enum tag {
	TAG_SIGNAL, TAG_EXIT, TAG_LISTENER, TAG_OUTPUT, TAG_INPUT, TAG_CLIENT, TAG_PORTS, TAG_FORWARDER, TAG_BYPASS,
	TAG_BYPASS_DOOR
};

struct client {
	int fd;				/* -1: free */
	bool foreground;		/* connected before the monitor started */
	bool lost;			/* its end of the socket is closed */
	uint8_t wants;
	enum attach_type type;		/* the frame being received */
	unsigned char header[8], payload[8];
	uint32_t header_n, payload_n, left;
	uint32_t begin, end;		/* what is queued for it */
	int64_t progress_ms;		/* when the queue last moved */
	uint32_t watched;
};

struct output {
	int fd;				/* -1: ended or not there */
	enum attach_type type;
	enum log_stream stream;
	bool watched;
	int64_t parked_until_ms;	/* a terminal that nobody has open for the moment */
};

struct input {
	int fd;
	uint32_t begin, end;
	bool ending;			/* close when the queue is empty */
	bool watched;
};

#define CHUNK_SIZE ATTACH_FRAME_MAX
#define INPUT_SIZE ATTACH_FRAME_MAX
#define QUEUE_SIZE (192 * 1024)		/* above a chunk and what two pipes hold, so that an ended container's output fits */

/* Large and seldom touched: given back to the kernel when nothing happens. */
struct buffers {
	char chunk[CHUNK_SIZE];
	char input[INPUT_SIZE];
	char queue[MONITOR_CLIENTS][QUEUE_SIZE];
};

struct forward_plan;
struct offers;

/* Published ports, and the process that serves them while it is needed: see monitor/forward.h. */
struct ports {
	const struct forward_plan *plan;	/* NULL: none are published */
	struct offers *offers;		/* shared with the forwarder; NULL: no socket bypass */
	int epoll;			/* the ports' sockets; shared with the forwarder */
	int pid, pidfd;			/* of the forwarder; -1 */
	int64_t begun_ms, again_ms;	/* its start; when the next may be started, 0: at once */
};

struct monitor {
	struct monitor_config config;
	int epoll, signals, listener;
	int64_t started_ms;
	bool attached;			/* some client said what it wants */
	bool terminated;		/* somebody ended the monitor: no restart */
	bool exited;
	bool memory_used;		/* more than the waiting loop needs */
	int exit_code;
	bool log_is_wanted, log_is_open;
	struct log_writer log;
	struct output output[2];
	struct input input;
	struct client client[MONITOR_CLIENTS];
	struct ports ports;
	int bypass[BYPASS_LISTENERS];	/* listeners; 0 or -1: free */
	int host_routes;		/* netlink socket in the monitor's network */
	uint64_t container_cookie;	/* of the container's network */
	bool bypass_seldom;		/* it has set an option of sys/bypass_options.h */
	bool bypass_family_known[2];	/* IPv4, IPv6: what a new socket of its has */
	struct buffers *buffers;
	void (*release_code)(void);
};

/* loop.c */
int64_t monitor_now_ms(void);
/* events 0 stops watching: EPOLLHUP is reported even for an empty mask. */
void monitor_watch(struct monitor *m, int fd, enum tag tag, unsigned index, uint32_t events);
bool monitor_sleep(struct monitor *m, int64_t ms);	/* false when it was cut short by a signal or by `stopped` */

/* streams.c */
void streams_open(struct monitor *m);
void streams_update(struct monitor *m);			/* watches what may be read now */
void streams_read(struct monitor *m, unsigned index);
void streams_drain(struct monitor *m);			/* after the exit: everything there is, as far as queues have room */
bool streams_are_done(const struct monitor *m);
void input_flush(struct monitor *m);
void input_close(struct monitor *m);			/* end of file for the container, after what is queued */
void streams_close(struct monitor *m);

/* clients.c */
void clients_open(struct monitor *m);
void clients_accept(struct monitor *m);
void clients_event(struct monitor *m, unsigned index, uint32_t events);
void clients_send(struct monitor *m, enum attach_type type, const void *p, uint32_t n);
void clients_update(struct monitor *m);
bool clients_are_idle(const struct monitor *m);		/* nothing queued */
bool clients_have_room(const struct monitor *m);		/* for one more chunk, as far as the foreground client counts */
void clients_drop_stalled(struct monitor *m);
/* Waits until the client that was there from the start closes its socket; false when it is not there. */
bool clients_await_foreground(struct monitor *m);
void clients_close(struct monitor *m);

/* forward.c */
void ports_open(struct monitor *m);
void ports_client(struct monitor *m);			/* one has come: the forwarder is started */
void ports_ended(struct monitor *m);			/* the forwarder is no more */
void ports_retry(struct monitor *m);
void ports_close(struct monitor *m);

/* bypass.c */
void bypass_open(struct monitor *m);
void bypass_accept(struct monitor *m);			/* a further listener */
void bypass_event(struct monitor *m, unsigned index, uint32_t events);	/* one call of the container's */
void bypass_close(struct monitor *m);

/* ending.c */
bool ending_restart_is_wanted(struct monitor *m);
void ending_record(struct monitor *m, bool restarting);
/* Does the container's directory still have its configuration? */
bool ending_is_container_there(const struct monitor *m);
void ending_leave(struct monitor *m, bool restarting) __attribute__((noreturn));

#endif
