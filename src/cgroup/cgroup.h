/* cgroup/cgroup - the control group of one container, from the choice of its place to its removal
 *
 * cgroup_probe says what this host offers: which hierarchies are mounted (the unified one, v1 hierarchies, or both), who
 * makes cgroups (we ourselves below a delegated one, or systemd by a scope) and why not when nobody can. cgroup_create
 * makes the cgroup that a configuration asks for and sets its limits; `struct cgroup` then names its directories, goes
 * through the state file, and is all that the other calls need, in any later process.
 *
 * A cgroup that is none (places.n == 0) is legal everywhere: the container has no cgroup of its own. Calls about one
 * that is gone succeed where "there is nothing" is an answer (kill, remove, is_empty) and fail where it is not.
 *
 * Not done here: the cgroup namespace and mounts (run/), the monitor's watch of memory.events (monitor/). */
#ifndef BRYO_CGROUP_CGROUP_H
#define BRYO_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/string.h"
#include "spec/oci_runtime.h"

/* --- the host */

enum cgroup_manager { CGROUP_NONE, CGROUP_CGROUPFS, CGROUP_SYSTEMD };
extern const char *const cgroup_manager_names[];	/* "none", "cgroupfs", "systemd" */

/* One mounted hierarchy. */
struct cgroup_hierarchy {
	char *controllers;	/* v1: "memory", "cpu,cpuacct", "name=systemd" as in /proc/self/cgroup; the unified one: "" */
	char *mount;		/* where: "/sys/fs/cgroup", "/sys/fs/cgroup/memory" */
	char *own;		/* this process's cgroup as a path below the mount, "/" for its root; NULL: not visible here */
	bool usable;		/* the caller may make cgroups in `own` and move processes there */
};
struct cgroup_hierarchies {
	struct cgroup_hierarchy *v;
	size_t n;
};

struct cgroup_host {
	enum cgroup_manager manager;	/* what will be used */
	bool unified;			/* /sys/fs/cgroup is cgroup2, so nothing is v1 */
	bool v1;			/* controllers are on v1 hierarchies (with or without a unified one beside them) */
	bool privileged;		/* root of the machine: a limit that cannot be set is an error, not a warning */
	bool delegated;			/* the caller may make sub-cgroups */
	char *parent;			/* cgroupfs, unified: path below the mount under which containers go ("": its root);
					   systemd: of the manager's own cgroup; NULL without one */
	struct strings controllers;	/* those that containers can have */
	char *why;			/* one line: why there is no manager, or why limits do not work; NULL */
	struct cgroup_hierarchies hierarchies;	/* the unified one first */
};

/* wanted: "cgroupfs", "systemd", "disabled" (or "none"); NULL or "" takes the user's systemd where there is one and
 * cgroupfs elsewhere. Fails for an unknown word only: no usable cgroup is an answer (CGROUP_NONE and `why`). */
int cgroup_probe(struct arena *arena, const char *wanted, struct cgroup_host *ret, struct error *err);

/* --- one container's cgroup */

/* The annotation that names one more cgroup below the container's, for the first process to live in, so that it may hand
 * controllers to others itself. The process is to be moved there (cgroup_join with `leaf` as sub) once it has made its
 * cgroup namespace. Only where the hierarchy is unified. */
#define CGROUP_LEAF "run.oci.delegate-cgroup"

struct cgroup_place {
	char *controllers;	/* as in struct cgroup_hierarchy */
	char *path;		/* the directory, absolute */
};

struct cgroup {
	char *manager;		/* "cgroupfs", "systemd", "none" */
	char *path;		/* below the hierarchy's mount (of the unified one, else of the first), for people */
	char *scope;		/* the systemd unit; NULL without one */
	bool user;		/* the unit is of the user's systemd, not of the system's */
	bool shared;		/* the scope holds processes of the runtime too, and ends with them */
	char *leaf;		/* of CGROUP_LEAF, below the place; NULL */
	ARRAY(struct cgroup_place) places;	/* the unified one first */
	int keeper;		/* not stored: a process of ours that keeps a scope alive until cgroup_settle; 0 */
};
extern const struct json_shape cgroup_shape;

struct cgroup_request {
	const char *id;			/* the container's, for a default place */
	const struct oci_spec *spec;	/* linux.cgroupsPath, linux.resources, annotations, and what ownership follows from */
	bool with_caller;		/* systemd: the caller himself moves into the scope, into a leaf "supervisor" (the
					   engine's future monitor); without it the scope holds the container alone */
};

