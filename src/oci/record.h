/* oci/record - a container on disk, and whether it lives
 *
 * <root>/<id>/ has state.json (this structure, whole by rename), config.json (the configuration as it was used), and
 * while the container waits to be started `start` (the socket it listens on) and `created` (a file whose lock it holds
 * until it executes its command). So what a container does is asked of the kernel; the record says only who it is: a
 * process by pid, start time and boot. The directory itself is locked (flock) by whoever changes something. */
#ifndef BRYO_OCI_RECORD_H
#define BRYO_OCI_RECORD_H

#include "oci/oci.h"

enum record_status { RECORD_CREATING, RECORD_CREATED, RECORD_RUNNING, RECORD_PAUSED, RECORD_STOPPED };
extern const char *const record_status_names[];

struct record {
	char *id, *bundle, *rootfs, *created, *owner;	/* created: RFC 3339; owner: a login name or number */
	int64_t pid;
	uint64_t start_time;
	char *boot_id;
	struct string_map annotations;
	struct cgroup cgroup;
	char *rdt_group;		/* directory in resctrl that was made for it; NULL */
	bool needs_config;		/* start and delete read the configuration: it has hooks for them, or no process */
};

#define RECORD_ID_MAX 244	/* 255 with "bryo-" and ".scope", its names elsewhere */
int record_check_id(const char *id, struct error *err);

/* A new directory, locked. ERROR_EXISTS when the id is taken; what a killed `create` left is taken over. */
int record_claim(struct oci *o, const char *id, struct error *err);
/* The directory of an existing container; lock: wait for whoever works on it, and keep others out. ERROR_NOT_FOUND. */
int record_open(struct oci *o, const char *id, bool lock, struct error *err);
void record_unlock(int dir_fd);		/* for all who share the descriptor */
/* Removes the directory, which is locked. */
int record_remove(struct oci *o, const char *id, int dir_fd, struct error *err);

int record_save(struct arena *arena, int dir_fd, const struct record *r, struct error *err);
/* ERROR_STATE when there is none: it is being created, or that was cut off. */
int record_load(struct arena *arena, int dir_fd, struct record *ret, struct error *err);
/* {"ociVersion":...,"id":...,"pid":...,"status":...}: pid 0 unless it lives. */
struct json *record_state(struct arena *arena, const struct record *r, enum record_status status);

/* Open, lock when asked, and load in one. */
struct opened {
	int dir_fd;
	int process;			/* pidfd of its first process; -1 when that had ended */
	struct record record;
	enum record_status status;
};
#define RECORD_NONE { .dir_fd = -1, .process = -1 }
int record_find(struct oci *o, const char *id, bool lock, struct opened *ret, struct error *err);
#define _cleanup_opened_ __attribute__((cleanup(record_close)))
void record_close(struct opened *c);

#endif
