/* transfer/layer_node - the inside of transfer/layer_tree: names, what they stand for, and the way to them
 *
 * As on disk, a name (node) and what it stands for (inode) are two things: a hard link is one more name of an inode.
 * The names of a directory hang on its inode, so that replacing a directory is one assignment: its names are simply not
 * reached any more. All nodes are in one hash table by directory and name. */
#ifndef BRYO_TRANSFER_LAYER_NODE_H
#define BRYO_TRANSFER_LAYER_NODE_H

#include "transfer/layer_tree.h"

struct layer_inode {
	enum layer_entry_type type;	/* never LAYER_HARDLINK */
	bool opaque, implied;
	uint32_t mode, uid, gid, names;	/* names: counted when the index is written */
	struct timespec mtime;
	union {
		struct { struct layer_node *node, *first; } directory;	/* its name (NULL: the root), its children */
		struct { int64_t size; unsigned char digest[LAYER_DIGEST_SIZE]; } file;
		const char *target;
		uint64_t device;
	};
	const struct layer_node *written;	/* the name under which it is in the index already */
	struct layer_xattr *xattrs;
	size_t xattrs_n;
};

struct layer_node {
	struct layer_inode *parent, *inode;	/* inode NULL: the name is free again */
	struct layer_node *next, *chain;	/* in the directory; in the table */
	uint64_t hash;
	char name[];
};

struct layer_tree {
	struct tree_options options;
	struct layer_tree_totals totals;
	struct layer_inode *root;
	struct layer_node **table;
	size_t table_size, nodes;	/* table_size: a power of two */
	uint64_t seed;			/* nobody can make names that meet in the table */
	struct arena *arena;
	size_t memory, memory_max, xattrs_size;
};

/* Memory of the tree's, counted; NULL and err when it is too much. */
void *layer_tree_alloc(struct layer_tree *t, size_t size, struct error *err);
struct layer_inode *layer_inode_new(struct layer_tree *t, enum layer_entry_type type, struct error *err);

/* The name in a directory, n bytes: NULL when there is none yet. */
struct layer_node *layer_node_find(const struct layer_tree *t, const struct layer_inode *directory, const char *name,
				   size_t n);
/* The same, made where it is missing; NULL and err. */
struct layer_node *layer_node_need(struct layer_tree *t, struct layer_inode *directory, const char *name, size_t n,
				   struct error *err);
/* A new directory under the name: implied; opaque and another than the lower layers' when a whiteout stood there. */
struct layer_inode *layer_node_make_directory(struct layer_tree *t, struct layer_node *node, struct error *err);
/* The directory that the first n bytes of a path are, made where it is missing, links followed; NULL and err. */
struct layer_inode *layer_node_directory(struct layer_tree *t, const char *path, size_t n, struct error *err);
/* The node of a path that is not the root's, its parents made where missing; NULL and err. */
struct layer_node *layer_node_at(struct layer_tree *t, const char *path, struct error *err);
/* The node of a path as it is: NULL when a parent or the name is not there. */
struct layer_node *layer_node_existing(const struct layer_tree *t, const char *path);

#endif
