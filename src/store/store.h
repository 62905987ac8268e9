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
#include "sys/mount.h"

enum store_driver { DRIVER_OVERLAY, DRIVER_FUSE_OVERLAYFS, DRIVER_VFS };

struct store {
	char *path;			/* $XDG_DATA_HOME/bryo */
	int root_fd;			/* path itself */
	int blobs_fd;			/* blobs/sha256 */
	int tmp_fd;			/* tmp: staging */
	enum store_driver driver;
	char *driver_why;		/* "native overlay with userxattr works here", or why not */
	char *fuse_overlayfs;		/* the program, for that driver */
	bool single_id;			/* ownership in layers is not applied */
};

/* Makes the directories, chooses the driver (probed once; the answer is kept in the store with the kernel's release)
 * or takes `driver` ("overlay", "fuse-overlayfs", "vfs"; NULL: probe), and collects what killed commands left. */
int store_open(struct arena *arena, const char *path, const char *driver, bool single_id, struct store *ret,
	       struct error *err);
void store_close(struct store *s);
const char *store_driver_name(enum store_driver driver);

/* A new directory tmp/<random>, locked by the returned descriptor until it is closed; its name goes to *ret_name. */
int store_stage(struct arena *arena, struct store *s, char **ret_name, struct error *err);
/* Moves anything of the store aside (rename into trash/) and deletes it: at once, or later by store_collect. Works on
 * a full disk. */
int store_discard(struct store *s, const char *path_below_root, bool now, struct error *err);
int store_collect(struct store *s);	/* removes unlocked tmp/ and trash/ entries; best effort */

#endif
