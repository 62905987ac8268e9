/* spec/layer_index - what one layer holds, as one compact file: names, attributes and digests, without contents
 *
 * Written once when a layer is unpacked, read when an image's tree is made, when images are compared, pushed and
 * verified. Entries are sorted by path, component by component, so that a directory comes right before its contents and
 * the indexes of an image's layers can be merged in one pass (spec/layer_merge). Paths are clean (no leading '/', no
 * "." or ".."; "" is the root) and unique; the parents of each entry are directories of the same index, the root may be
 * missing. The same layer always gives the same bytes. The format is checked on opening (version, size, checksum) and
 * each entry again when it is read: a damaged file is an error, never a wrong tree.
 *
 * The file: a header (magic, version, number of entries, size, checksum; little-endian), then the entries. A path is
 * kept as what differs from the one before; numbers are 7 bits a byte. The checksum finds damage, not forgery. */
#ifndef BRYO_SPEC_LAYER_INDEX_H
#define BRYO_SPEC_LAYER_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "spec/object_name.h"

enum layer_entry_type {
	LAYER_DIRECTORY = 1, LAYER_FILE, LAYER_SYMLINK, LAYER_HARDLINK, LAYER_FIFO,
	LAYER_DEVICE,			/* recorded, never made */
	LAYER_WHITEOUT,
};

#define LAYER_PATH_MAX ((size_t)1 << 16)	/* bytes of a path or target */
#define LAYER_XATTRS_MAX 256
#define LAYER_DIGEST_SIZE OBJECT_DIGEST_SIZE

struct layer_xattr { const char *name; const void *value; size_t size; };

struct layer_entry {
	enum layer_entry_type type;
	const char *path;		/* a whiteout: the path that it hides */
	uint32_t mode;			/* permissions and set-id bits; devices: with the type */
	uint32_t uid, gid;
	struct timespec mtime;
	bool opaque;			/* LAYER_DIRECTORY: what lower layers have in it is hidden */
	bool implied;			/* LAYER_DIRECTORY: named as a parent only: a lower layer's attributes stand */
	bool linked;			/* LAYER_FILE, _SYMLINK, _FIFO: hard links to it come later in the same index */
	int64_t size;			/* LAYER_FILE */
	unsigned char digest[LAYER_DIGEST_SIZE];	/* LAYER_FILE of size > 0: SHA-256 of its contents, else zeros */
	const char *target;		/* LAYER_SYMLINK: its text; LAYER_HARDLINK: an earlier, linked entry's path */
	uint64_t device;		/* LAYER_DEVICE */
	const struct layer_xattr *xattrs;	/* LAYER_FILE, LAYER_DIRECTORY: sorted by name */
	size_t xattrs_n;
};

/* The order of an index: as strcmp, but '/' comes before every other byte. */
int layer_index_compare(const char *a, const char *b);

/* --- writing: entries in sorted order into memory */
struct layer_index_writer {
	struct buffer out;		/* the file's bytes, complete after layer_index_end */
	struct buffer path;		/* of the entry before */
	uint64_t entries;
};

void layer_index_begin(struct layer_index_writer *w, size_t limit);
/* -1: out of order, or larger than the limit. */
int layer_index_add(struct layer_index_writer *w, const struct layer_entry *e, struct error *err);
int layer_index_end(struct layer_index_writer *w, struct error *err);
void layer_index_writer_done(struct layer_index_writer *w);

/* --- reading: over a mapped file or memory, which must outlive the reader */
struct layer_index;

/* Checks header and checksum. where: names it in errors. NULL when it is no whole index of this version. */
struct layer_index *layer_index_open(struct arena *arena, const void *p, size_t n, const char *where,
				     struct error *err);
/* 1 and an entry valid until the next call, 0 at the end, -1. */
int layer_index_next(struct layer_index *x, const struct layer_entry **ret, struct error *err);
void layer_index_rewind(struct layer_index *x);
uint64_t layer_index_entries(const struct layer_index *x);

#endif
