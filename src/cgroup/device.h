/* cgroup/device - which devices a container may use
 *
 * linux.resources.devices are rules "allow or deny, type, numbers, of read, write and mknod"; for each of the three the
 * last rule that speaks of it decides, and without one it is denied. The devices that every container has (null, zero,
 * full, random, urandom, tty, pts, ptmx, and making any node) are always allowed.
 *
 * v1 takes the rules as lines of devices.deny and devices.allow. v2 takes an eBPF program, which device_program writes
 * (pure, its instructions are compared with golden files) and device_attach loads, in place of one that it has attached
 * before. Programs attached higher up go on to apply. */
#ifndef BRYO_CGROUP_DEVICE_H
#define BRYO_CGROUP_DEVICE_H

#include <linux/bpf.h>

#include "cgroup/setting.h"
#include "spec/oci_runtime.h"

enum device_access { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 };	/* BPF_DEVCG_ACC_* */
#define DEVICE_ALL (DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE)
#define DEVICE_ANY (-1)

struct device_rule {
	bool allow;
	char type;		/* 'a', 'b', 'c' */
	int64_t major, minor;	/* DEVICE_ANY */
	unsigned access;	/* enum device_access */
};
struct device_rules {
	struct device_rule *v;
	size_t n;
};

/* Does it decide whatever the access is? */
bool device_is_everything(const struct device_rule *rule);
/* The rules of a configuration, then those of the devices that every container has. What comes before a rule that
 * speaks of everything is dropped. Complaints begin with "<where>.devices[N].type". None when r has none. */
int device_rules(struct arena *arena, const struct oci_resources *r, const char *where, struct device_rules *ret,
		 struct error *err);

void device_settings_v1(struct arena *arena, const struct device_rules *rules, const char *where, struct settings *list);

struct device_program {
	struct bpf_insn *v;
	size_t n;
};
void device_program(struct arena *arena, const struct device_rules *rules, struct device_program *ret);
/* One line an instruction. */
int device_program_print(const struct device_program *program, struct buffer *out);
/* Loads the program and attaches it to the cgroup directory. -1 with errno: EPERM for who may not (bpf(2)). */
int device_attach(const struct device_program *program, int cgroup_fd);

#endif
