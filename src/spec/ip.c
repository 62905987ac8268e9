#include "spec/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/string.h"

/* --- text */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool ip_parse(const char *text, struct ip_address *ret)
{
	struct ip_address a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) == 1) {
		a.family = IP_V4;
	} else if (inet_pton(AF_INET6, text, a.bytes) == 1) {
		a.family = IP_V6;
		if (memcmp(a.bytes, mapped, sizeof(mapped)) == 0) {
			a.family = IP_V4;
			memmove(a.bytes, a.bytes + 12, 4);
			memset(a.bytes + 4, 0, 12);
		}
	} else {
		return false;
	}
	*ret = a;
	return true;
}

bool ip_parse_prefix(const char *text, struct ip_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_SIZE];
	struct ip_prefix p;

	if (!slash || (size_t)(slash - text) >= sizeof(address) || str_to_u32(slash + 1, &p.length) < 0)
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!ip_parse(address, &p.address) || p.length > ip_bits(p.address.family))
		return false;
	if (p.address.family == IP_V4 && strchr(address, ':'))	/* its length would count other bits */
		return false;
	*ret = p;
	return true;
}

const char *ip_print(const struct ip_address *a, char ret[IP_TEXT_SIZE])
{
	*ret = '\0';
	if (a->family != IP_NONE)
		inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->bytes, ret, IP_TEXT_SIZE);
	return ret;
}

char *ip_text(struct arena *arena, const struct ip_address *a)
{
	char text[IP_TEXT_SIZE];

	return arena_strdup(arena, ip_print(a, text));
}

char *ip_prefix_text(struct arena *arena, const struct ip_prefix *p)
{
	char text[IP_TEXT_SIZE];

	return arena_printf(arena, "%s/%u", ip_print(&p->address, text), p->length);
}

/* --- kinds */

unsigned ip_size(enum ip_family family)
{
	return family == IP_V4 ? 4 : family == IP_V6 ? 16 : 0;
}

unsigned ip_bits(enum ip_family family)
{
	return ip_size(family) * 8;
}

int ip_compare(const struct ip_address *a, const struct ip_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_is_unspecified(const struct ip_address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

bool ip_is_loopback(const struct ip_address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == IP_V4 ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

bool ip_is_link_local(const struct ip_address *a)
{
	if (a->family == IP_V4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool ip_is_multicast(const struct ip_address *a)
{
	return a->family == IP_V4 ? a->bytes[0] >= 224 : a->bytes[0] == 0xff;
}

bool ip_is_private(const struct ip_address *a)
{
	const uint8_t *b = a->bytes;

	if (a->family == IP_V6)
		return (b[0] & 0xfe) == 0xfc;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168);
}

/* --- prefixes and ranges */

/* The bits of byte i that are after the prefix. */
static uint8_t host_bits(unsigned length, unsigned i)
{
	return length >= 8 * (i + 1) ? 0 : length <= 8 * i ? 0xff : (uint8_t)(0xff >> (length - 8 * i));
}

struct ip_address ip_first(const struct ip_prefix *p)
{
	struct ip_address a = p->address;

	for (unsigned i = 0; i < ip_size(a.family); i++)
		a.bytes[i] &= (uint8_t)~host_bits(p->length, i);
	return a;
}

struct ip_address ip_last(const struct ip_prefix *p)
{
	struct ip_address a = p->address;

	for (unsigned i = 0; i < ip_size(a.family); i++)
		a.bytes[i] |= host_bits(p->length, i);
	return a;
}

bool ip_is_network(const struct ip_prefix *p)
{
	struct ip_address first = ip_first(p);

	return ip_compare(&first, &p->address) == 0;
}

bool ip_has(const struct ip_prefix *p, const struct ip_address *a)
{
	struct ip_range r = { ip_first(p), ip_last(p) };

	return ip_range_has(&r, a);
}

bool ip_overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->length < b->length ? ip_has(a, &b->address) : ip_has(b, &a->address);
}

bool ip_range_has(const struct ip_range *r, const struct ip_address *a)
{
	return r->first.family == a->family && ip_compare(&r->first, a) <= 0 && ip_compare(a, &r->last) <= 0;
}

/* --- counting */

static unsigned __int128 number_of(const struct ip_address *a)
{
	unsigned __int128 n = 0;

	for (unsigned i = 0; i < ip_size(a->family); i++)
		n = n << 8 | a->bytes[i];
	return n;
}

static struct ip_address address_of(enum ip_family family, unsigned __int128 n)
{
	struct ip_address a = { .family = family };

	for (unsigned i = ip_size(family); i-- > 0; n >>= 8)
		a.bytes[i] = (uint8_t)n;
	return a;
}

uint64_t ip_range_count(const struct ip_range *r)
{
	unsigned __int128 n = number_of(&r->last) - number_of(&r->first);

	if (r->first.family != r->last.family || ip_compare(&r->first, &r->last) > 0)
		return 0;
	return n >= UINT64_MAX ? UINT64_MAX : (uint64_t)n + 1;
}

bool ip_add(const struct ip_address *a, uint64_t n, struct ip_address *ret)
{
	struct ip_address sum = address_of(a->family, number_of(a) + n);

	if (ip_compare(&sum, a) < 0 || (a->family == IP_V4 && n > UINT32_MAX))	/* it began again at zero */
		return false;
	*ret = sum;
	return true;
}

bool ip_nth_network(const struct ip_prefix *p, unsigned length, uint64_t n, struct ip_prefix *ret)
{
	struct ip_address first = ip_first(p);
	unsigned bits = ip_bits(first.family);

	if (length < p->length || length > bits || (length - p->length < 64 && n >> (length - p->length) != 0))
		return false;
	if (n > 0)
		first = address_of(first.family, number_of(&first) + ((unsigned __int128)n << (bits - length)));
	*ret = (struct ip_prefix){ first, length };
	return true;
}
