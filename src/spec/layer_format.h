/* spec/layer_format - the bytes of spec/layer_index, known to its writer and its reader */
#ifndef BRYO_SPEC_LAYER_FORMAT_H
#define BRYO_SPEC_LAYER_FORMAT_H

#include <endian.h>
#include <string.h>

#include "spec/layer_index.h"

#define LAYER_MAGIC "bryolidx"
#define LAYER_VERSION 1

/* All numbers little-endian. */
struct layer_header {
	char magic[8];
	uint32_t version, reserved;
	uint64_t entries, size;		/* size: of the whole file */
	uint64_t checksum;		/* of the whole file with zeros here */
};

/* An entry's first byte: its type and what it is. */
enum layer_head {
	HEAD_TYPE = 0x07, HEAD_OPAQUE = 0x08, HEAD_IMPLIED = 0x10, HEAD_LINKED = 0x20, HEAD_XATTRS = 0x40,
	HEAD_UNKNOWN = 0x80,
};

/* Where a byte of a path stands in the order of an index. */
static inline unsigned layer_rank(char c)
{
	return c == '/' ? 1 : c ? (unsigned)(unsigned char)c + 1 : 0;
}

/* Each word changes the sum one to one, so that a change of one word is always found. */
static inline uint64_t layer_sum(uint64_t sum, const void *p, size_t n)
{
	const unsigned char *at = p;

	while (n) {
		size_t part = n < 8 ? n : 8;
		uint64_t word = 0;

		memcpy(&word, at, part);
		sum = (sum ^ le64toh(word)) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
		at += part;
		n -= part;
	}
	return sum;
}

static inline uint64_t layer_checksum(struct layer_header header, const void *body, size_t n)
{
	header.checksum = 0;
	return layer_sum(layer_sum(0, &header, sizeof(header)), body, n);
}

#endif
