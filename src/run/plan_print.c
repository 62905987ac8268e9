#include "run/plan.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/ns.h"

static const char *const names[OP_KINDS] = {
	[OP_JOIN] = "join a namespace",
	[OP_JOIN_TARGET] = "join the container's namespaces",
	[OP_CHROOT_TARGET] = "enter the container's root",
	[OP_OOM_SCORE] = "set oom_score_adj",
	[OP_KEYRING] = "make the keyring",
	[OP_MOMENT] = "wait for the caller",
	[OP_PRIVATE] = "make all mounts private",
	[OP_CGROUP_NAMESPACE] = "make the cgroup namespace",
	[OP_LOOPBACK] = "bring lo up",
	[OP_LABEL_OPEN] = "open the label",
	[OP_ROOT_OVERLAY] = "mount the root",
	[OP_ROOT_BIND] = "mount the root",
	[OP_MOUNT] = "mount",
	[OP_CGROUP_V1] = "mount the cgroup hierarchies",
	[OP_BIND] = "bind",
	[OP_REMOUNT] = "remount",
	[OP_DEVICE] = "make a device",
	[OP_SYMLINK] = "link",
	[OP_CONSOLE] = "make the terminal",
	[OP_MASK] = "mask",
	[OP_READONLY_PATH] = "make a path read-only",
	[OP_MKDIR] = "make a directory",
	[OP_HOOK] = "run a hook",
	[OP_PIVOT] = "make the new root the root",
	[OP_ROOT_FLAGS] = "set the flags of the root",
	[OP_HOSTNAME] = "set the host name",
	[OP_DOMAINNAME] = "set the domain name",
	[OP_SYSCTL] = "set a sysctl",
	[OP_PERSONALITY] = "set the personality",
	[OP_AFFINITY] = "set the processors",
	[OP_MEMORY_POLICY] = "set the memory policy",
	[OP_RLIMIT] = "set a limit",
	[OP_SCHEDULER] = "set the scheduler",
	[OP_IO_PRIORITY] = "set the I/O priority",
	[OP_NEW_SID] = "setsid",
	[OP_STDIO] = "connect standard input and output",
	[OP_UMASK] = "set the umask",
	[OP_CHDIR] = "change the directory",
	[OP_USER] = "become the user",
	[OP_FIND_COMMAND] = "find the command",
	[OP_READY] = "wait for the start",
	[OP_START] = "wait for whoever starts it",
	[OP_BYPASS] = "load the filter of the socket bypass",
	[OP_SECCOMP] = "load the seccomp filter",
	[OP_LABEL] = "set the label",
	[OP_EXEC] = "execute",
};

const char *op_name(enum op_kind kind)
{
	return names[kind];
}

static int print_namespaces(uint64_t flags, struct buffer *out)
{
	for (int bit = 0; bit < 64; bit++) {
		const char *name = ns_name(flags & (UINT64_C(1) << bit));

		if (name && buffer_printf(out, " %s", name) < 0)
			return -1;
	}
	return 0;
}

