#include "spec/oci_runtime.h"

#define F JSON_FIELD

JSON_SHAPE(oci_box, F(oci_box, height, "height", T_UINT, .always = true), F(oci_box, width, "width", T_UINT, .always = true));

JSON_SHAPE(oci_user,
	F(oci_user, uid, "uid", T_UINT, .always = true),
	F(oci_user, gid, "gid", T_UINT, .always = true),
	F(oci_user, umask, "umask", T_OPT_UINT),
	F(oci_user, additional_gids, "additionalGids", T_UINTS),
	F(oci_user, username, "username", T_STRING));

JSON_SHAPE(oci_capabilities,
	F(oci_capabilities, bounding, "bounding", T_STRINGS),
	F(oci_capabilities, effective, "effective", T_STRINGS),
	F(oci_capabilities, inheritable, "inheritable", T_STRINGS),
	F(oci_capabilities, permitted, "permitted", T_STRINGS),
	F(oci_capabilities, ambient, "ambient", T_STRINGS));

JSON_SHAPE(oci_rlimit,
	F(oci_rlimit, type, "type", T_STRING, .required = true),
	F(oci_rlimit, hard, "hard", T_UINT, .required = true, .always = true),
	F(oci_rlimit, soft, "soft", T_UINT, .required = true, .always = true));

JSON_SHAPE(oci_scheduler,
	F(oci_scheduler, policy, "policy", T_STRING, .required = true),
	F(oci_scheduler, nice, "nice", T_OPT_INT),
	F(oci_scheduler, priority, "priority", T_INT),
	F(oci_scheduler, flags, "flags", T_STRINGS),
	F(oci_scheduler, runtime, "runtime", T_UINT),
	F(oci_scheduler, deadline, "deadline", T_UINT),
	F(oci_scheduler, period, "period", T_UINT));

JSON_SHAPE(oci_io_priority,
	F(oci_io_priority, class, "class", T_STRING, .required = true),
	F(oci_io_priority, priority, "priority", T_INT, .always = true));

JSON_SHAPE(oci_cpu_affinity,
	F(oci_cpu_affinity, initial, "initial", T_STRING),
	F(oci_cpu_affinity, final, "final", T_STRING));

JSON_SHAPE(oci_process,
	F(oci_process, terminal, "terminal", T_BOOL),
	F(oci_process, console_size, "consoleSize", T_OBJECT, .shape = &oci_box_shape),
	F(oci_process, user, "user", T_EMBED, .shape = &oci_user_shape),
	F(oci_process, args, "args", T_STRINGS),
	F(oci_process, env, "env", T_STRINGS),
	F(oci_process, cwd, "cwd", T_STRING, .required = true, .always = true),
	F(oci_process, capabilities, "capabilities", T_OBJECT, .shape = &oci_capabilities_shape),
	F(oci_process, rlimits, "rlimits", T_OBJECTS, .shape = &oci_rlimit_shape),
	F(oci_process, no_new_privileges, "noNewPrivileges", T_BOOL),
	F(oci_process, apparmor_profile, "apparmorProfile", T_STRING),
	F(oci_process, selinux_label, "selinuxLabel", T_STRING),
	F(oci_process, oom_score_adj, "oomScoreAdj", T_OPT_INT),
	F(oci_process, scheduler, "scheduler", T_OBJECT, .shape = &oci_scheduler_shape),
	F(oci_process, io_priority, "ioPriority", T_OBJECT, .shape = &oci_io_priority_shape),
	F(oci_process, exec_cpu_affinity, "execCPUAffinity", T_OBJECT, .shape = &oci_cpu_affinity_shape),
	F(oci_process, rest, "", T_REST));

JSON_SHAPE(oci_root,
	F(oci_root, path, "path", T_STRING, .required = true, .always = true),
	F(oci_root, readonly, "readonly", T_BOOL));

JSON_SHAPE(oci_id_mapping,
	F(oci_id_mapping, container_id, "containerID", T_UINT, .required = true, .always = true),
	F(oci_id_mapping, host_id, "hostID", T_UINT, .required = true, .always = true),
	F(oci_id_mapping, size, "size", T_UINT, .required = true, .always = true));

