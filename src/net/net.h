/* net/net - network namespaces and the ways out of them
 *
 * One container, one network namespace (unless it joins another's). `none` has loopback only; pasta and slirp4netns
 * connect it through a user-mode stack that ends with the namespace; published ports are theirs to forward. With a bridge
 * it is connected to one or several networks of containers (net/bridge), which the engine looks up and joins. */
#ifndef BRYO_NET_NET_H
#define BRYO_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"
#include "net/bridge.h"

enum net_mode { NET_NONE, NET_HOST, NET_CONTAINER, NET_PATH, NET_PASTA, NET_SLIRP4NETNS, NET_BRIDGE };

struct net_port {
	char *host_ip;			/* "" any */
	uint16_t host_port;		/* 0: chosen by net_claim_ports */
	uint16_t container_port;
	uint16_t range;			/* how many consecutive ports, >= 1 */
	char *protocol;			/* "tcp" "udp" */
	int *sockets;			/* NET_BRIDGE: one for each of the range, once they are claimed */
};

struct net_request {
	enum net_mode mode;
	char *target;			/* NET_CONTAINER: the other's name or id; NET_PATH: the namespace's file */
	struct strings options;		/* after the colon of --network pasta:... */
	ARRAY(struct bridge_request) networks;	/* NET_BRIDGE */
	bool by_default;		/* NET_BRIDGE: nobody asked for it, so a helper does where bridges do not work */
	bool bypass;			/* connections to the outside are made in the host's network: monitor/bypass */
	struct { struct net_port *v; size_t n; } ports;
	struct { int *v; size_t n; } inherited;	/* sockets that the container's last run has left to this one */
	/* For net_claim_ports: the name of the container that has published a port of the host; NULL: none that is known. */
	char *(*find_container)(void *context, unsigned port, const char *protocol);
	void *context;
};

/* "none", "host", "container:ID", "ns:PATH", "pasta[:opts]", "slirp4netns[:opts]", "private" (the one of these two that
 * this machine has and works best); "default" and "" are the default network; every other word is a network's name, also
 * "bridge". Networks are added to those of *ret. */
int net_parse_mode(struct arena *arena, const char *text, struct net_request *ret, struct error *err);
/* A helper in place of networks; false when none is installed. */
bool net_use_helper(struct arena *arena, struct net_request *r);
/* "pasta", "slirp4netns", "bridge" ...: the word for a mode. */
const char *net_mode_name(enum net_mode mode);
/* -p [[ip:][hostPort]:]containerPort[/proto], ranges "8000-8010:80-90", [v6]: forms. Appends. */
int net_parse_port(struct arena *arena, const char *text, struct net_request *ret, struct error *err);

struct net_result {
	char *ip, *gateway, *mac, *interface;	/* of the container; NULL for none, host */
	char *host_ip;				/* what host.containers.internal means; NULL */
	struct strings ips;			/* all of them, of several networks */
	struct strings dns;			/* nameservers to put in front in resolv.conf */
	bool dns_only;				/* they know the names of containers: nobody else is asked */
	struct strings search;			/* domains to put in front in resolv.conf */
	int helper_pid;				/* pasta or slirp4netns; 0 */
	int keep_fd;				/* closing it ends the helpers but pasta; -1. The monitor keeps it */
};

/* What the addresses will be (so that hosts and resolv.conf can be written before the container exists). */
int net_plan(struct arena *arena, const struct net_request *r, struct net_result *ret, struct error *err);
/* Checks that the published ports are free and allowed, and chooses those that are 0. In use: the error says so. With
 * NET_BRIDGE the sockets are kept: they listen already, and are to be closed. */
int net_claim_ports(struct arena *arena, struct net_request *r, struct error *err);
void net_close_sockets(struct net_request *r);
/* Whether net_start has anything to do. */
bool net_needs_start(const struct net_request *r);
/* Connects the namespace of process `pid` (which waits before exec): starts the helper, waits until it is ready. The
 * caller is uid 0 of the rootless namespace and stands in the host's network namespace. runtime_dir is the container's
 * own: the helper's pid ("network") and sockets go there. */
int net_start(struct arena *arena, const struct net_request *r, int pid, const char *runtime_dir,
	      struct net_result *ret, struct error *err);

/* Ends the helper that net_start left in this runtime directory, if it still runs; nothing happens when it does not. For
 * the end of a container and for cleaning up after a monitor that was killed. */
void net_stop(const char *runtime_dir);

/* The texts of /etc/hosts and /etc/resolv.conf by Podman's rules. base is the text of the host's file (or of --hosts-file) to
 * start from; NULL starts from nothing. NULL with an empty error: the image's own file stays (--no-hosts, --dns none). */
struct net_names {
	const char *hostname, *name;		/* of the container */
	struct strings add_host;		/* "name:ip", "name:host-gateway" */
	struct strings others;			/* containers on the same networks: "ADDRESS NAME NAME..." */
	struct strings dns, dns_search, dns_options;
	bool no_hosts;
};
char *net_hosts(struct arena *arena, const struct net_request *r, const struct net_names *names,
		const struct net_result *result, const char *base, struct error *err);
char *net_resolv_conf(struct arena *arena, const struct net_request *r, const struct net_names *names,
		      const struct net_result *result, const char *base, struct error *err);

#endif