int op_describe(const struct op *op, struct buffer *out)
{
	switch (op->kind) {
	case OP_JOIN:
		return buffer_printf(out, "join the %s namespace %s", ns_name(op->flags), op->source);
	case OP_JOIN_TARGET:
		return buffer_adds(out, "join the container's namespaces") < 0 ? -1 : print_namespaces(op->flags, out);
	case OP_CHROOT_TARGET:		return buffer_adds(out, "enter the container's root");
	case OP_KEYRING:		return buffer_printf(out, "make the session keyring %s", op->source);
	case OP_MOMENT:
		return buffer_adds(out, op->flags == RUN_BORN ? "wait for the caller's work on the new process" :
				   "wait for the caller's hooks");
	case OP_LABEL_OPEN:		return buffer_adds(out, "open the label of the process");
	case OP_CGROUP_V1:		return buffer_printf(out, "mount the cgroup hierarchies at %s", op->target);
	case OP_REMOUNT:		return buffer_printf(out, "remount %s", op->target);
	case OP_HOOK:			return buffer_printf(out, "run the hook %s", op->source);
	case OP_PERSONALITY:		return buffer_printf(out, "set the personality %#" PRIx64, op->value);
	case OP_AFFINITY:		return buffer_printf(out, "run on the processors %s", op->source);
	case OP_MEMORY_POLICY:		return buffer_printf(out, "set the memory policy %s", op->fstype);
	case OP_SCHEDULER:		return buffer_printf(out, "set the scheduler %s", op->source);
	case OP_IO_PRIORITY:		return buffer_printf(out, "set the I/O priority %s", op->source);
	case OP_START:			return buffer_adds(out, "wait for whoever starts it");
	case OP_LABEL:			return buffer_adds(out, "set the label of the process");
	case OP_OOM_SCORE:
		return buffer_printf(out, "set oom_score_adj to %" PRId64, (int64_t)op->value);
	case OP_PRIVATE:		return buffer_adds(out, "make all mounts private");
	case OP_CGROUP_NAMESPACE:	return buffer_adds(out, "make the cgroup namespace");
	case OP_LOOPBACK:		return buffer_adds(out, "bring lo up");
	case OP_ROOT_OVERLAY:		return buffer_adds(out, "mount the overlay at /");
	case OP_MOUNT:			return buffer_printf(out, "mount %s at %s", op->fstype, op->target);
	case OP_ROOT_BIND: case OP_BIND:
		return buffer_printf(out, "mount %s at %s", op->source, op->target);
	case OP_DEVICE:
		if (S_ISFIFO(op->device->mode))
			return buffer_printf(out, "make the FIFO %s", op->target);
		if (op->device->make || op->device->apart)
			return buffer_printf(out, "make the device %s", op->target);
		return buffer_printf(out, "mount %s at %s", op->source, op->target);
	case OP_SYMLINK:
		return buffer_printf(out, "link %s/%s to %s", op->target, op->fstype, op->source);
	case OP_CONSOLE:		return buffer_printf(out, "make the terminal at %s", op->target);
	case OP_MASK:			return buffer_printf(out, "mask %s", op->target);
	case OP_READONLY_PATH:		return buffer_printf(out, "make %s read-only", op->target);
	case OP_MKDIR:			return buffer_printf(out, "make the directory %s", op->target);
	case OP_PIVOT:
		return buffer_adds(out, op->flags & CHROOT_ONLY ? "chroot to the new root" : "make the new root the root");
	case OP_ROOT_FLAGS:		return buffer_adds(out, "set the flags of the root mount");
	case OP_HOSTNAME:		return buffer_printf(out, "set the host name %s", op->source);
	case OP_DOMAINNAME:		return buffer_printf(out, "set the domain name %s", op->source);
	case OP_SYSCTL:			return buffer_printf(out, "set /proc/sys/%s to %s", op->source, op->fstype);
	case OP_RLIMIT:
		return buffer_printf(out, "set the limit %s to %" PRIu64 ":%" PRIu64, op->source, op->value,
				     op->value2);
	case OP_NEW_SID:		return buffer_adds(out, "setsid");
	case OP_STDIO:			return buffer_adds(out, "connect standard input and output");
	case OP_UMASK:			return buffer_printf(out, "set the umask %04o", (unsigned)op->value);
	case OP_CHDIR:			return buffer_printf(out, "change to the directory %s", op->target);
	case OP_USER:			return buffer_adds(out, "become the user");
	case OP_FIND_COMMAND:		return buffer_printf(out, "find %s", op->source);
	case OP_READY:			return buffer_adds(out, "wait for the start");
	case OP_BYPASS:			return buffer_adds(out, op_name(OP_BYPASS));
	case OP_SECCOMP:		return buffer_adds(out, "load the seccomp filter");
	case OP_EXEC:			return buffer_printf(out, "execute %s", op->source);
	case OP_KINDS:			break;
	}
	return 0;
}

static int print_caps(const char *label, uint64_t set, struct buffer *out)
{
	return buffer_printf(out, " %s=%" PRIx64, label, set);
}

