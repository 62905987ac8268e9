/* store/tree - copies file trees by descriptors
 *
 * Contents (reflinks and holes kept where the file systems can), hard links, owners, modes, extended attributes and
 * times. Nothing is resolved by path and no symbolic link is followed, so source and target may belong to a running,
 * hostile container. Devices and sockets are left out: an ordinary user cannot make the former, and the latter mean
 * nothing without their process. */
#ifndef BRYO_STORE_TREE_H
#define BRYO_STORE_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "sys/idmap.h"

struct tree_copy {
	bool whiteouts;		/* the source is an overlay layer: apply its whiteouts and opaque directories, and let
				   its entries replace entries of another kind */
	bool keep_top;		/* do not give the target directory the source directory's attributes */
	bool set_owner;		/* everything new belongs to uid:gid instead of the source's owner */
	uid_t uid;
	gid_t gid;
	const struct id_maps *shift;	/* owners are translated from inside to outside; an unmapped one is an error */
	bool replace;		/* a file may replace a directory and a directory a file */
};

/* The entries of directory source into directory target. */
int tree_copy(int source, int target, const struct tree_copy *how, struct error *err);
/* One entry (any kind), as target_name in target_dir. */
int tree_copy_entry(int source_dir, const char *source_name, int target_dir, const char *target_name,
		    const struct tree_copy *how, struct error *err);
/* A regular file's bytes to the current end of another; holes stay holes. -1 with errno. */
int tree_copy_data(int source, int target, off_t size);

#endif
