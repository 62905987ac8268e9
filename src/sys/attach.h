/* sys/attach - what the engine and bryo-monitor say to each other
 *
 * Frames on a stream socket with Docker's 8-byte header (type, three zero bytes, big-endian length), so that the API
 * can pass them on. A client's first frame is ATTACH_HELLO with the streams it wants; a client that was connected
 * before the monitor started is described in monitor_config. The monitor's last frame is ATTACH_EXIT. */
#ifndef BRYO_SYS_ATTACH_H
#define BRYO_SYS_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum attach_type {
	ATTACH_STDIN = 0,	/* client: bytes for the container; length 0 closes its stdin */
	ATTACH_STDOUT = 1,	/* monitor: bytes of the container (a terminal's too) */
	ATTACH_STDERR = 2,
	ATTACH_RESIZE = 3,	/* client: rows, columns, two big-endian 16-bit numbers */
	ATTACH_HELLO = 4,	/* client: one byte of ATTACH_WANT_* */
	ATTACH_EXIT = 5,	/* monitor: struct attach_exit */
};
enum { ATTACH_WANT_STDIN = 1, ATTACH_WANT_STDOUT = 2, ATTACH_WANT_STDERR = 4 };
#define ATTACH_FRAME_MAX 32768

struct attach_exit { int32_t code; uint8_t oom_killed; uint8_t restarting; };	/* same machine: host byte order */

void attach_header(unsigned char header[8], enum attach_type type, uint32_t length);
/* -1 with EPROTO for an unknown type or a length above ATTACH_FRAME_MAX. */
int attach_parse_header(const unsigned char header[8], enum attach_type *ret_type, uint32_t *ret_length);
/* Blocking send of one frame. */
int attach_send(int fd, enum attach_type type, const void *p, uint32_t n);
/* Binds or connects the socket "attach" in a directory (through /proc/self/fd, so that long paths work). */
int attach_listen(int dirfd);
int attach_connect(int dirfd);
/* The same of "bypass", which takes seccomp listeners of the container's further processes, a datagram each. */
int attach_bypass_open(int dirfd);
int attach_bypass_connect(int dirfd);

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

/* All that bryo-monitor needs, as one flat block in a memfd whose number is its only argument. Descriptors are numbers
 * in the monitor; -1 is none. The monitor is the parent of the container's first process. */
#define MONITOR_CONFIG_MAGIC 0x62727931u
struct monitor_config {
	uint32_t magic, size;		/* MONITOR_CONFIG_MAGIC, sizeof(struct monitor_config) */
	char id[72];			/* container id, or exec session id */
	int32_t pid, pidfd;
	int32_t console;		/* pty master */
	int32_t stdin_fd, stdout_fd, stderr_fd;	/* the monitor's ends of the container's pipes */
	int32_t dir_fd;			/* containers/<id>: the log and the file `exit` go here */
	int32_t run_fd;			/* runtime directory: the socket `attach` goes here; lives until the monitor ends */
	int32_t lock_fd;		/* lock on run_fd/monitor.lock: held while the monitor lives */
	int32_t client_fd;		/* already attached client */
	uint8_t client_wants;		/* ATTACH_WANT_* */
	uint8_t keep_stdin;		/* -i: stdin stays open while nobody is attached */
	uint8_t stdin_once;		/* close stdin when the first client that had it detaches */
	uint8_t log_none;		/* --log-driver none */
	uint8_t wait_client;		/* do not read output before a client attached (attach before start) */
	int32_t keep_fd;		/* only kept open (slirp4netns' exit descriptor) */
	int32_t events_fd;		/* append-only event log; -1 none */
	int32_t cgroup_fd;		/* the container's cgroup directory, for memory.events; -1 none */
	int32_t forward_first;		/* published ports: a row of descriptors, see sys/forward.h */
	uint32_t forward_n;		/* how many; 0: none */
	int32_t bypass_fd;		/* seccomp listener of its connections; -1 none */
	int32_t bypass_door_fd;		/* attach_bypass_open: others, of processes that join the container */
	int32_t bypass_route_fd;	/* netlink socket in its network namespace */
	int32_t bypass_bridges_fd;	/* and in that of the bridges which it is on; -1 none */
	uint8_t bypass_on_link;		/* what it reaches without a gateway is outside, too */
	uint64_t log_max_size;		/* bytes, 0 none */
	char log_name[64];		/* in dir_fd, "ctr.log" */
	uint32_t timeout_s;		/* --timeout: kill after that many seconds; 0 never */
	int32_t restart;		/* enum restart_policy */
	uint32_t restart_max, restart_count;
	uint8_t cleanup;		/* run `bryo container cleanup ID` when the container ended for good */
	uint8_t removed_at_end;		/* --rm: the exit record need not last */
	uint8_t client_cleans;		/* ... unless client_fd's client does it: it is waited for */
	char bryo[4096];		/* the bryo program: `bryo container cleanup ID`, `bryo container restart-now ID` */
	char event[1536];		/* JSON members of the died event without braces: "\"name\":\"x\",..." */
};

/* The file `exit` beside config.json, one JSON object: {"exitCode":0,"oomKilled":false,"finishedAt":NS,"error":""} */

#endif
