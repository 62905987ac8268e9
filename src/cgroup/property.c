#include "cgroup/property.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "org.systemd.property."
#define PERIOD_DEFAULT 100000	/* microseconds, the kernel's */
#define CPUS_MAX 8192

/* --- making them */
static struct property *add(struct arena *arena, struct properties *list, const char *name, const char *signature)
{
	struct property *p = ARRAY_ADD(arena, list);

	*p = (struct property){ .name = arena_strdup(arena, name), .signature = arena_strdup(arena, signature) };
	return p;
}

struct property *property_add(struct arena *arena, struct properties *list, const char *name, char type, uint64_t number)
{
	const char signature[] = { type, '\0' };
	struct property *p = add(arena, list, name, signature);

	*ARRAY_ADD(arena, &p->steps) = (struct property_step){ .what = type, .number = number };
	return p;
}

struct property *property_add_text(struct arena *arena, struct properties *list, const char *name, const char *text)
{
	struct property *p = add(arena, list, name, "s");

	*ARRAY_ADD(arena, &p->steps) = (struct property_step){ .what = 's', .text = arena_strdup(arena, text) };
	return p;
}

/* --- from limits */
static int parse_limit(const char *text, uint64_t *ret)
{
	unsigned long long n;

	if (str_eq(text, "max") || str_eq(text, "-1")) {
		*ret = UINT64_MAX;	/* CGROUP_LIMIT_MAX of systemd */
		return 0;
	}
	if (str_to_u64(text, &n) < 0)
		return -1;
	*ret = n;
	return 0;
}

static void add_number(struct arena *arena, struct properties *list, const char *name, const char *value)
{
	uint64_t n;

	if (parse_limit(value, &n) == 0)
		property_add(arena, list, name, 't', n);
}

/* "QUOTA PERIOD": systemd wants microseconds a second, in whole hundredths of the processor. */
static void add_quota(struct arena *arena, struct properties *list, const char *name, const char *value)
{
	struct strings words = strings_split(arena, value, " ");
	uint64_t quota, period = PERIOD_DEFAULT;

	if (words.n > 2 || parse_limit(words.v[0], &quota) < 0 || (words.n == 2 && parse_limit(words.v[1], &period) < 0))
		return;
	if (period == 0 || (quota != UINT64_MAX && quota > UINT64_MAX / 1000000 - 10000))
		return;
	if (quota != UINT64_MAX)
		quota = (quota * 1000000 / period + 9999) / 10000 * 10000;
	property_add(arena, list, name, 't', quota);
	if (words.n == 2)
		property_add(arena, list, "CPUQuotaPeriodUSec", 't', period);
}

static int set_bits(const char *range, uint8_t *bits, size_t *bytes)
{
	char *end;
	unsigned long first = strtoul(range, &end, 10), last = first;

	if (end == range)
		return -1;
	if (*end == '-')
		last = strtoul(end + 1, &end, 10);
	if (*end || last < first || last >= CPUS_MAX)
		return -1;
	for (unsigned long i = first; i <= last; i++)
		bits[i / 8] |= (uint8_t)(1u << (i % 8));
	*bytes = last / 8 + 1 > *bytes ? last / 8 + 1 : *bytes;
	return 0;
}

/* "0-3,7" as the bytes of a bit mask. Other forms are the kernel's alone, and systemd is not told. */
static void add_mask(struct arena *arena, struct properties *list, const char *name, const char *value)
{
	uint8_t bits[CPUS_MAX / 8] = { 0 };
	struct strings ranges = strings_split(arena, value, ",");
	struct property *p;
	size_t bytes = 0;

	for (size_t i = 0; i < ranges.n; i++)
		if (set_bits(ranges.v[i], bits, &bytes) < 0)
			return;
	p = add(arena, list, name, "ay");
	*ARRAY_ADD(arena, &p->steps) = (struct property_step){ .what = 'a', .contents = "y" };
	for (size_t i = 0; i < bytes; i++)
		*ARRAY_ADD(arena, &p->steps) = (struct property_step){ .what = 'y', .number = bits[i] };
	*ARRAY_ADD(arena, &p->steps) = (struct property_step){ .what = ')' };
}

/* systemd.resource-control(5). */
static const struct {
	const char *file, *property;
	void (*add)(struct arena *arena, struct properties *list, const char *name, const char *value);
} known[] = {
	{ "memory.max", "MemoryMax", add_number }, { "memory.low", "MemoryLow", add_number },
	{ "memory.min", "MemoryMin", add_number }, { "memory.high", "MemoryHigh", add_number },
	{ "memory.swap.max", "MemorySwapMax", add_number }, { "pids.max", "TasksMax", add_number },
	{ "cpu.weight", "CPUWeight", add_number }, { "cpu.max", "CPUQuotaPerSecUSec", add_quota },
	{ "cpuset.cpus", "AllowedCPUs", add_mask }, { "cpuset.mems", "AllowedMemoryNodes", add_mask },
	{ "memory.limit_in_bytes", "MemoryLimit", add_number }, { "cpu.shares", "CPUShares", add_number },
	{ "blkio.weight", "BlockIOWeight", add_number },
};

static void drop(struct properties *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].name, name)) {
			memmove(&list->v[i], &list->v[i + 1], (list->n - i - 1) * sizeof(*list->v));
			list->n--;
			return;
		}
}

void property_limits(struct arena *arena, const struct settings *limits, struct properties *list)
{
	for (size_t i = 0; i < limits->n; i++)
		for (size_t j = 0; j < ELEMENTS(known); j++)
			if (str_eq(limits->v[i].file, known[j].file)) {
				drop(list, known[j].property);	/* said again by `unified` */
				known[j].add(arena, list, known[j].property, limits->v[i].value);
			}
}

/* --- from annotations */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length >= 3 && length <= 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

int property_annotations(struct arena *arena, const struct string_map *annotations, struct properties *list,
			 struct error *err)
{
	for (size_t i = 0; i < annotations->n; i++) {
		const struct pair *p = &annotations->v[i];
		const char *name = str_after(p->key, PREFIX);
		struct property property;

		if (!name)
			continue;
		if (!is_name(name))
			return error_set(err, ERROR_INVALID, ".annotations[\"%s\"]: no name of a property (letters, at least 3)",
					 str_printable(arena, p->key, 128));
		if (property_parse(arena, name, p->value, &property, err) < 0)
			return error_frame(err, ".annotations[\"%s\"]", p->key);
		property.demanded = true;
		drop(list, property.name);
		*ARRAY_ADD(arena, list) = property;
	}
	return 0;
}
