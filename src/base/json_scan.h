/* base/json_scan - what json-c lets through
 *
 * json-c in its strict mode still takes single quotes, NaN, leading zeros, "1.", raw control bytes, encoded surrogates and numbers
 * beyond 64 bits (which it clamps), and silently drops all but the last of equal member names. Two parsers that read one text
 * differently are how checks are bypassed, so the text's tokens are checked here, before json-c sees it, and the
 * members of each object are counted, to be compared with what json-c kept. */
#ifndef BRYO_BASE_JSON_SCAN_H
#define BRYO_BASE_JSON_SCAN_H

#include "base/string.h"

#define JSON_DEPTH_MAX 64
#define JSON_WEIGHT_MAX (1 << 20)	/* values, objects six times: what json-c makes of them costs 120 bytes each */

/* The number of members of each object, in the order of the objects' opening braces. */
struct json_counts { unsigned *v; size_t n; };

int json_scan(struct arena *arena, const char *text, size_t len, const char *where, struct json_counts *ret,
	      struct error *err);
/* Length of the well-formed UTF-8 sequence at s (at most n bytes), 0 when there is none: no overlong forms, no
 * surrogates, nothing above U+10FFFF (Unicode 15, table 3-7). */
size_t json_utf8_length(const char *s, size_t n);
/* Sets "where: line L, column C: what" for a byte offset. */
int json_text_error(struct error *err, const char *where, const char *text, size_t offset, const char *what);

#endif