JSON_SHAPE(oci_mount,
	F(oci_mount, destination, "destination", T_STRING, .required = true),
	F(oci_mount, type, "type", T_STRING),
	F(oci_mount, source, "source", T_STRING),
	F(oci_mount, options, "options", T_STRINGS),
	F(oci_mount, uid_mappings, "uidMappings", T_OBJECTS, .shape = &oci_id_mapping_shape),
	F(oci_mount, gid_mappings, "gidMappings", T_OBJECTS, .shape = &oci_id_mapping_shape));

JSON_SHAPE(oci_hook,
	F(oci_hook, path, "path", T_STRING, .required = true),
	F(oci_hook, args, "args", T_STRINGS),
	F(oci_hook, env, "env", T_STRINGS),
	F(oci_hook, timeout, "timeout", T_OPT_INT));

JSON_SHAPE(oci_hooks,
	F(oci_hooks, prestart, "prestart", T_OBJECTS, .shape = &oci_hook_shape),
	F(oci_hooks, create_runtime, "createRuntime", T_OBJECTS, .shape = &oci_hook_shape),
	F(oci_hooks, create_container, "createContainer", T_OBJECTS, .shape = &oci_hook_shape),
	F(oci_hooks, start_container, "startContainer", T_OBJECTS, .shape = &oci_hook_shape),
	F(oci_hooks, poststart, "poststart", T_OBJECTS, .shape = &oci_hook_shape),
	F(oci_hooks, poststop, "poststop", T_OBJECTS, .shape = &oci_hook_shape));

JSON_SHAPE(oci_namespace,
	F(oci_namespace, type, "type", T_STRING, .required = true),
	F(oci_namespace, path, "path", T_STRING));

JSON_SHAPE(oci_device,
	F(oci_device, type, "type", T_STRING, .required = true),
	F(oci_device, path, "path", T_STRING, .required = true),
	F(oci_device, major, "major", T_INT),
	F(oci_device, minor, "minor", T_INT),
	F(oci_device, file_mode, "fileMode", T_OPT_UINT),
	F(oci_device, uid, "uid", T_OPT_UINT),
	F(oci_device, gid, "gid", T_OPT_UINT));

JSON_SHAPE(oci_device_rule,
	F(oci_device_rule, allow, "allow", T_BOOL, .required = true, .always = true),
	F(oci_device_rule, type, "type", T_STRING),
	F(oci_device_rule, major, "major", T_OPT_INT),
	F(oci_device_rule, minor, "minor", T_OPT_INT),
	F(oci_device_rule, access, "access", T_STRING));

JSON_SHAPE(oci_hugepage,
	F(oci_hugepage, page_size, "pageSize", T_STRING, .required = true),
	F(oci_hugepage, limit, "limit", T_UINT, .required = true, .always = true));

JSON_SHAPE(oci_memory,
	F(oci_memory, limit, "limit", T_OPT_INT),
	F(oci_memory, reservation, "reservation", T_OPT_INT),
	F(oci_memory, swap, "swap", T_OPT_INT),
	F(oci_memory, kernel, "kernel", T_OPT_INT),
	F(oci_memory, kernel_tcp, "kernelTCP", T_OPT_INT),
	F(oci_memory, swappiness, "swappiness", T_OPT_UINT),
	F(oci_memory, disable_oom_killer, "disableOOMKiller", T_OPT_BOOL),
	F(oci_memory, use_hierarchy, "useHierarchy", T_OPT_BOOL),
	F(oci_memory, check_before_update, "checkBeforeUpdate", T_OPT_BOOL));

JSON_SHAPE(oci_cpu,
	F(oci_cpu, shares, "shares", T_OPT_UINT),
	F(oci_cpu, quota, "quota", T_OPT_INT),
	F(oci_cpu, burst, "burst", T_OPT_UINT),
	F(oci_cpu, period, "period", T_OPT_UINT),
	F(oci_cpu, realtime_runtime, "realtimeRuntime", T_OPT_INT),
	F(oci_cpu, realtime_period, "realtimePeriod", T_OPT_UINT),
	F(oci_cpu, cpus, "cpus", T_STRING),
	F(oci_cpu, mems, "mems", T_STRING),
	F(oci_cpu, idle, "idle", T_OPT_INT));

JSON_SHAPE(oci_pids, F(oci_pids, limit, "limit", T_OPT_INT));

JSON_SHAPE(oci_weight_device,
	F(oci_weight_device, major, "major", T_INT, .required = true, .always = true),
	F(oci_weight_device, minor, "minor", T_INT, .required = true, .always = true),
	F(oci_weight_device, weight, "weight", T_OPT_UINT),
	F(oci_weight_device, leaf_weight, "leafWeight", T_OPT_UINT));

