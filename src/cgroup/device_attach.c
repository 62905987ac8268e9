#include "cgroup/device.h"

#include <errno.h>
#include <sys/syscall.h>

#include "sys/fd.h"

#define PROGRAM_NAME "bryo_devices"
#define ATTACHED_MAX 64		/* of one cgroup, as the kernel limits it */

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct device_program *program)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insns = (uint64_t)(uintptr_t)program->v,
				.insn_cnt = (uint32_t)program->n, .license = (uint64_t)(uintptr_t)"Apache-2.0",
				.prog_name = PROGRAM_NAME };

	return (int)bpf(BPF_PROG_LOAD, &attr);
}

static bool is_ours(int fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info),
					  .info = (uint64_t)(uintptr_t)&info } };

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && str_eq(info.name, PROGRAM_NAME);
}

/* The program that was attached here before; systemd's and others' stay. */
static int open_attached(int cgroup_fd)
{
	uint32_t ids[ATTACHED_MAX];
	union bpf_attr attr = { .query = { .target_fd = (uint32_t)cgroup_fd, .attach_type = BPF_CGROUP_DEVICE,
					   .prog_ids = (uint64_t)(uintptr_t)ids, .prog_cnt = ATTACHED_MAX } };

	if (bpf(BPF_PROG_QUERY, &attr) < 0)
		return -1;
	for (uint32_t i = 0; i < attr.query.prog_cnt && i < ATTACHED_MAX; i++) {
		union bpf_attr get = { .prog_id = ids[i] };
		int fd = (int)bpf(BPF_PROG_GET_FD_BY_ID, &get);

		if (fd >= 0 && is_ours(fd))
			return fd;
		fd_close(&fd);
	}
	return -1;
}

/* BPF_F_REPLACE (Linux 5.6) puts the new one in the place of the old at once: there is no moment without. */
int device_attach(const struct device_program *program, int cgroup_fd)
{
	_cleanup_fd_ int fd = load(program), old = fd < 0 ? -1 : open_attached(cgroup_fd);
	union bpf_attr attr = { .target_fd = (uint32_t)cgroup_fd, .attach_bpf_fd = (uint32_t)fd,
				.attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };

	if (fd < 0)
		return -1;
	if (old >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)old;
	}
	return (int)bpf(BPF_PROG_ATTACH, &attr);
}
