/* cgroup/systemd - scopes of the system's or the user's systemd, over D-Bus
 *
 * bryo-hostlib does it, by libsystemd. A property that this systemd does not know is left out, unless it was demanded. */
#ifndef BRYO_CGROUP_SYSTEMD_H
#define BRYO_CGROUP_SYSTEMD_H

#include "cgroup/property.h"

struct systemd_scope {
	bool user;		/* of the user's systemd */
	const char *name, *slice, *description;
	pid_t pid;		/* who is moved into it; it ends with its last process */
	const struct properties *properties;
};

/* Starts the delegated scope and waits until the process is in it (30 s). ERROR_UNSUPPORTED without libsystemd, and
 * ERROR_EXISTS when there is such a unit. */
int systemd_start(struct arena *arena, const struct systemd_scope *s, struct error *err);
/* Moves a process into a cgroup of a delegated unit: below ("/container", "" for the unit's own) is relative to it. The
 * user's systemd has the system's do it where it may not itself. */
int systemd_attach(struct arena *arena, bool user, const char *unit, const char *below, pid_t pid, struct error *err);
/* Changes properties of a running unit, for as long as it runs. */
int systemd_set(struct arena *arena, bool user, const char *unit, const struct properties *properties, struct error *err);
/* Stops it with all processes that are in it and waits for that (30 s). 0 when there is no such unit. */
int systemd_stop(struct arena *arena, bool user, const char *unit, struct error *err);

#endif
