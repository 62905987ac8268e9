#include "gateway/table.h"

#include <string.h>
#include <sys/random.h>

_Static_assert(sizeof(struct tuple) == 40, "a tuple is hashed and compared as bytes: no padding");

/* --- SipHash-1-3 of five words */

struct sip { uint64_t v[4]; };

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(struct sip *s)
{
	uint64_t *v = s->v;

	v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
	v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v[3] ^= word;
	sip_round(s);
	s->v[0] ^= word;
}

static uint32_t *bucket(const struct table *t, const struct tuple *tuple)
{
	struct sip s = { { t->key[0] ^ 0x736f6d6570736575, t->key[1] ^ 0x646f72616e646f6d, t->key[0] ^ 0x6c7967656e657261,
			   t->key[1] ^ 0x7465646279746573 } };
	uint64_t words[sizeof(*tuple) / 8];

	memcpy(words, tuple, sizeof(*tuple));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		sip_word(&s, words[i]);
	sip_word(&s, (uint64_t)sizeof(*tuple) << 56);
	s.v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return &t->buckets[(s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3]) & (t->n - 1)];
}

/* --- places */

void *table_at(const struct table *t, uint32_t index)
{
	return index < t->n ? t->entries + (size_t)index * t->size : NULL;
}

uint32_t table_index(const struct table *t, const void *entry)
{
	return (uint32_t)((size_t)((const char *)entry - t->entries) / t->size);
}

static struct entry *at(const struct table *t, uint32_t index)
{
	return table_at(t, index);
}

void table_init(struct table *t, void *entries, size_t size, uint32_t *buckets, uint32_t n, uint32_t limit)
{
	*t = (struct table){ .entries = entries, .size = size, .buckets = buckets, .n = n, .limit = limit < n ? limit : n,
			     .free = TABLE_NONE, .oldest = TABLE_NONE, .newest = TABLE_NONE };
	memset(buckets, 0xff, n * sizeof(*buckets));
	/* The kernel has long been seeded: nothing else can fail here. */
	if (getrandom(t->key, sizeof(t->key), 0) < 0)
		t->key[0] = (uintptr_t)t;
}

static void link_newest(struct table *t, struct entry *e)
{
	uint32_t index = table_index(t, e);

	e->older = t->newest;
	e->newer = TABLE_NONE;
	if (t->newest != TABLE_NONE)
		at(t, t->newest)->newer = index;
	else
		t->oldest = index;
	t->newest = index;
}

static void unlink_age(struct table *t, const struct entry *e)
{
	if (e->older != TABLE_NONE)
		at(t, e->older)->newer = e->newer;
	else
		t->oldest = e->newer;
	if (e->newer != TABLE_NONE)
		at(t, e->newer)->older = e->older;
	else
		t->newest = e->older;
}

/* Places that were used before are used again first: memory of the others is never touched. */
static struct entry *take_place(struct table *t)
{
	struct entry *e;

	if (t->used >= t->limit)
		return NULL;
	if (t->free == TABLE_NONE)
		return at(t, t->used);
	e = at(t, t->free);
	t->free = e->next;
	return e;
}

void *table_add(struct table *t, const struct tuple *tuple)
{
	uint32_t *head = bucket(t, tuple);
	struct entry *e = take_place(t);
	uint16_t generation;

	if (!e)
		return NULL;
	generation = (uint16_t)(e->generation + 1);
	memset(e, 0, t->size);
	e->tuple = *tuple;
	e->generation = generation;
	e->used = true;
	e->next = *head;
	*head = table_index(t, e);
	link_newest(t, e);
	t->used++;
	return e;
}

void *table_find(const struct table *t, const struct tuple *tuple)
{
	for (uint32_t i = *bucket(t, tuple); i != TABLE_NONE; i = at(t, i)->next)
		if (memcmp(&at(t, i)->tuple, tuple, sizeof(*tuple)) == 0)
			return at(t, i);
	return NULL;
}

void table_remove(struct table *t, void *entry)
{
	struct entry *e = entry;
	uint32_t index = table_index(t, e), *link = bucket(t, &e->tuple);

	while (*link != index)
		link = &at(t, *link)->next;
	*link = e->next;
	unlink_age(t, e);
	e->used = false;
	e->next = t->free;
	t->free = index;
	t->used--;
}

void table_touch(struct table *t, void *entry)
{
	struct entry *e = entry;

	if (t->newest == table_index(t, e))
		return;
	unlink_age(t, e);
	link_newest(t, e);
}

void *table_oldest(const struct table *t)
{
	return table_at(t, t->oldest);
}

void *table_newer(const struct table *t, const void *entry)
{
	return table_at(t, ((const struct entry *)entry)->newer);
}
