/* transfer/objects - the contents of files, kept once by their digest in the store's objects/
 *
 * An object is <c>/<21 characters> (spec/object_name): a file of mode 0444 that never changes, with its whole SHA-256
 * in the extended attribute user.bryo.sha256. Contents up to OBJECTS_MEMORY are hashed in memory and written only when
 * they are not there; larger ones go to an unnamed file that is hashed while it grows and gets its name, or vanishes
 * when another has it. An object counts as there when its size and its whole digest are right; one of another size was
 * cut by a power failure and is replaced. Nothing is synced here: the store does that once for a whole pull. Empty
 * files have no object. */
#ifndef BRYO_TRANSFER_OBJECTS_H
#define BRYO_TRANSFER_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/object_name.h"
#include "transfer/hash.h"

#define OBJECTS_MEMORY ((size_t)1 << 20)

struct objects {
	int dir;			/* objects/; the caller's */
	bool by_path;			/* files get their names by their paths in /proc */
	struct hash hash;
	unsigned char *memory;		/* the content that is being added, while it is small */
	int fd;				/* its unnamed file, once it is large; -1 */
	int64_t size;			/* its bytes so far */
	int64_t written, found;		/* objects made, and those that were there */
};

int objects_init(struct objects *o, int dir, struct error *err);
void objects_done(struct objects *o);

/* One content in one block. digest gets OBJECT_DIGEST_SIZE bytes. */
int objects_put(struct objects *o, const void *p, size_t n, unsigned char *digest, struct error *err);

/* The same piece by piece. A content that is begun anew, or never ended, leaves nothing behind. */
void objects_begin(struct objects *o);
int objects_add(struct objects *o, const void *p, size_t n, struct error *err);
int objects_add_hole(struct objects *o, int64_t n, struct error *err);	/* zeros that take no room */
int objects_end(struct objects *o, unsigned char *digest, struct error *err);

/* The rest of a regular file, holes kept, blocks shared where the file system can; *ret_size: its bytes. */
int objects_copy(struct objects *o, int fd, unsigned char *digest, int64_t *ret_size, struct error *err);

/* For who was told a digest and a size by a stranger, and must not put anything right by that. The object may be there;
 * and: opened for reading, its digest compared as for every hit. -1 with errno. */
bool objects_has(int dir, const unsigned char *digest, int64_t size);
int objects_open(int dir, const unsigned char *digest, int64_t size, struct hash *hash);

/* Is the object what its name and its attribute say, by its contents? 1, 0, or -1 when it cannot be read or is not
 * there. */
int objects_verify(struct objects *o, const char *name, struct error *err);
/* The names of all objects. */
int objects_list(struct arena *arena, int dir, struct strings *ret, struct error *err);

#endif
