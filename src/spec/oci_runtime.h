/* spec/oci_runtime - the OCI runtime configuration (config.json, runtime-spec 1.2 and what 1.3 adds) as structures and field tables
 *
 * The engine fills these structures for its own containers; `bryo oci` decodes them from a bundle. Both go to run/. */
#ifndef BRYO_SPEC_OCI_RUNTIME_H
#define BRYO_SPEC_OCI_RUNTIME_H

#include "base/json.h"

struct oci_box { uint64_t height, width; };

struct oci_user {
	uint64_t uid, gid;
	uint64_t *umask;
	ARRAY(uint64_t) additional_gids;
	char *username;
};

struct oci_capabilities { struct strings bounding, effective, inheritable, permitted, ambient; };
struct oci_rlimit { char *type; uint64_t hard, soft; };

struct oci_scheduler {
	char *policy;			/* SCHED_OTHER, SCHED_FIFO, ... */
	int64_t *nice;
	int64_t priority;
	struct strings flags;		/* SCHED_FLAG_* */
	uint64_t runtime, deadline, period;	/* nanoseconds */
};
struct oci_io_priority { char *class; int64_t priority; };	/* IOPRIO_CLASS_*, 0 to 7 */
struct oci_cpu_affinity { char *initial, *final; };	/* lists of processors: "0-3,7" */

struct oci_process {
	bool terminal;
	struct oci_box *console_size;
	struct oci_user user;
	struct strings args, env;
	char *cwd;
	struct oci_capabilities *capabilities;
	ARRAY(struct oci_rlimit) rlimits;
	bool no_new_privileges;
	char *apparmor_profile, *selinux_label;
	int64_t *oom_score_adj;
	struct oci_scheduler *scheduler;
	struct oci_io_priority *io_priority;
	struct oci_cpu_affinity *exec_cpu_affinity;
	struct json *rest;
};

struct oci_root { char *path; bool readonly; };

struct oci_id_mapping { uint64_t container_id, host_id, size; };

struct oci_mount {
	char *destination, *type, *source;
	struct strings options;
	ARRAY(struct oci_id_mapping) uid_mappings, gid_mappings;
	int ready;	/* not of the specification: the mount itself, to be attached in place of a copy of source's; 0: none */
};

struct oci_hook { char *path; struct strings args, env; int64_t *timeout; };
struct oci_hooks {
	ARRAY(struct oci_hook) prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct oci_namespace { char *type, *path; };	/* pid network mount ipc uts user cgroup time */

struct oci_device {
	char *type, *path;		/* "c" "b" "u" "p" */
	int64_t major, minor;
	uint64_t *file_mode, *uid, *gid;
};

struct oci_device_rule { bool allow; char *type; int64_t *major, *minor; char *access; };
struct oci_hugepage { char *page_size; uint64_t limit; };
struct oci_memory {
	int64_t *limit, *reservation, *swap, *kernel, *kernel_tcp;
	uint64_t *swappiness;
	bool *disable_oom_killer, *use_hierarchy, *check_before_update;
};
struct oci_cpu { uint64_t *shares, *burst; int64_t *quota, *realtime_runtime, *idle; uint64_t *period, *realtime_period; char *cpus, *mems; };
struct oci_pids { int64_t *limit; };
struct oci_weight_device { int64_t major, minor; uint64_t *weight, *leaf_weight; };
struct oci_throttle_device { int64_t major, minor; uint64_t rate; };
struct oci_block_io {
	uint64_t *weight, *leaf_weight;
	ARRAY(struct oci_weight_device) weight_device;
	ARRAY(struct oci_throttle_device) throttle_read_bps, throttle_write_bps, throttle_read_iops, throttle_write_iops;
};
struct oci_interface_priority { char *name; uint64_t priority; };
struct oci_network_resources { uint64_t *class_id; ARRAY(struct oci_interface_priority) priorities; };
struct oci_rdma { char *device; uint64_t *hca_handles, *hca_objects; };
struct oci_resources {
	ARRAY(struct oci_device_rule) devices;
	struct oci_memory *memory;
	struct oci_cpu *cpu;
	struct oci_pids *pids;
	struct oci_block_io *block_io;
	ARRAY(struct oci_hugepage) hugepage_limits;
	struct oci_network_resources *network;
	ARRAY(struct oci_rdma) rdma;
	struct string_map unified;
	struct json *rest;
};

struct oci_seccomp_arg { uint64_t index, value, value_two; char *op; };
struct oci_syscall {
	struct strings names;
	char *action;
	uint64_t *errno_ret;
	ARRAY(struct oci_seccomp_arg) args;
};
struct oci_seccomp {
	char *default_action;
	uint64_t *default_errno_ret;
	struct strings architectures, flags;
	char *listener_path, *listener_metadata;
	ARRAY(struct oci_syscall) syscalls;
};

struct oci_personality { char *domain; struct strings flags; };
struct oci_time_offset { char *clock; int64_t secs; uint64_t nanosecs; };	/* clock: monotonic, boottime */
struct oci_net_device { char *device, *name; };	/* device: as the host calls it; name: as the container does, NULL the same */
struct oci_memory_policy { char *mode, *nodes; struct strings flags; };	/* MPOL_*, "0-1", MPOL_F_* */
struct oci_intel_rdt {
	char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct strings schemata;
	bool enable_cmt, enable_mbm, enable_monitoring;
};

struct oci_linux {
	ARRAY(struct oci_id_mapping) uid_mappings, gid_mappings;
	struct string_map sysctl;
	struct oci_resources *resources;
	char *cgroups_path;
	ARRAY(struct oci_namespace) namespaces;
	ARRAY(struct oci_device) devices;
	struct oci_seccomp *seccomp;
	char *rootfs_propagation;
	struct strings masked_paths, readonly_paths;
	char *mount_label;
	struct oci_personality *personality;
	ARRAY(struct oci_time_offset) time_offsets;
	ARRAY(struct oci_net_device) net_devices;
	struct oci_memory_policy *memory_policy;
	struct oci_intel_rdt *intel_rdt;
	struct json *rest;
};

struct oci_spec {
	char *oci_version;
	struct oci_process *process;
	struct oci_root *root;
	char *hostname, *domainname;
	ARRAY(struct oci_mount) mounts;
	struct oci_hooks *hooks;
	struct string_map annotations;
	struct oci_linux *linux_;	/* "linux" is a macro of old compilers */
	struct json *rest;
};

extern const struct json_shape oci_spec_shape, oci_process_shape, oci_seccomp_shape, oci_resources_shape;

#endif
