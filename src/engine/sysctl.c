#include "engine/sysctl.h"

#include <stdio.h>
#include <string.h>

/* namespaces(7), ipc_namespaces(7): settings of which each namespace has its own. */
static bool is_namespaced(const char *name)
{
	static const char *const kernel[] = { "domainname", "hostname", "msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni",
					      "shm_rmid_forced" };
	const char *rest = str_after(name, "kernel.");

	for (size_t i = 0; rest && i < ELEMENTS(kernel); i++)
		if (strcmp(rest, kernel[i]) == 0)
			return true;
	return str_starts(name, "net.") || str_starts(name, "fs.mqueue.");
}

int sysctl_check(const struct create_request *r, struct error *err)
{
	for (size_t i = 0; i < r->sysctl.n; i++) {
		size_t n = strcspn(r->sysctl.v[i], "=");
		char name[256];

		if (!r->sysctl.v[i][n])
			return error_set(err, ERROR_USAGE, "sysctl \"%s\": it must be KEY=VALUE", r->sysctl.v[i]);
		snprintf(name, sizeof(name), "%.*s", (int)n, r->sysctl.v[i]);
		if (name[strcspn(name, "./")] == '/')	/* net/ipv4/ip_forward */
			for (char *p = name; *p; p++)
				*p = *p == '/' ? '.' : *p;
		if (is_namespaced(name))
			continue;
		error_set(err, ERROR_USAGE, "sysctl '%s' is not allowed", name);
		return error_hint(err, "it is a setting of the whole host; a container has its own of net., fs.mqueue., kernel.msg*, "
				  "kernel.sem and kernel.shm*");
	}
	return 0;
}
