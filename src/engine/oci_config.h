/* engine/oci_config - the OCI runtime configuration of one start of a container
 *
 * Follows Podman's default profile: 11 capabilities, masked and read-only paths, mounts, /dev, variables, rlimits. */
#ifndef BRYO_ENGINE_OCI_CONFIG_H
#define BRYO_ENGINE_OCI_CONFIG_H

#include "engine/network.h"
#include "engine/security.h"
#include "engine/user.h"
#include "spec/oci_runtime.h"

#define SELINUX_PATH "/sys/fs/selinux"

struct oci_inputs {
	const struct container *c;
	const struct net_request *net;
	const char *netns_path;		/* to join; NULL: of its own, or the host's */
	const char *run_path;		/* the container's runtime directory: sources of hosts, resolv.conf ... */
	const char *dir_path;		/* containers/<id> */
	const struct passwd_user *user;
	const struct user_files *files;
	const struct security *security;
	const struct id_maps *maps;	/* second level; empty: none */
	const char *userns_path;	/* to join, with these maps; NULL: a namespace of its own when there are maps */
};

/* What a process of that user gets of the capabilities that a request asks for. */
int oci_config_capabilities(struct arena *arena, const struct create_request *r, uint32_t uid, struct oci_capabilities *ret,
			    struct error *err);
struct oci_spec *oci_config(struct engine *e, const struct oci_inputs *in, struct error *err);

#endif
