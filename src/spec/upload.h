/* spec/upload - how far an upload is and which piece comes next
 *
 * The distribution specification's "Pushing a blob in chunks". Pure arithmetic
 * over what registries say, which is not always true: nothing here trusts a number. */
#ifndef BRYO_SPEC_UPLOAD_H
#define BRYO_SPEC_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Of a Range header ("0-499", also "bytes=0-499"): how many bytes the registry has, at most size. "0-0" is what
 * registries say of an upload that has nothing yet. -1: the header says something else or more than can be. */
int64_t upload_received(const char *range, int64_t size);

struct upload_pieces {
	int64_t least, most;	/* 0: no such limit */
};
/* The bytes of the next piece of a blob of which `have` of `size` bytes are there. */
int64_t upload_piece(const struct upload_pieces *p, int64_t have, int64_t size);
/* A piece of this size was too large: smaller ones from now on; false when they cannot be any smaller. */
bool upload_make_smaller(struct upload_pieces *p, int64_t refused);
/* A piece of this size was cut and nothing of it was kept, as docker-registry does: so that less is lost the next time,
 * smaller ones when it was a large one. */
void upload_lost(struct upload_pieces *p, int64_t piece);
/* What OCI-Chunk-Min-Length asks for. */
void upload_take_least(struct upload_pieces *p, const char *header);

#endif