JSON_SHAPE(oci_throttle_device,
	F(oci_throttle_device, major, "major", T_INT, .required = true, .always = true),
	F(oci_throttle_device, minor, "minor", T_INT, .required = true, .always = true),
	F(oci_throttle_device, rate, "rate", T_UINT, .required = true, .always = true));

JSON_SHAPE(oci_block_io,
	F(oci_block_io, weight, "weight", T_OPT_UINT),
	F(oci_block_io, leaf_weight, "leafWeight", T_OPT_UINT),
	F(oci_block_io, weight_device, "weightDevice", T_OBJECTS, .shape = &oci_weight_device_shape),
	F(oci_block_io, throttle_read_bps, "throttleReadBpsDevice", T_OBJECTS, .shape = &oci_throttle_device_shape),
	F(oci_block_io, throttle_write_bps, "throttleWriteBpsDevice", T_OBJECTS, .shape = &oci_throttle_device_shape),
	F(oci_block_io, throttle_read_iops, "throttleReadIOPSDevice", T_OBJECTS, .shape = &oci_throttle_device_shape),
	F(oci_block_io, throttle_write_iops, "throttleWriteIOPSDevice", T_OBJECTS, .shape = &oci_throttle_device_shape));

JSON_SHAPE(oci_interface_priority,
	F(oci_interface_priority, name, "name", T_STRING, .required = true),
	F(oci_interface_priority, priority, "priority", T_UINT, .required = true, .always = true));

JSON_SHAPE(oci_network_resources,
	F(oci_network_resources, class_id, "classID", T_OPT_UINT),
	F(oci_network_resources, priorities, "priorities", T_OBJECTS, .shape = &oci_interface_priority_shape));

JSON_SHAPE(oci_rdma,
	F(oci_rdma, device, "", T_KEY),
	F(oci_rdma, hca_handles, "hcaHandles", T_OPT_UINT),
	F(oci_rdma, hca_objects, "hcaObjects", T_OPT_UINT));

JSON_SHAPE(oci_resources,
	F(oci_resources, devices, "devices", T_OBJECTS, .shape = &oci_device_rule_shape),
	F(oci_resources, memory, "memory", T_OBJECT, .shape = &oci_memory_shape),
	F(oci_resources, cpu, "cpu", T_OBJECT, .shape = &oci_cpu_shape),
	F(oci_resources, pids, "pids", T_OBJECT, .shape = &oci_pids_shape),
	F(oci_resources, block_io, "blockIO", T_OBJECT, .shape = &oci_block_io_shape),
	F(oci_resources, hugepage_limits, "hugepageLimits", T_OBJECTS, .shape = &oci_hugepage_shape),
	F(oci_resources, network, "network", T_OBJECT, .shape = &oci_network_resources_shape),
	F(oci_resources, rdma, "rdma", T_OBJECT_MAP, .shape = &oci_rdma_shape),
	F(oci_resources, unified, "unified", T_MAP),
	F(oci_resources, rest, "", T_REST));

JSON_SHAPE(oci_seccomp_arg,
	F(oci_seccomp_arg, index, "index", T_UINT, .required = true, .always = true),
	F(oci_seccomp_arg, value, "value", T_UINT, .required = true, .always = true),
	F(oci_seccomp_arg, value_two, "valueTwo", T_UINT),
	F(oci_seccomp_arg, op, "op", T_STRING, .required = true));

JSON_SHAPE(oci_syscall,
	F(oci_syscall, names, "names", T_STRINGS, .required = true),
	F(oci_syscall, action, "action", T_STRING, .required = true),
	F(oci_syscall, errno_ret, "errnoRet", T_OPT_UINT),
	F(oci_syscall, args, "args", T_OBJECTS, .shape = &oci_seccomp_arg_shape));

JSON_SHAPE(oci_seccomp,
	F(oci_seccomp, default_action, "defaultAction", T_STRING, .required = true),
	F(oci_seccomp, default_errno_ret, "defaultErrnoRet", T_OPT_UINT),
	F(oci_seccomp, architectures, "architectures", T_STRINGS),
	F(oci_seccomp, flags, "flags", T_STRINGS),
	F(oci_seccomp, listener_path, "listenerPath", T_STRING),
	F(oci_seccomp, listener_metadata, "listenerMetadata", T_STRING),
	F(oci_seccomp, syscalls, "syscalls", T_OBJECTS, .shape = &oci_syscall_shape));

