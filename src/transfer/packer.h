/* transfer/packer - writes a tar of files that may change while they are read (their container runs)
 *
 * Walks by descriptors and follows no link: a file that shrinks is filled with zeros, one that vanishes is left out.
 * Sockets are left out, hard links between what is packed stay links. */
#ifndef BRYO_TRANSFER_PACKER_H
#define BRYO_TRANSFER_PACKER_H

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "base/error.h"
#include "spec/transfer.h"

enum { PACKER_BLOCK = 1 << 17 };

typedef int packer_out(void *context, const void *p, size_t n, struct error *err);

struct packer {
	struct archive *archive;
	struct archive_entry_linkresolver *links;
	const struct transfer_request *ids;	/* uid_map and gid_map: owners are written as ids of the container */
	bool plain;			/* holes as zeros up to a GiB, for readers that do not know sparse files */
	packer_out *out;
	void *context;
	char block[PACKER_BLOCK];
	struct error error;		/* of the output */
};

/* Large: in an arena. packer_done is for every packer that was opened, well or not. */
int packer_open(struct packer *p, packer_out *out, void *context, struct error *err);
/* The entry `name` of a directory under the name `as`, with all that is in it; "" packs what is in it only. */
int packer_add_tree(struct packer *p, int dirfd, const char *name, const char *as, struct error *err);
/* The same without what is in it. 0 when it is not there any more. */
int packer_add(struct packer *p, int dirfd, const char *name, const char *as, struct error *err);
/* An empty file, as whiteouts are. */
int packer_add_empty(struct packer *p, const char *as, struct error *err);
/* Writes the end of the archive. */
int packer_finish(struct packer *p, struct error *err);
void packer_done(struct packer *p);

#endif
