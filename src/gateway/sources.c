/* gateway/sources - what each address in the containers' networks has open */
#include <string.h>

#include "base/string.h"
#include "gateway/gateway.h"

struct source {
	struct entry entry;
	uint32_t taken[SHARES];
};

/* At most this much for one address. Whoever invents addresses shares what is left of the table. */
static const uint32_t most[SHARES] = {
	[SHARE_CONNECTING] = 512,
	[SHARE_CONNECTIONS] = GATEWAY_CONNECTIONS / 4 * 3,
	[SHARE_FLOWS] = GATEWAY_FLOWS / 2,
	[SHARE_QUERIES] = GATEWAY_QUERIES / 4,
};

static struct source places[GATEWAY_SOURCES];
static uint32_t buckets[GATEWAY_SOURCES];
static struct table table;

void sources_init(void)
{
	table_init(&table, places, sizeof(places[0]), buckets, GATEWAY_SOURCES, GATEWAY_SOURCES);
}

bool sources_take(const struct in6_addr *address, enum share share)
{
	struct tuple key = { .from = *address };
	struct source *s = table_find(&table, &key);

	if (!s)
		s = table_add(&table, &key);
	if (!s || s->taken[share] >= most[share])
		return false;
	s->taken[share]++;
	return true;
}

void sources_give(const struct in6_addr *address, enum share share)
{
	struct tuple key = { .from = *address };
	struct source *s = table_find(&table, &key);

	if (!s || !s->taken[share])
		return;
	s->taken[share]--;
	for (size_t i = 0; i < SHARES; i++)
		if (s->taken[i])
			return;
	table_remove(&table, s);
}
