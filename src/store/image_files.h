/* store/image_files - an image's layers as one tree to be read
 *
 * A read-only mount where the kernel's overlay or fuse-overlayfs works, whatever driver containers use; a copy in a
 * stage where neither does. What is opened goes with its owner's process; what is mounted at mounts/<image id> stays
 * until it is unmounted, or with the mount namespace. */
#ifndef BRYO_STORE_IMAGE_FILES_H
#define BRYO_STORE_IMAGE_FILES_H

#include "store/changes.h"
#include "store/store.h"

struct image_files {
	int root;			/* the tree's directory */
	char *stage;			/* of a copy, with its lock; NULL */
	int lock;
};

/* May give the process a mount namespace of its own. The caller keeps the layers from being swept (an image or a
 * container names them, or he holds the store's lock). */
int image_files_open(struct arena *arena, struct store *s, const struct strings *layers, struct image_files *ret,
		     struct error *err);
void image_files_close(struct store *s, struct image_files *f);

/* What the topmost of the layers changed in those below, in proportion to that layer. */
int image_files_changes(struct arena *arena, struct store *s, const struct strings *layers, struct changes *ret,
			struct error *err);

/* What one image's layers show that another's do not. */
int image_files_changes_between(struct arena *arena, struct store *s, const struct strings *older,
				const struct strings *newer, struct changes *ret, struct error *err);

/* Mounts the layers for people to look at, in the caller's mount namespace; *ret_path is where. Mounted already is
 * success. */
int image_files_mount(struct arena *arena, struct store *s, const char *image_id, const struct strings *layers,
		      char **ret_path, struct error *err);
/* 1 when it was mounted, 0 when not. */
int image_files_unmount(struct arena *arena, struct store *s, const char *image_id, struct error *err);
/* Where the image is mounted; NULL when it is not. */
char *image_files_mounted(struct arena *arena, const struct store *s, const char *image_id);

#endif
