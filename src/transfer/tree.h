/* transfer/tree - writes the entries of a hostile archive below one directory, and nowhere else
 *
 * Every name is cleaned and then walked from the root's descriptor: openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) for
 * its parents. Where the same tree has a link in place of a parent it is followed by RESOLVE_IN_ROOT, which cannot
 * leave the root. The last component is never followed. Missing parents become 0755 directories; an entry takes the
 * place of what an earlier one made under the same name. Ownership is checked against the mapped ids before anything
 * is written, and is applied before modes (set-id bits survive) and xattrs. Times, modes and default ACLs of
 * directories come last, in tree_finish, from a scratch file: memory does not grow with the archive.
 *
 * In a layer `.wh.NAME` becomes a whiteout and `.wh..wh..opq` marks its directory opaque, as the file system can have it
 * (sys/whiteout). What a layer brings itself survives its own whiteouts, in whichever order they come: a directory that is
 * whited out and brought is opaque. */
#ifndef BRYO_TRANSFER_TREE_H
#define BRYO_TRANSFER_TREE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/string.h"

struct tree_ids { const int64_t *v; size_t n; };	/* first,count pairs; none: everything is allowed */

struct tree_options {
	bool squash_owner;		/* everything belongs to 0 */
	bool keep_kind;			/* a file never replaces a directory, nor the other way round */
	struct tree_ids uids, gids;
	const char *user;		/* whose they are, NULL: nobody's in particular */
	int64_t free_id;		/* the first that nobody has */
};

struct tree_xattr { const char *name; const void *value; size_t size; };

struct tree_entry {
	const char *path;		/* cleaned: no leading '/', no "." or ".."; "" is the root */
	mode_t mode;			/* permissions and set-id bits */
	int64_t uid, gid;
	struct timespec mtime;
	const struct tree_xattr *xattrs;
	size_t xattrs_n;
};

struct tree_parent {			/* the directory the last entry went to */
	char *path;
	int fd;
	bool sets_gid;			/* what is made in it inherits its group */
};

struct tree {
	struct tree_options options;
	int root;			/* O_PATH or read descriptor; the caller's */
	char *prefix;			/* where below root the entries go; "" */
	struct tree_parent parent;
	int file;			/* untar's: being written, up to here; -1 */
	int64_t file_end;
	FILE *fixups;
	int64_t size, max_uid, max_gid;
	int64_t skipped_devices;
	bool marks;			/* there are whiteouts that are no devices: see sys/whiteout */
};

/* prefix: a directory in the root, already resolved; scratch_fd: an empty file, taken over. */
int tree_init(struct tree *t, int root, const char *prefix, const struct tree_options *options, int scratch_fd,
	      struct error *err);
int tree_directory(struct tree *t, const struct tree_entry *e, struct error *err);
/* Answers a write descriptor of the new empty file; tree_close_file ends it with attributes. */
int tree_open_file(struct tree *t, const struct tree_entry *e, struct error *err);
int tree_close_file(struct tree *t, const struct tree_entry *e, int fd, int64_t size, struct error *err);
int tree_symlink(struct tree *t, const struct tree_entry *e, const char *target, struct error *err);
int tree_fifo(struct tree *t, const struct tree_entry *e, struct error *err);
/* target is cleaned as a path is; it must be in the tree. */
int tree_hardlink(struct tree *t, const struct tree_entry *e, const char *target, struct error *err);
int tree_finish(struct tree *t, struct error *err);
void tree_done(struct tree *t);

/* Lexical cleaning as path.Clean("/" + name) without the slash; NULL and err for an over-long or too deep name. The result
 * lives in buf. */
struct tree_name { char *data; size_t room; };
const char *tree_clean(struct tree_name *buf, const char *name, struct error *err);
/* What a name means in a layer. */
enum tree_mark { MARK_NONE, MARK_WHITEOUT, MARK_OPAQUE, MARK_IGNORED, MARK_INVALID };
enum tree_mark tree_mark_of(const char *path);
int tree_whiteout(struct tree *t, const char *path, struct error *err);	/* path as in the archive: dir/.wh.NAME */
int tree_opaque(struct tree *t, const char *path, struct error *err);	/* dir/.wh..wh..opq */
/* Refuses ids that are not mapped, by the entry's name. */
int tree_check_owner(const struct tree_options *o, const struct tree_entry *e, struct error *err);
/* Should this xattr of an archive reach the disk? */
bool tree_xattr_is_kept(const char *name);
/* May one that could not be set be left out? */
bool tree_xattr_may_fail(const char *name, int error_number);

#endif
