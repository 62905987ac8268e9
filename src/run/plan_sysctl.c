#include "run/plan.h"

/* namespaces(7), ipc_namespaces(7): settings below /proc/sys of which each namespace of a type has its own. */
static const struct { const char *path, *type; } owned[] = {
	{ "net/", "network" }, { "fs/mqueue/", "ipc" }, { "user/", "user" }, { "kernel/domainname", "uts" },
	{ "kernel/auto_msgmni", "ipc" }, { "kernel/msgmax", "ipc" }, { "kernel/msgmnb", "ipc" }, { "kernel/msgmni", "ipc" },
	{ "kernel/msg_next_id", "ipc" }, { "kernel/sem", "ipc" }, { "kernel/sem_next_id", "ipc" }, { "kernel/shmall", "ipc" },
	{ "kernel/shmmax", "ipc" }, { "kernel/shmmni", "ipc" }, { "kernel/shm_next_id", "ipc" },
	{ "kernel/shm_rmid_forced", "ipc" },
};

/* "net.ipv4.ip_forward" and "net/ipv4/ip_forward" both name net/ipv4/ip_forward; an interface's dots are written as
 * slashes in the first form (sysctl(8)). */
static char *sysctl_path(struct arena *arena, const char *key)
{
	char *path = arena_strdup(arena, key), first = path[strcspn(path, "./")];

	for (char *s = path; first == '.' && *s; s++)
		*s = *s == '.' ? '/' : *s == '/' ? '.' : *s;
	return path;
}

/* The type of the namespace whose setting it is; NULL: the whole host's. */
static const char *owner(const char *path)
{
	for (size_t i = 0; i < ELEMENTS(owned); i++) {
		size_t n = strlen(owned[i].path);

		if (owned[i].path[n - 1] == '/' ? str_starts(path, owned[i].path) : str_eq(path, owned[i].path))
			return owned[i].type;
	}
	return NULL;
}

/* Written by root without a namespace of the container's own it would change the host. */
static int check(const struct oci_linux *l, const char *key, const char *path, struct error *err)
{
	const char *type = owner(path);

	if (*path == '/' || strstr(path, "..") || !*path)
		return error_set(err, ERROR_INVALID, ".linux.sysctl[\"%s\"]: not a name below /proc/sys", key);
	if (str_eq(path, "kernel/hostname"))
		return error_set(err, ERROR_INVALID, ".linux.sysctl[\"%s\"]: the place for it is .hostname", key);
	if (!type)
		return error_set(err, ERROR_INVALID, ".linux.sysctl[\"%s\"]: it is a setting of the whole host", key);
	if (!plan_has_namespace(l, type))
		return error_set(err, ERROR_INVALID, ".linux.sysctl[\"%s\"]: there is no %s namespace, so it would be the host's",
				 key, type);
	return 0;
}

int plan_add_sysctls(struct run_plan *plan, const struct oci_linux *l, struct error *err)
{
	for (size_t i = 0; i < l->sysctl.n; i++) {
		const char *key = l->sysctl.v[i].key, *path = sysctl_path(plan->arena, key);
		struct op *op;

		if (check(l, key, path, err) < 0)
			return -1;
		op = plan_add(plan, OP_SYSCTL);
		op->source = path;
		op->fstype = l->sysctl.v[i].value;
	}
	return 0;
}
