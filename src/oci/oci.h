/* oci/oci - the OCI runtime: containers made from bundles, and the operations of the specification on them
 *
 * Each operation is one function: what `bryo oci create` and the others do, without the words of a command line. A
 * container is a directory below the state directory (oci/record); run/ makes its processes, cgroup/ limits them.
 * Nothing here needs an engine, an image or a store, and nothing keeps running: after `create` the container's own first
 * process waits for `start`. */
#ifndef BRYO_OCI_OCI_H
#define BRYO_OCI_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/string.h"
#include "cgroup/cgroup.h"

#define OCI_VERSION "1.2.0"		/* of the specification that state and features follow */

struct oci_options {
	char *root;			/* where the containers' state is kept; NULL: by oci_open's rules */
	char *cgroup_manager;		/* "cgroupfs", "systemd", "disabled"; NULL: cgroupfs, as in other runtimes */
};

struct oci {
	struct arena *arena;
	char *root;			/* absolute */
	int root_fd;			/* -1 until a container is made or looked for */
	const char *cgroup_manager;
	struct cgroup_host cgroup_host;	/* valid once cgroup_is_known */
	bool cgroup_is_known;
	void (*warn)(void *context, const char *text);
	void *context;
};

/* Without options.root: $XDG_RUNTIME_DIR/bryo/oci when that is set, /run/bryo/oci for uid 0, else a private directory
 * under /tmp. Nothing is made yet. */
int oci_open(struct oci *o, struct arena *arena, const struct oci_options *options, struct error *err);
/* Tells warn a line. */
void oci_warn(struct oci *o, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* --- create, run, start */

struct oci_create_request {
	const char *id;
	char *bundle;			/* NULL: the working directory */
	char *config;			/* NULL: config.json in the bundle */
	char *console_socket, *pid_file;	/* NULL: none */
	int64_t preserve_fds;		/* how many above 2 */
	bool no_pivot, no_new_keyring;
	bool detach, keep;		/* run: do not wait; do not delete it afterwards */
};

int oci_create(struct oci *o, const struct oci_create_request *request, struct error *err);
/* Makes, starts, waits and deletes. */
int oci_run(struct oci *o, const struct oci_create_request *request, int *ret_exit_code, struct error *err);
int oci_start(struct oci *o, const char *id, struct error *err);

/* --- further processes */

struct oci_exec_request {
	const char *id;
	char *process_file;		/* JSON of a process; NULL: from what follows */
	struct strings args;
	struct strings env, caps;	/* added to those of the container's process */
	char *cwd, *user;		/* user: "UID[:GID]" */
	struct strings additional_gids;	/* each "GID[,GID...]" */
	char *apparmor, *process_label, *cgroup;
	char *console_socket, *pid_file;
	int64_t preserve_fds;
	bool tty, detach, no_new_privileges, ignore_paused;
};
int oci_exec(struct oci *o, const struct oci_exec_request *request, int *ret_exit_code, struct error *err);

/* --- what there is */

/* The state in the specification's form, with crun's and runc's additional members. */
struct json *oci_state(struct oci *o, const char *id, struct error *err);
/* The same for all containers; damaged records are left out with a warning. NULL with err. */
struct json *oci_list(struct oci *o, struct error *err);
/* The processes of a container, in the caller's pid namespace. */
int oci_ps(struct oci *o, const char *id, int **ret_pids, size_t *ret_n, struct error *err);

/* --- changes */

int oci_kill(struct oci *o, const char *id, int signal, bool all, struct error *err);
/* force: also while it runs; an unknown container is then no error. */
int oci_delete(struct oci *o, const char *id, bool force, struct error *err);
int oci_pause(struct oci *o, const char *id, bool pause, struct error *err);
int oci_update(struct oci *o, const char *id, const struct oci_resources *resources, const char *where,
	       struct error *err);

/* One event as runc prints it ({"type":"stats","id":...,"data":{...}}), to be ended by a newline; -1 to stop. */
typedef int oci_event(void *context, const struct json *event);
/* stats: once. Otherwise statistics every interval_ms and "oom" as it happens, until the container ends. */
int oci_events(struct oci *o, const char *id, bool stats, int64_t interval_ms, oci_event *event, void *context,
	       struct error *err);

/* --- documents */

struct json *oci_features(struct arena *arena);
/* A configuration to begin with: sh in a new container. rootless: as the calling user can use it. */
struct json *oci_spec_new(struct arena *arena, bool rootless);

#endif
