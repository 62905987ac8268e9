/* engine/create_request - what a user asks of a new container, in the words of the command line
 *
 * cli/ fills it from option tables, api/ from JSON; it is kept in the container's config.json, so that a restart
 * decides again with what is true then. Texts are as the user wrote them; engine/ parses and checks them. */
#ifndef BRYO_ENGINE_CREATE_REQUEST_H
#define BRYO_ENGINE_CREATE_REQUEST_H

#include "base/json.h"

struct create_request {
	char *image;			/* name, id, or with `rootfs` a directory */
	struct strings command;
	char *name, *hostname, *domainname, *user, *workdir, *entrypoint;	/* entrypoint: NULL unset, "" cleared, or JSON list */
	bool detach, interactive, tty, rm, rmi, init, read_only, privileged, publish_all, no_hosts, no_hostname, replace, quiet;
	bool rootfs, env_host, unsetenv_all, no_healthcheck, plan;
	bool no_http_proxy, no_read_only_tmpfs, no_sig_proxy, no_passwd;	/* negated so that zero is the default */
	struct strings env, env_file, unsetenv;
	struct strings volumes, mounts, tmpfs, volumes_from;
	struct strings publish, expose, network, network_alias, dns, dns_search, dns_option, add_host;
	struct strings label, label_file, annotation;
	struct strings cap_add, cap_drop, security_opt, device, ulimit, group_add, sysctl;
	struct strings uidmap, gidmap, log_opt, attach, passwd_entry, group_entry, hostuser;
	char *userns, *pid, *ipc, *uts, *cgroupns, *cgroups, *cgroup_parent, *subuidname, *subgidname;
	char *ip, *ip6, *mac_address;
	char *memory, *memory_swap, *memory_reservation, *cpus, *cpu_shares, *cpu_period, *cpu_quota, *cpuset_cpus,
		*cpuset_mems, *pids_limit, *shm_size, *oom_score_adj, *blkio_weight;
	struct strings blkio_weight_device, device_read_bps, device_write_bps, device_read_iops, device_write_iops, cgroup_conf;
	char *log_driver, *restart, *stop_signal, *stop_timeout, *timeout;
	char *cidfile, *pidfile, *detach_keys, *init_path, *hosts_file, *tz, *umask, *systemd, *image_volume;
	char *pull, *platform, *arch, *os, *variant, *authfile, *tls_verify, *signature_policy;
	char *preserve_fds, *runtime;
	char *hints;			/* of the command line alone: "never", "auto" */
	bool explain;			/* the same: watch it */
};

extern const struct json_shape create_request_shape;

#endif
