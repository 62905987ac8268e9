/* engine/container - containers as the engine keeps them, and their life: create start stop kill pause rm wait
 *
 * config.json (struct container) is written once at create; what changes lives in small files beside it: the runtime
 * directory's `state` (struct container_state, while it runs or after it did in this boot) and `exit`. */
#ifndef BRYO_ENGINE_CONTAINER_H
#define BRYO_ENGINE_CONTAINER_H

#include "engine/create_request.h"
#include "engine/engine.h"
#include "net/bridge.h"
#include "spec/oci_image.h"
#include "sys/attach.h"

struct container_mount {		/* resolved at create */
	char *type;			/* bind volume tmpfs devpts image */
	char *name;			/* volume */
	char *source, *destination;
	struct strings options;
	bool read_only, anonymous, chown, overlay;
	char *relabel;			/* SELinux: "shared" (z), "private" (Z); NULL: labels stay */
};

struct container {			/* config.json */
	char *id, *name;
	int64_t created_ns;
	char *image_name, *image_id, *image_digest;	/* NULL with --rootfs */
	char *rootfs;				/* --rootfs directory; NULL */
	struct strings layers;			/* chain IDs, bottom first */
	struct create_request request;
	struct image_container_config image;	/* the image's configuration at create */
	struct strings args, env;		/* what will be executed */
	char *workdir, *hostname, *stop_signal;
	struct string_map labels, annotations;
	ARRAY(struct container_mount) mounts;
	char *log_driver;
	int64_t stop_timeout_s;
	struct string_map log_options;
	char *uid_map, *gid_map;		/* its id maps as chosen at create; NULL: none of its own */
	char *process_label, *mount_label;	/* SELinux, see engine/label; NULL without */
};
extern const struct json_shape container_shape;

enum container_status { CONTAINER_CREATED, CONTAINER_INITIALIZED, CONTAINER_RUNNING, CONTAINER_PAUSED,
			CONTAINER_STOPPING, CONTAINER_EXITED, CONTAINER_RESTARTING };
const char *container_status_name(enum container_status s);	/* "created", "running", "exited", ... */

struct container_state {		/* runtime directory: `state`; computed parts are not stored */
	int64_t pid, monitor_pid, net_pid, storage_pid;
	uint64_t pid_start, monitor_start;
	char *boot_id;
	int64_t started_ns;
	struct cgroup *cgroup;		/* NULL: it has none of its own */
	char *network_mode;		/* "bridge", "slirp4netns" ...: what the words of the request came to */
	char *ip, *gateway, *mac;
	ARRAY(struct bridge_endpoint) networks;
	struct strings ports;		/* "0.0.0.0:8080->80/tcp" in config form "IP HOSTPORT CTRPORT PROTO" */
	int64_t restart_count;
	/* computed by container_load_state */
	enum container_status status;
	int64_t exit_code, finished_ns;
	bool oom_killed, stopped_by_user;
	char *error;
};

/* Finds by name, id or unique prefix; ERROR_NOT_FOUND in Podman's words. */
int container_load(struct engine *e, const char *name_or_id, struct container *ret, struct error *err);
int container_load_state(struct engine *e, const struct container *c, struct container_state *ret, struct error *err);
/* One whose record cannot be read, with no more than its id and what ends it: enough for container_rm with force. */
int container_load_damaged(struct engine *e, const char *name_or_id, struct container *ret, struct error *err);
int container_list_damaged(struct engine *e, struct strings *ret_ids, struct error *err);
/* All of them; broken ones are skipped with a warning. Takes away what the dead have left of networks. */
struct containers { struct container *v; size_t n; };
int container_load_all(struct engine *e, struct containers *ret, struct error *err);
/* The runtime directory of a container, opened; created when asked. */
int container_run_dir(struct engine *e, const char *id, bool create, struct error *err);

int container_create(struct engine *e, const struct create_request *r, struct container *ret, struct error *err);

struct start_options {
	bool attach, interactive, sig_proxy;	/* stay and pass streams on */
	const char *detach_keys;
	struct strings *attach_streams;		/* "stdin" "stdout" "stderr"; NULL: all */
};
/* Starts a created or exited container. With attach: returns when it ended or the user detached; *ret_exit_code is the
 * container's, and *ret_detached says which. */
int container_start(struct engine *e, struct container *c, const struct start_options *o, int *ret_exit_code,
		    bool *ret_detached, struct error *err);
/* create + start (+ rm): `bryo run`. Fills the id even when it fails after create. */
int container_run(struct engine *e, const struct create_request *r, struct container *ret, int *ret_exit_code,
		  bool *ret_detached, struct error *err);
/* `run --plan`: what the child would do, one operation a line, without doing it. */
int container_plan(struct engine *e, const struct create_request *r, struct buffer *out, struct error *err);
int container_stop(struct engine *e, struct container *c, int64_t timeout_s /* < 0: the container's */, struct error *err);
int container_restart(struct engine *e, struct container *c, int64_t timeout_s, struct error *err);
int container_kill(struct engine *e, struct container *c, const char *signal, struct error *err);
int container_pause(struct engine *e, struct container *c, bool pause, struct error *err);
struct rm_options { bool force, volumes, ignore; int64_t timeout_s; };
int container_rm(struct engine *e, struct container *c, const struct rm_options *o, struct error *err);
int container_rename(struct engine *e, struct container *c, const char *new_name, struct error *err);
/* Waits for a condition ("stopped", "exited", "running", "removed", ...); the exit code. */
int container_wait(struct engine *e, struct container *c, const char *condition, int *ret_exit_code, struct error *err);
int container_init(struct engine *e, struct container *c, struct error *err);	/* everything but start */
/* What the monitor calls at the end and for a restart (internal commands). */
int container_cleanup(struct engine *e, const char *id, struct error *err);
/* sockets: "FIRST-LAST", the descriptors of the published ports that the last run has left; or NULL. */
int container_restart_now(struct engine *e, const char *id, const char *sockets, struct error *err);

/* "always", "on-failure:3" ...; -1 for anything else. */
int restart_parse(const char *text, enum restart_policy *ret, uint32_t *ret_max);

#endif