JSON_SHAPE(oci_personality,
	F(oci_personality, domain, "domain", T_STRING, .required = true),
	F(oci_personality, flags, "flags", T_STRINGS));

JSON_SHAPE(oci_time_offset,
	F(oci_time_offset, clock, "", T_KEY),
	F(oci_time_offset, secs, "secs", T_INT),
	F(oci_time_offset, nanosecs, "nanosecs", T_UINT));

JSON_SHAPE(oci_net_device,
	F(oci_net_device, device, "", T_KEY),
	F(oci_net_device, name, "name", T_STRING));

JSON_SHAPE(oci_memory_policy,
	F(oci_memory_policy, mode, "mode", T_STRING, .required = true),
	F(oci_memory_policy, nodes, "nodes", T_STRING),
	F(oci_memory_policy, flags, "flags", T_STRINGS));

JSON_SHAPE(oci_intel_rdt,
	F(oci_intel_rdt, clos_id, "closID", T_STRING),
	F(oci_intel_rdt, l3_cache_schema, "l3CacheSchema", T_STRING),
	F(oci_intel_rdt, mem_bw_schema, "memBwSchema", T_STRING),
	F(oci_intel_rdt, schemata, "schemata", T_STRINGS),
	F(oci_intel_rdt, enable_cmt, "enableCMT", T_BOOL),
	F(oci_intel_rdt, enable_mbm, "enableMBM", T_BOOL),
	F(oci_intel_rdt, enable_monitoring, "enableMonitoring", T_BOOL));

JSON_SHAPE(oci_linux,
	F(oci_linux, uid_mappings, "uidMappings", T_OBJECTS, .shape = &oci_id_mapping_shape),
	F(oci_linux, gid_mappings, "gidMappings", T_OBJECTS, .shape = &oci_id_mapping_shape),
	F(oci_linux, sysctl, "sysctl", T_MAP),
	F(oci_linux, resources, "resources", T_OBJECT, .shape = &oci_resources_shape),
	F(oci_linux, cgroups_path, "cgroupsPath", T_STRING),
	F(oci_linux, namespaces, "namespaces", T_OBJECTS, .shape = &oci_namespace_shape),
	F(oci_linux, devices, "devices", T_OBJECTS, .shape = &oci_device_shape),
	F(oci_linux, seccomp, "seccomp", T_OBJECT, .shape = &oci_seccomp_shape),
	F(oci_linux, rootfs_propagation, "rootfsPropagation", T_STRING),
	F(oci_linux, masked_paths, "maskedPaths", T_STRINGS),
	F(oci_linux, readonly_paths, "readonlyPaths", T_STRINGS),
	F(oci_linux, mount_label, "mountLabel", T_STRING),
	F(oci_linux, personality, "personality", T_OBJECT, .shape = &oci_personality_shape),
	F(oci_linux, time_offsets, "timeOffsets", T_OBJECT_MAP, .shape = &oci_time_offset_shape),
	F(oci_linux, net_devices, "netDevices", T_OBJECT_MAP, .shape = &oci_net_device_shape),
	F(oci_linux, memory_policy, "memoryPolicy", T_OBJECT, .shape = &oci_memory_policy_shape),
	F(oci_linux, intel_rdt, "intelRdt", T_OBJECT, .shape = &oci_intel_rdt_shape),
	F(oci_linux, rest, "", T_REST));

JSON_SHAPE(oci_spec,
	F(oci_spec, oci_version, "ociVersion", T_STRING, .required = true, .always = true),
	F(oci_spec, process, "process", T_OBJECT, .shape = &oci_process_shape),
	F(oci_spec, root, "root", T_OBJECT, .shape = &oci_root_shape),
	F(oci_spec, hostname, "hostname", T_STRING),
	F(oci_spec, domainname, "domainname", T_STRING),
	F(oci_spec, mounts, "mounts", T_OBJECTS, .shape = &oci_mount_shape),
	F(oci_spec, hooks, "hooks", T_OBJECT, .shape = &oci_hooks_shape),
	F(oci_spec, annotations, "annotations", T_MAP),
	F(oci_spec, linux_, "linux", T_OBJECT, .shape = &oci_linux_shape),
	F(oci_spec, rest, "", T_REST));
