/* transfer/tar_writer - a plain tar of regular files and directories, the same bytes for the same files
 *
 * Members belong to 0:0 and have mode 0644 or 0755 and the time 0. Headers are ustar's; sizes of 8 GiB and more are written in
 * base 256, as every reader of today knows. A member whose size is not known before its bytes can be written to a file
 * that can seek: its header is put right at its end. */
#ifndef BRYO_TRANSFER_TAR_WRITER_H
#define BRYO_TRANSFER_TAR_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define TAR_NAME_MAX 100

struct tar_writer {
	int fd;
	bool can_seek;			/* sizes may be told late */
	off_t header;			/* where the open member's header is */
	char name[TAR_NAME_MAX + 1];	/* of the open member */
	int64_t size, written;		/* of the open member; size -1: not known yet */
};

/* fd stays the caller's. */
void tar_writer_init(struct tar_writer *t, int fd);
int tar_writer_directory(struct tar_writer *t, const char *name, struct error *err);	/* "blobs/" */
/* size: -1 only when can_seek. */
int tar_writer_begin(struct tar_writer *t, const char *name, int64_t size, struct error *err);
int tar_writer_data(struct tar_writer *t, const void *p, size_t n, struct error *err);
/* Pads the member. One that got fewer bytes than it was said to have is an error. */
int tar_writer_end(struct tar_writer *t, struct error *err);
/* The end mark. */
int tar_writer_finish(struct tar_writer *t, struct error *err);

#endif