/* Makes the cgroup and sets its limits. A place that exists already is used when no process is in it, as runc does, and
 * is an error otherwise. *ret_warnings: lines about limits that were left out.
 *
 * The caller then clones into cgroup_entry()'s descriptor, and calls cgroup_join for what cannot be entered so, while the
 * child waits and before it makes a cgroup namespace; then cgroup_settle. On an error nothing is left behind. */
int cgroup_create(struct arena *arena, const struct cgroup_host *host, const struct cgroup_request *request,
		  struct cgroup *ret, struct strings *ret_warnings, struct error *err);
/* The container's first process is inside: lets go of what kept the cgroup alive so far. May be called twice. */
void cgroup_settle(struct cgroup *c);

/* The directory in the unified hierarchy, for memory.events, cgroup.kill and the like; sub (NULL: none) is an existing
 * cgroup below it ("exec --cgroup"). -1 with errno ENOENT and no error when the cgroup has no unified place. */
int cgroup_open(const struct cgroup *c, const char *sub, struct error *err);
/* The same for CLONE_INTO_CGROUP: the answer is -1 with errno ENOENT and no error as well when the caller may not clone
 * into it from where he is. Then, and for v1, the process is to be moved: cgroup_join. */
int cgroup_entry(const struct cgroup *c, const char *sub, struct error *err);
bool cgroup_needs_join(const struct cgroup *c, int entry_fd);
/* The same before anything is made: false when a container of this configuration will be cloned into its cgroup for sure. */
bool cgroup_may_need_join(const struct cgroup_host *host, const struct oci_spec *spec);
/* Moves a process into all places, but into the unified one when it was cloned there (entered). What a user may not do his
 * systemd does for him. The process is one that waits, and has made no cgroup namespace yet. */
int cgroup_join(const struct cgroup *c, const char *sub, pid_t pid, bool entered, struct error *err);
int cgroup_open_place(const struct cgroup_place *place, const char *sub, struct error *err);

/* Complaints about linux.resources that need no cgroup, before anything is made: "<where>.memory.limit: ..."; where is
 * ".linux.resources" for a bundle. cgroup_create makes the same. */
int cgroup_check(const struct cgroup_host *host, const struct oci_resources *resources, const char *where,
		 struct error *err);
/* Changes limits of a running container; what resources does not say stays. Devices are replaced when it lists any.
 * where: "" when resources are a document of their own, as runtimes' `update --resources` takes it. */
int cgroup_update(struct arena *arena, const struct cgroup *c, const struct oci_resources *resources, const char *where,
		  struct error *err);

int cgroup_freeze(const struct cgroup *c, bool freeze, struct error *err);	/* waits until it is so, 10 s */
bool cgroup_is_frozen(const struct cgroup *c);
bool cgroup_can_freeze(const struct cgroup *c);
/* Every process of the cgroup and those below it, ascending, in the reader's pid namespace. */
int cgroup_pids(struct arena *arena, const struct cgroup *c, int **ret_pids, size_t *ret_n, struct error *err);
/* To all of them; none escapes by forking. SIGKILL goes to frozen ones too. 0 when there are none. */
int cgroup_signal(const struct cgroup *c, int signal, struct error *err);
int cgroup_kill(const struct cgroup *c);
bool cgroup_is_empty(const struct cgroup *c);			/* also when it is gone or none */
bool cgroup_oom_killed(const struct cgroup *c);			/* the kernel has killed a process of it for memory */
/* With sub-cgroups, once its processes have ended (waits up to 100 ms for the last); stops the scope. 0 when absent. */
int cgroup_remove(const struct cgroup *c);

/* A pollable descriptor that becomes readable (read and forget what it gives) when the kernel has run out of memory in
 * the cgroup or when the cgroup is removed or emptied: then ask cgroup_oom_count and cgroup_is_empty. */
int cgroup_watch(const struct cgroup *c, struct error *err);
uint64_t cgroup_oom_count(const struct cgroup *c);		/* how often memory was exhausted so far */

/* --- for run/: what a mount of type "cgroup" shows in a container */

struct cgroup_view {
	char *name;		/* the directory below the mount's destination: "memory", "cpu,cpuacct", "unified"; "" for all */
	char *options;		/* data of mount(2): "memory", "cpu,cpuacct", "none,name=systemd"; NULL for cgroup2 */
	char *path;		/* the container's directory on the host, to be bound where there is no cgroup namespace */
	struct strings links;	/* further names that lead to it: "cpu", "cpuacct" */
};
struct cgroup_views {
	struct cgroup_view *v;
	size_t n;
};
/* Of the host when c is NULL: then the paths are the roots. */
void cgroup_views(struct arena *arena, const struct cgroup_host *host, const struct cgroup *c, struct cgroup_views *ret);

#endif
