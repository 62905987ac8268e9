/* transfer/tree_place - the inside of transfer/tree: where an entry goes, and what stands there already */
#ifndef BRYO_TRANSFER_TREE_PLACE_H
#define BRYO_TRANSFER_TREE_PLACE_H

#include "transfer/tree.h"

struct tree_fixup { struct timespec mtime; size_t path_size, acl_size; };	/* then path, NUL, ACL */

/* The entry's parent directory, made where missing: a descriptor that the tree keeps, valid until the next call that
 * takes a path. *ret_name points into path. */
int tree_enter(struct tree *t, const char *path, const char **ret_name, struct error *err);
/* The same without making anything; the caller's descriptor. -1 with errno. */
int tree_enter_existing(struct tree *t, const char *path, const char **ret_name);
void tree_forget_parent(struct tree *t);
/* Makes room for an entry: removes what is there unless it is a directory and one is wanted. *ret_hides: a whiteout
 * stood there. Keeps the parent. */
int tree_clear(struct tree *t, const char *path, const char *name, bool want_directory, bool *ret_hides,
	       struct error *err);
/* A directory below dirfd without following a link; paths of any length. -1 with errno. */
int tree_open_dir(int dirfd, const char *path, int flags);
/* A directory that an entry made, for reading. -1 with errno. */
int tree_open_made(struct tree *t, const char *path);
int tree_set_opaque(int dirfd, struct error *err);
/* Takes away the mark that hides an entry of this name below: was there one? */
bool tree_unmark(const struct tree *t, int parent, const char *name);

void tree_note_owner(struct tree *t, const struct tree_entry *e);
bool tree_must_chown(const struct tree *t, const struct tree_entry *e);
static inline uid_t tree_uid(const struct tree *t, const struct tree_entry *e)
{
	return t->options.squash_owner ? 0 : (uid_t)e->uid;
}
static inline gid_t tree_gid(const struct tree *t, const struct tree_entry *e)
{
	return t->options.squash_owner ? 0 : (gid_t)e->gid;
}

#endif
