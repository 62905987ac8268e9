/* run/mount_options - the mount options of the OCI runtime specification, decoded
 *
 * Known words become flags, everything else is data for the file system. Pure. */
#ifndef BRYO_RUN_MOUNT_OPTIONS_H
#define BRYO_RUN_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/string.h"

struct mount_options {
	uint64_t set, clear;		/* MOUNT_ATTR_* of the mount itself */
	uint64_t set_tree, clear_tree;	/* the same for it and what is mounted below: rro, rnosuid, ... */
	uint64_t propagation;		/* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0 when not said */
	bool propagation_tree;		/* rprivate, rslave, ... */
	bool bind, bind_tree;		/* bind, rbind */
	bool copy_up;			/* tmpcopyup: a tmpfs begins with what the directory below holds */
	bool copy_symlink;		/* copy-symlink: a source that is a link is made again rather than mounted */
	bool remount;			/* what is mounted there already gets these flags */
	bool idmap, idmap_tree;		/* idmap, ridmap */
	const char *idmap_text;		/* "uids=0-1-10#...;gids=..." of idmap=...; NULL */
	struct strings data;		/* for the file system, and flags of its superblock ("sync") */
};

void mount_options_parse(struct arena *arena, const struct strings *words, struct mount_options *ret);
/* " ro,nosuid,rprivate" for a plan's line; nothing when there is nothing to say. */
int mount_options_print(const struct mount_options *options, struct buffer *out);
/* All words that are understood. */
void mount_options_names(struct arena *arena, struct strings *ret);
/* MS_* of a propagation word ("rslave"), 0 for another; *ret_tree says whether it began with r. */
uint64_t mount_options_propagation(const char *word, bool *ret_tree);

#endif
