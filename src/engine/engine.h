/* engine/engine - what every use case stands on: who calls, where things are, what is configured
 *
 * The engine decides and does; it never prints. Warnings and progress go to the face's callbacks (cli/ or api/). */
#ifndef BRYO_ENGINE_ENGINE_H
#define BRYO_ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"
#include "cgroup/cgroup.h"
#include "spec/transfer.h"
#include "store/store.h"
#include "userns/userns.h"

struct engine_face {
	void *context;
	void (*warn)(void *context, const char *text);				/* one line without a newline */
	void (*progress)(void *context, const struct transfer_event *event);	/* pull, load */
	void (*note)(void *context, const char *text);				/* "Trying to pull ...": talk on stderr */
	/* Asks the user for one of several: its place, -1 when he takes none, -2 when there is nobody to ask. NULL: nobody. */
	int (*choose)(void *context, const char *question, const struct strings *choices);
};

struct registries;

struct engine_options {		/* global flags */
	char *storage_driver, *cgroup_manager, *root, *runroot;
	char *log_level;
	char *signature_policy;		/* of the commands that bring images; NULL: the user's or the system's */
};

struct engine {
	struct arena *arena;
	struct engine_options options;
	struct engine_face face;
	struct identity identity;
	struct store store;
	bool store_is_open;
	struct cgroup_host cgroup;
	bool cgroup_is_probed;
	const struct registries *registries;	/* once registry_config read them */
	int outside;			/* sys/outside, for those who may have to name an owner; 0: nobody was left behind */
	int events_fd;			/* the event log once event_log_fd opened it; 0 before */
	int run_fd;			/* $XDG_RUNTIME_DIR/bryo */
	char *run_path;
};

/* Identifies the caller; joins nothing yet. */
int engine_init(struct engine *e, struct arena *arena, const struct engine_options *options,
		const struct engine_face *face, struct error *err);
/* Joins the rootless namespace and opens the store: every command that touches containers or images starts so. */
int engine_open(struct engine *e, struct error *err);
/* Where they are or will be; known without opening anything. */
char *engine_store_path(struct engine *e);
char *engine_runtime_path(struct engine *e);
int engine_cgroup(struct engine *e, struct error *err);		/* probes once */
void engine_warn(struct engine *e, const char *fmt, ...) ERROR_PRINTF(2, 3);
void engine_note(struct engine *e, const char *fmt, ...) ERROR_PRINTF(2, 3);

#endif
