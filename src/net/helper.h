/* net/helper - pasta and slirp4netns as processes: chosen, started apart from the caller, recorded, ended
 *
 * A helper is detached (setsid), has init as its parent and a clean descriptor table, so it outlives the command and
 * its terminal. What it says while it starts goes to an anonymous file, which is sealed once it is ready: a container
 * that provokes warnings cannot fill anything. Its pid and start time are kept in the container's runtime directory,
 * so that it can be ended later without ever signalling a stranger. */
#ifndef BRYO_NET_HELPER_H
#define BRYO_NET_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/host.h"
#include "net/net.h"

struct helper {
	const char *program;
	const struct strings *argv;
	const int *pass;		/* descriptors it keeps */
	size_t pass_n;
	const char *runtime_dir;	/* also its working directory */
	pid_t netns_of;			/* > 0: this process's network namespace is shown to it as runtime_dir/netns */
	bool forks;			/* its first process ends when it is ready */
};

struct helper_process {
	pid_t pid;			/* of the first process */
	int exit_code;			/* of the first process when it forks */
	int log;			/* what it said; to be closed */
};

/* What the process in between reports: it starts a helper and ends at once, so that the helper belongs to init. */
struct helper_report {
	pid_t pid;
	int exit_code;
	struct error error;
};
/* Runs work in a process in between (in a fork of the caller: detached from the terminal, standing in runtime_dir) and
 * hands its report over. */
int helper_between(const char *what, const char *runtime_dir, void (*work)(void *argument, struct helper_report *ret),
		   void *argument, struct helper_report *ret, struct error *err);

/* The helper of --network private, and of containers where bridges do not work: see doc/design/network.md. */
enum net_mode helper_choose(struct arena *arena);

int helper_start(struct arena *arena, const struct helper *h, struct helper_process *ret, struct error *err);
/* What it said, as a few lines joined by "; "; "" when nothing. */
char *helper_words(struct arena *arena, int log);
/* The pure part: without empty lines and noise about the system log, the last three. */
char *helper_last_words(struct arena *arena, const char *text);
/* Sets the error of a helper that failed, and the cure when /dev/net/tun is the reason. Answers -1. */
int helper_failed(struct error *err, enum error_kind kind, const char *what, const char *words);
/* Forbids the log to grow; what the helper says later is lost. */
void helper_seal_log(int log);
/* Keeps pid and start time for net_stop, beside those of other helpers of the container. */
int helper_record(const char *runtime_dir, pid_t pid, struct error *err);

/* UDP ports that the user-mode stack does not publish well: a relay of our own. ret->keep_fd is made when it is -1; the
 * relay ends when that is closed. */
int udp_relay_start(struct arena *arena, const struct net_request *r, pid_t pid, const char *runtime_dir,
		    struct net_result *ret, struct error *err);
bool udp_relay_is_needed(const struct net_request *r);

/* --- one file a helper: its addresses, and its start */
int slirp4netns_plan(struct arena *arena, const struct net_request *r, const struct host_net *host,
		     struct net_result *ret, struct error *err);
int slirp4netns_start(struct arena *arena, const struct net_request *r, pid_t pid, const char *runtime_dir,
		      struct net_result *ret, struct error *err);
int pasta_plan(struct arena *arena, const struct net_request *r, const struct host_net *host, struct net_result *ret,
	       struct error *err);
int pasta_start(struct arena *arena, const struct net_request *r, pid_t pid, const char *runtime_dir,
		struct net_result *ret, struct error *err);
/* pasta's arguments after its name. `recent` says that this pasta knows --map-guest-addr (2024-10 and later), and so
 * forwards UDP well, too; the UDP ports of others are left to the relay. For the tests too. */
void pasta_arguments(struct arena *arena, const struct net_request *r, const struct host_net *host, bool recent,
		     const char *runtime_dir, struct strings *ret);

#endif