static int print_user(const struct plan_process *p, struct buffer *out)
{
	if (buffer_printf(out, " %u:%u", p->uid, p->gid) < 0)
		return -1;
	for (size_t i = 0; i < p->groups_n; i++)
		if (buffer_printf(out, "%s%u", i ? "," : " groups=", p->groups[i]) < 0)
			return -1;
	if (print_caps("bounding", p->caps.bounding, out) < 0 || print_caps("effective", p->caps.effective, out) < 0 ||
	    print_caps("permitted", p->caps.permitted, out) < 0 ||
	    print_caps("inheritable", p->caps.inheritable, out) < 0 ||
	    print_caps("ambient", p->caps.ambient, out) < 0)
		return -1;
	return p->no_new_privileges ? buffer_adds(out, " no_new_privs") : 0;
}

/* What an operation takes from the plan rather than from itself. */
static int print_details(const struct run_plan *plan, const struct op *op, struct buffer *out)
{
	const struct rootfs *r = plan->rootfs;

	switch (op->kind) {
	case OP_ROOT_OVERLAY:
		for (size_t i = 0; i < r->lower.n; i++)
			if (buffer_printf(out, " lower=%s", r->lower.v[i]) < 0)
				return -1;
		if (r->data && buffer_printf(out, " lower=tree data=%s", r->data) < 0)
			return -1;
		if (r->upper && buffer_printf(out, " upper=%s work=%s", r->upper, r->work) < 0)
			return -1;
		return r->volatile_upper ? buffer_adds(out, " volatile") : 0;
	case OP_ROOT_BIND: case OP_ROOT_FLAGS: case OP_MOUNT: case OP_BIND: case OP_REMOUNT:
		if (op->mount.bind_tree && buffer_adds(out, " recursively") < 0)
			return -1;
		return mount_options_print(&op->mount, out);
	case OP_DEVICE:
		return op->device->make || op->device->apart ? buffer_printf(out, " %u:%u", major(op->device->number), minor(op->device->number)) : 0;
	case OP_LABEL:
		return buffer_printf(out, " %s", plan->process.selinux_label ? plan->process.selinux_label :
				     plan->process.apparmor_profile);
	case OP_CONSOLE:
		return plan->process.rows ? buffer_printf(out, " %ux%u", plan->process.columns, plan->process.rows) : 0;
	case OP_USER:
		return print_user(&plan->process, out);
	case OP_SECCOMP:
		return buffer_printf(out, " of %zu instructions%s%s", plan->process.filter_n,
				     plan->process.listener ? ", answered at " : "",
				     plan->process.listener ? plan->process.listener->path : "");
	case OP_FIND_COMMAND:
		for (size_t i = 0; i < plan->process.candidates.n; i++)
			if (buffer_printf(out, "%s%s", i ? "," : " in ", plan->process.candidates.v[i]) < 0)
				return -1;
		return 0;
	default:
		return 0;
	}
}

static int print_head(const struct run_plan *plan, struct buffer *out)
{
	if (buffer_adds(out, "clone into new namespaces:") < 0 || print_namespaces(plan->clone_flags, out) < 0)
		return -1;
	for (size_t i = 0; i < plan->maps.uid.n; i++) {
		const struct id_extent *e = &plan->maps.uid.v[i];

		if (buffer_printf(out, " uid=%u:%u:%u", e->inside, e->outside, e->count) < 0)
			return -1;
	}
	for (size_t i = 0; i < plan->maps.gid.n; i++) {
		const struct id_extent *e = &plan->maps.gid.v[i];

		if (buffer_printf(out, " gid=%u:%u:%u", e->inside, e->outside, e->count) < 0)
			return -1;
	}
	for (const char *at = plan->time_offsets; at && *at; at += strcspn(at, "\n") + 1)
		if (buffer_printf(out, " %.*s", (int)strcspn(at, "\n"), at) < 0)
			return -1;
	return buffer_adds(out, "\n");
}

int run_plan_print(const struct run_plan *plan, struct buffer *out)
{
	if (print_head(plan, out) < 0)
		return -1;
	for (size_t i = 0; i < plan->ops.n; i++)
		if (buffer_printf(out, "%zu. ", i + 1) < 0 || op_describe(&plan->ops.v[i], out) < 0 ||
		    print_details(plan, &plan->ops.v[i], out) < 0 || buffer_adds(out, "\n") < 0)
			return -1;
	return 0;
}
