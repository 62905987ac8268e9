/* gateway/table - a bounded number of entries, found by who talks to whom
 *
 * The entries are an array of the owner's, each with a struct entry at its beginning; nothing is allocated. The keyed hash
 * (SipHash) keeps containers from choosing tuples that collide. Entries in use are also a list from the one that was
 * touched longest ago to the newest. */
#ifndef BRYO_GATEWAY_TABLE_H
#define BRYO_GATEWAY_TABLE_H

#include <stdint.h>

#include "gateway/packet.h"

#define TABLE_NONE UINT32_MAX

struct entry {
	struct tuple tuple;
	uint32_t next;				/* of the same bucket, or of the free ones */
	uint32_t older, newer;
	uint16_t generation;			/* counts the uses of this place: an event of an earlier one is told apart */
	bool used;
};

struct table {
	char *entries;
	size_t size;				/* of one */
	uint32_t *buckets;
	uint32_t n, limit, used;		/* places, a power of two; how many may be used; and are */
	uint32_t free, oldest, newest;
	uint64_t key[2];
};

/* n is a power of two; entries and buckets are arrays of n, zeroed. */
void table_init(struct table *t, void *entries, size_t size, uint32_t *buckets, uint32_t n, uint32_t limit);
void *table_find(const struct table *t, const struct tuple *tuple);
/* A new entry, zeroed but for its head; NULL when the table is full. The tuple is not in it yet. */
void *table_add(struct table *t, const struct tuple *tuple);
void table_remove(struct table *t, void *entry);
void table_touch(struct table *t, void *entry);

void *table_at(const struct table *t, uint32_t index);
uint32_t table_index(const struct table *t, const void *entry);
/* From the oldest on; NULL at the end. The one in hand may be removed after its next was asked for. */
void *table_oldest(const struct table *t);
void *table_newer(const struct table *t, const void *entry);

#endif
