/* engine/network - which network a container gets, and the files that name hosts in it */
#ifndef BRYO_ENGINE_NETWORK_H
#define BRYO_ENGINE_NETWORK_H

#include "engine/container.h"
#include "net/net.h"

/* Parses --network and -p (with -P: the exposed ports too). s: of one that may run; NULL: it is to be started. */
int network_request(struct engine *e, const struct container *c, const struct container_state *s, struct net_request *ret,
		    struct error *err);
/* The network namespace's file to join for container:ID and ns:PATH; NULL for a namespace of its own or the host's. */
int network_namespace(struct engine *e, const struct net_request *r, char **ret_path, struct error *err);
/* Writes hosts, resolv.conf and hostname into the runtime directory. */
int network_write_files(struct engine *e, const struct container *c, const struct net_request *r,
			const struct net_result *result, int run_dir, struct error *err);
/* The text of resolv.conf; NULL with an empty error: the image's own file stays. */
char *network_resolv_conf(struct engine *e, const struct container *c, const struct net_request *r,
			  const struct net_result *result, struct error *err);
/* The published ports as container_state keeps them: "IP HOSTPORT CTRPORT PROTO". */
void network_port_texts(struct arena *arena, const struct net_request *r, struct strings *ret);
struct port_text { char *host_ip, *protocol; unsigned host_port, container_port; };
int network_port_parse(struct arena *arena, const char *text, struct port_text *ret);

#endif
