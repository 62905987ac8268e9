/* store/store - content on disk: directories, drivers and the staging protocol
 *
 * Files are the database. Every object is a directory or file made complete under tmp/ and renamed into place; a
 * killed command leaves only entries of tmp/ and trash/ that nobody locks, which the next command collects. All
 * functions run inside the rootless namespace. Layout: see ARCHITECTURE.md. */
#ifndef BRYO_STORE_STORE_H
#define BRYO_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"
#include "sys/lock.h"
#include "sys/mount.h"

enum store_driver { DRIVER_OBJECTS, DRIVER_OVERLAY, DRIVER_FUSE_OVERLAYFS, DRIVER_VFS };

struct store;

/* What belongs to a container elsewhere and goes with it: called with its directory, which has lost its place, before that
 * is deleted; s is the store as the caller has it open, which may be another process. volumes: the anonymous ones go too. Whoever removes it may be killed in between; then a later collection
 * calls it, perhaps once more. -1: not everything could be done, and it is to be called again. */
struct store_burial {
	int (*bury)(void *context, struct store *s, int dir, const char *id, bool volumes);
	void *context;
};

struct store {
	char *path;			/* $XDG_DATA_HOME/bryo */
	int root_fd;			/* path itself */
	int blobs_fd;			/* blobs/sha256 */
	int tmp_fd;			/* tmp: staging */
	int objects_fd;			/* objects: contents of files by digest */
	int run_fd;			/* the runtime directory, for the trees of images; the opener's, who sets it. -1: none */
	enum store_driver driver;
	char *driver_why;		/* "native overlay with userxattr works here", or why not */
	char *fuse_overlayfs;		/* the program, for that driver */
	bool single_id;			/* ownership in layers is not applied */
	struct store_burial burial;	/* .bury NULL: nothing belongs to containers elsewhere */
};

/* Makes the directories, chooses the driver (probed once; the answer is kept in the store with the kernel's release)
 * or takes `driver` ("objects", "overlay", ...; NULL: probe). */
int store_open(struct arena *arena, const char *path, const char *driver, bool single_id, struct store *ret,
	       struct error *err);
void store_close(struct store *s);
const char *store_driver_name(enum store_driver driver);

/* --- who may delete layers and blobs
 * Whoever relies on layers or blobs that no image and no container names yet (pull, load, import, commit, create) holds
 * the store's lock shared from the first question ("does this layer exist?") until image_commit or
 * container_store_create has named them. Deletion takes it exclusively. Answers the descriptor; close it to unlock. */
int store_lock(const struct store *s, enum lock_mode mode, bool wait, struct error *err);
/* The shared lock together with a mark by which the death of its holder is noticed: then the next command removes the
 * layers and blobs that nothing names. For a pull, load, import or commit, from its first blob to image_commit. */
struct store_claim { int lock, mark; char name[32]; };
int store_claim(struct store *s, struct store_claim *ret, struct error *err);
void store_claim_done(struct store *s, struct store_claim *claim);

/* --- staging
 * A new directory tmp/<random>, locked by the returned descriptor; its name goes to *ret_name. store_stage_done removes
 * what is left of it and unlocks. A stage whose lock is free was abandoned: it is collected, and so are layers and
 * blobs that nothing names. */
int store_stage(struct arena *arena, struct store *s, char **ret_name, struct error *err);
int store_stage_named(struct store *s, const char *name, struct error *err);	/* name: unique, no '/' */
void store_stage_done(struct store *s, const char *name, int *lock);
/* A record: written whole under tmp/, renamed over the path. durable: survives a power failure after the return. */
int store_write(struct store *s, const char *path_below_root, const void *p, size_t n, bool durable,
		struct error *err);
/* The same for a symbolic link whose text is what counts; replaces what is there, and survives a power failure. */
int store_link(struct store *s, const char *text, const char *path_below_root, struct error *err);

/* --- removing
 * Moves anything of the store aside (rename into trash/) and deletes it: at once, or later by store_collect. Works on
 * a full disk. 0 when it is not there. */
int store_discard(struct store *s, const char *path_below_root, bool now, struct error *err);
/* The second half of a container's removal: trash/<entry>, named by container_store_remove, loses its names, is buried and
 * deleted. */
void store_bury(struct store *s, const char *entry);
/* Removes unlocked tmp/ and trash/ entries, and layers and blobs that nothing needs when something was abandoned; best
 * effort. One collector at a time: a second one returns at once. */
int store_collect(struct store *s);
void store_collect_in_background(struct store *s);	/* by a detached process; returns at once */
/* In the background, when killed commands left anything: for whoever opened the store. */
void store_collect_leftovers(struct store *s);
/* Removes layers and blobs that no image and no container names; put off to the next collection while somebody holds
 * the lock shared. Removed layers' chain IDs go to ret_removed when not NULL. */
int store_sweep(struct arena *arena, struct store *s, struct strings *ret_removed, struct error *err);
/* Removes the blobs of these layers that they spare (see layer.elsewhere), as far as no other layer insists on them; put off
 * likewise. Nobody may hold the lock, not even the caller. */
void store_spare_blobs(struct arena *arena, struct store *s, const struct strings *layers);
/* What a sweep would remove: the names in layers/ and blobs/sha256. 1 when it cannot be told now, because somebody holds the
 * lock shared; -1 (err) when it cannot be told at all, because a record is damaged. */
int store_unneeded(struct arena *arena, struct store *s, struct strings *ret_layers, struct strings *ret_blobs,
		   struct error *err);
/* Removes objects that no layer names, put off in the same way. It takes its time: for the collector. */
int store_sweep_objects(struct arena *arena, struct store *s, struct error *err);
/* What it would remove, without what is younger; answers as store_unneeded does. */
struct store_waste { size_t n; uint64_t bytes; };
int store_unneeded_objects(struct arena *arena, struct store *s, int64_t max_age_ns, struct store_waste *ret,
			   struct error *err);

#endif
