/* transfer/sink - a blob on its way into blobs/sha256: hashed while it is written, named only when it is right
 *
 * The bytes go to an unnamed file (or, where the file system has none, to a named one in tmp/ that is locked while it
 * grows). sink_keep gives it the digest's name when digest and size are what was expected; a blob that is already
 * there is success. A killed process leaves nothing behind, or a staging entry that nobody locks. */
#ifndef BRYO_TRANSFER_SINK_H
#define BRYO_TRANSFER_SINK_H

#include <stdint.h>

#include "transfer/hash.h"

struct places {			/* the directories that bryo-transfer writes to */
	int blobs, tmp;
	int objects;		/* -1: this store has none */
	int layers;		/* read only: their recipes. -1: none */
};

struct sink {
	const struct places *places;
	int fd;
	char name[64];			/* in tmp/, "" for an unnamed file */
	struct hash hash;
	uint64_t size;
	char digest[DIGEST_TEXT_MAX];	/* after sink_finish */
};

int sink_open(struct sink *s, const struct places *places, struct error *err);
int sink_write(struct sink *s, const void *p, size_t n, struct error *err);
/* Ends the writing: s->digest and s->size are final. The file can still be read through s->fd. */
void sink_finish(struct sink *s);
/* Names the blob. Finishes first when needed. An expected digest or size (NULL, -1: whatever it is) that does not hold
 * is ERROR_INVALID. */
int sink_keep(struct sink *s, const char *digest, int64_t size, struct error *err);
void sink_done(struct sink *s);

/* A small blob from memory. digest has DIGEST_TEXT_MAX bytes, may be NULL. */
int sink_bytes(const struct places *places, const void *p, size_t n, char *digest, struct error *err);
/* Is the blob there with this size (-1: any)? */
bool sink_has(const struct places *places, const char *digest, int64_t size);
/* The blob opened for reading; regular files only. -1 with errno. */
int sink_open_blob(const struct places *places, const char *digest);
/* ERROR_NO_SPACE when the file system of fd has no room for that many bytes: said before they are written, because a number
 * in a header costs a stranger nothing. what: who needs them. Small sizes simply meet ENOSPC. */
int sink_check_room(int fd, int64_t size, const char *what, struct error *err);
/* An unnamed file for reading and writing in tmp/. -1 with errno. */
int sink_scratch(const struct places *places);

#endif
