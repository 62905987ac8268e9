/* spec/byteranges - an answer with several parts of a file (RFC 9110, section 14.6), taken apart as it comes
 *
 * Each part says in its own header where in the file its bytes belong, and the bytes are counted, not searched for the
 * boundary. What is said is a stranger's: the taker decides whether it wanted those bytes. */
#ifndef BRYO_SPEC_BYTERANGES_H
#define BRYO_SPEC_BYTERANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define BYTERANGES_BOUNDARY_MAX 70	/* RFC 2046 */
#define BYTERANGES_LINE_MAX 1024

/* Bytes of a part in order; never none. -1 ends it. */
typedef int byteranges_taker(void *context, int64_t offset, const char *p, size_t n);

struct byteranges {
	byteranges_taker *take;
	void *context;
	enum { BYTERANGES_BEFORE, BYTERANGES_HEADER, BYTERANGES_PART, BYTERANGES_AFTER, BYTERANGES_END } at;
	char boundary[BYTERANGES_BOUNDARY_MAX + 3];	/* with its "--" */
	char line[BYTERANGES_LINE_MAX];
	size_t line_size;
	unsigned lines;			/* of the header, or before the first part */
	int64_t offset, left;		/* of the part; left < 0: not said yet */
};

/* "bytes FROM-TO/SIZE" of a Content-Range: the first byte, and the one after the last. */
bool byteranges_parse(const char *content_range, int64_t *ret_from, int64_t *ret_end);
/* false when the Content-Type is not that of several parts. */
bool byteranges_begin(struct byteranges *b, const char *content_type, byteranges_taker *take, void *context);
/* -1: no such answer, or the taker has enough (then without text). */
int byteranges_add(struct byteranges *b, const char *p, size_t n, struct error *err);
/* Was its last boundary there? */
bool byteranges_is_whole(const struct byteranges *b);

#endif
