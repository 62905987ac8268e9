/* engine/launch - from a created container to a running one
 *
 * launch_prepare gathers everything while it can still be undone: root file system, user, volumes, network, cgroup,
 * configuration, plan, streams. launch_go forks the future monitor, which clones the container, connects its network,
 * records the state, lets it exec and becomes bryo-monitor. */
#ifndef BRYO_ENGINE_LAUNCH_H
#define BRYO_ENGINE_LAUNCH_H

#include "engine/network.h"
#include "engine/network_bridge.h"
#include "engine/oci_config.h"
#include "run/run.h"

struct launch {
	struct engine *e;
	struct container *c;
	int dir_fd;			/* containers/<id>, locked */
	int run_dir, lock_fd;		/* the runtime directory and the monitor's lock in it */
	struct rootfs rootfs;
	int root_mount, storage_pid;
	struct security security;
	struct id_maps maps;
	struct net_request net;
	struct net_result net_result;
	struct network_bridge bridges;	/* of NET_BRIDGE */
	char *netns_path;
	struct cgroup cgroup;
	int cgroup_fd;			/* its directory in the unified hierarchy */
	struct run_moments moments;	/* when its hierarchies of version 1 have to be joined */
	struct oci_spec *spec;
	struct run_plan *plan;
	int child_stdio[3], our_stdio[3];
	int client, monitor_client;	/* the two ends of the attached client's socket; -1 */
	uint8_t client_wants;
	bool client_removes;		/* the attached client removes the container: no cleanup while it is there */
	bool hold;			/* stop before exec and wait for launch_release */
	bool ordered;			/* hold: the order to start came; its connection takes the answer */
	int64_t restart_count;
};

struct launch_options {
	bool fresh;			/* just created: there is no earlier run to forget */
	bool dry;			/* for --plan: nothing is claimed or started */
	uint8_t attach;			/* ATTACH_WANT_*; 0: nobody */
	bool client_removes;
	bool hold;
	int64_t restart_count;
};

int launch_prepare(struct launch *l, struct engine *e, struct container *c, const struct launch_options *o,
		   struct error *err);
int launch_go(struct launch *l, struct error *err);
/* Lets a held container go; the socket that answers is an attached client's (as ATTACH_WANT_* say). */
int launch_release(int run_dir, uint8_t wants, int *ret_client, struct error *err);
/* Closes descriptors; after a failure also takes back what was made. */
void launch_done(struct launch *l, bool failed);

#endif
