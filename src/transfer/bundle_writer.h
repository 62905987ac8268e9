/* transfer/bundle_writer - the files of an image archive or of an OCI directory, on their way out
 *
 * The twin of transfer/bundle: files by name become members of a tar, or files below a directory. In a directory each is
 * written unnamed and gets its name when it is whole; what had the name before is replaced. A name is written once: a
 * second file of the same name is not begun. */
#ifndef BRYO_TRANSFER_BUNDLE_WRITER_H
#define BRYO_TRANSFER_BUNDLE_WRITER_H

#include "transfer/tar_writer.h"
#include "transfer/work.h"

struct bundle_writer {
	struct arena *arena;
	int dir;			/* -1: an archive */
	struct tar_writer tar;
	struct strings names;		/* written */
	/* the open file of a directory */
	int fd;
	char *name, *temporary;		/* temporary: NULL while the file is unnamed */
};

/* fd, a directory or anything that can be written to, stays the caller's. */
void bundle_writer_init(struct bundle_writer *b, struct arena *arena, int fd);
/* Can a file be begun without its size? */
bool bundle_writer_takes_any_size(const struct bundle_writer *b);
bool bundle_writer_has(const struct bundle_writer *b, const char *name);
int bundle_writer_begin(struct bundle_writer *b, const char *name, int64_t size, struct error *err);
int bundle_writer_data(struct bundle_writer *b, const void *p, size_t n, struct error *err);
int bundle_writer_end(struct bundle_writer *b, struct error *err);
/* A whole file from memory. */
int bundle_writer_add(struct bundle_writer *b, const char *name, const void *p, size_t n, struct error *err);
int bundle_writer_finish(struct bundle_writer *b, struct error *err);
/* Drops the open file. */
void bundle_writer_done(struct bundle_writer *b);

#endif
