/* cli/resource_options - the limits of a container, as run, create and update are asked for them
 *
 * `at` leads from the command's request to the struct create_request in it ("limits.", or nothing). */
#ifndef BRYO_CLI_RESOURCE_OPTIONS_H
#define BRYO_CLI_RESOURCE_OPTIONS_H

#include "base/args.h"
#include "engine/create_request.h"

#define RESOURCE_RARE .flags = OPTION_RARE

#define RESOURCE_OPTIONS(request, at)                                                                                    \
	OPT_STRING('m', "memory", request, at memory, "SIZE", "Limit of memory, as 512m"),                               \
	OPT_STRING(0, "memory-swap", request, at memory_swap, "SIZE",                                                    \
		   "Limit of memory and swap together; -1 for none", RESOURCE_RARE),                                     \
	OPT_STRING(0, "memory-reservation", request, at memory_reservation, "SIZE",                                      \
		   "What the kernel tries to leave it", RESOURCE_RARE),                                                  \
	OPT_STRING(0, "cpus", request, at cpus, "N", "How many processors' time, as 1.5"),                               \
	OPT_STRING('c', "cpu-shares", request, at cpu_shares, "N", "Weight among others (default 1024)", RESOURCE_RARE), \
	OPT_STRING(0, "cpu-period", request, at cpu_period, "MICROSECONDS", "Period of the processor quota",             \
		   RESOURCE_RARE),                                                                                       \
	OPT_STRING(0, "cpu-quota", request, at cpu_quota, "MICROSECONDS", "Processor time a period", RESOURCE_RARE),     \
	OPT_STRING(0, "cpuset-cpus", request, at cpuset_cpus, "LIST", "Processors it may use, as 0-3,5", RESOURCE_RARE), \
	OPT_STRING(0, "cpuset-mems", request, at cpuset_mems, "LIST", "Memory nodes it may use", RESOURCE_RARE),         \
	OPT_STRING(0, "pids-limit", request, at pids_limit, "N", "Limit of processes; -1 for none (default 2048)"),      \
	OPT_STRING(0, "blkio-weight", request, at blkio_weight, "N", "Weight of its block I/O, 10 to 1000",              \
		   RESOURCE_RARE),                                                                                       \
	OPT_LIST(0, "blkio-weight-device", request, at blkio_weight_device, "DEVICE:N", "The same for one device",       \
		 RESOURCE_RARE),                                                                                         \
	OPT_LIST(0, "device-read-bps", request, at device_read_bps, "DEVICE:SIZE", "Bytes a second read from a device",  \
		 RESOURCE_RARE),                                                                                         \
	OPT_LIST(0, "device-write-bps", request, at device_write_bps, "DEVICE:SIZE", "Bytes a second written to one",    \
		 RESOURCE_RARE),                                                                                         \
	OPT_LIST(0, "device-read-iops", request, at device_read_iops, "DEVICE:N", "Reads a second from a device",        \
		 RESOURCE_RARE),                                                                                         \
	OPT_LIST(0, "device-write-iops", request, at device_write_iops, "DEVICE:N", "Writes a second to a device",       \
		 RESOURCE_RARE),                                                                                         \
	OPT_STRINGS(0, "cgroup-conf", request, at cgroup_conf, "FILE=VALUE", "A file of the container's cgroup (v2)",    \
		    RESOURCE_RARE)

#endif
