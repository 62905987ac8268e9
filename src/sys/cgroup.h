/* sys/cgroup - cgroup v2, as far as an ordinary user owns it
 *
 * Finds the delegated subtree the caller lives in (or the systemd user manager's, through a scope), makes one cgroup a
 * container there, sets what the present controllers allow, and says once what is missing. Where there is no usable
 * cgroup v2 (v1, hybrid, not delegated) a container simply gets none. */
#ifndef BRYO_SYS_CGROUP_H
#define BRYO_SYS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"

enum cgroup_manager { CGROUP_NONE, CGROUP_CGROUPFS, CGROUP_SYSTEMD };

struct cgroup_host {
	enum cgroup_manager manager;	/* what will be used */
	bool unified;			/* /sys/fs/cgroup is cgroup2 */
	bool delegated;			/* the caller may make sub-cgroups */
	char *parent;			/* path below /sys/fs/cgroup under which containers go; NULL without one */
	struct strings controllers;	/* those that can be enabled for containers */
	char *why;			/* one line: why there is no manager, or why limits do not work; NULL */
};

int cgroup_probe(struct arena *arena, const char *wanted_manager, struct cgroup_host *ret, struct error *err);

/* One limit: the controller's file below the container's cgroup and its text ("memory.max", "67108864"). */
struct cgroup_setting {
	const char *controller, *file;
	char *value;
};
struct cgroup_settings {
	struct cgroup_setting *v;
	size_t n;
};

/* Makes parent/name, enables controllers, writes settings; answers a descriptor of the cgroup directory for
 * CLONE_INTO_CGROUP, and its path below /sys/fs/cgroup, which the functions below take. Where controllers can only be
 * enabled when no process is in the parent, all of the parent's processes move to a leaf "bryo-leaf". Settings whose controller is missing are left out and listed in *ret_missing. */
int cgroup_create(struct arena *arena, const struct cgroup_host *host, const char *name,
		  const struct cgroup_settings *settings, char **ret_path, struct strings *ret_missing,
		  struct error *err);
/* Puts the pid into a new delegated scope of the user's systemd (D-Bus, libsystemd by dlopen) and waits until it is
 * there. cgroup_create does so with the caller for CGROUP_SYSTEMD: monitor and container share a scope, and the limits
 * go to the container's part of it, so settings are empty here. */
int cgroup_start_scope(const struct cgroup_host *host, const char *scope, const char *description, int pid,
		       const struct cgroup_settings *settings, struct error *err);
/* For a caller who is about to clone into the container's cgroup: a user may move processes only within what he owns,
 * and his session is not part of it. The user's systemd then takes the caller in, into a scope of his own. */
int cgroup_approach(struct arena *arena, const char *path, struct error *err);
int cgroup_freeze(const char *path, bool freeze, struct error *err);	/* waits until it is so */
int cgroup_kill(const char *path);					/* cgroup.kill, else every pid in it */
int cgroup_remove(const char *path);					/* with sub-cgroups; 0 when absent */
bool cgroup_is_empty(const char *path);
bool cgroup_oom_killed(const char *path);				/* memory.events oom_kill > 0 */

#endif
