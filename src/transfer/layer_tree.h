/* transfer/layer_tree - the tree of one layer in memory, while its archive is read or its directory is walked
 *
 * The same rules as transfer/tree, without a file system: names are clean, a link of the same layer in place of a
 * parent is followed within the root, missing parents become directories that are only implied, an entry takes the place
 * of what an earlier one made under the same name, hard links point to what is in the layer. Whiteouts and opaque marks
 * count for the layers below, in whichever order they come; a directory that is whited out and brought is opaque, and has
 * nothing from the one below. Owners are checked against the mapped ids. Devices are recorded. Memory is bounded: a layer
 * whose tree does not fit is refused. What comes out is the layer's index (spec/layer_index), the same for the same layer. */
#ifndef BRYO_TRANSFER_LAYER_TREE_H
#define BRYO_TRANSFER_LAYER_TREE_H

#include "spec/layer_index.h"
#include "transfer/tree.h"

#define LAYER_TREE_MEMORY ((size_t)512 << 20)	/* some two million entries */

struct layer_tree;

struct layer_tree_totals { int64_t size, max_uid, max_gid; };	/* size: bytes of files, as they came */

struct layer_tree *layer_tree_new(const struct tree_options *options, size_t memory_max, struct error *err);
void layer_tree_free(struct layer_tree *t);

/* Would the entry be taken? For those who must write a file's contents before they know its digest. */
int layer_tree_check(const struct layer_tree *t, const struct tree_entry *e, struct error *err);
int layer_tree_directory(struct layer_tree *t, const struct tree_entry *e, struct error *err);
int layer_tree_file(struct layer_tree *t, const struct tree_entry *e, int64_t size, const unsigned char *digest,
		    struct error *err);
int layer_tree_symlink(struct layer_tree *t, const struct tree_entry *e, const char *target, struct error *err);
int layer_tree_fifo(struct layer_tree *t, const struct tree_entry *e, struct error *err);
/* type: S_IFCHR or S_IFBLK. */
int layer_tree_device(struct layer_tree *t, const struct tree_entry *e, mode_t type, dev_t device, struct error *err);
/* target: clean, as a path is. */
int layer_tree_hardlink(struct layer_tree *t, const struct tree_entry *e, const char *target, struct error *err);
int layer_tree_whiteout(struct layer_tree *t, const char *path, struct error *err);	/* the path that it hides */
int layer_tree_opaque(struct layer_tree *t, const char *path, struct error *err);	/* the directory's path */
/* The same by the name of a mark: dir/.wh.NAME, dir/.wh..wh..opq. */
int layer_tree_mark(struct layer_tree *t, const char *path, enum tree_mark mark, struct error *err);

const struct layer_tree_totals *layer_tree_totals(const struct layer_tree *t);
/* Writes everything, sorted; the caller ends the index. */
int layer_tree_write(struct layer_tree *t, struct layer_index_writer *w, struct error *err);

#endif
