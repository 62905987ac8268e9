/* In libsubid's place: the ranges of alice, one of which is none, and nobody else's. */
#include <stdio.h>
#include <string.h>

struct subid_range { unsigned long start, count; };

int subid_get_uid_ranges(const char *owner, struct subid_range **ret);
int subid_get_uid_ranges(const char *owner, struct subid_range **ret)
{
	static struct subid_range ranges[] = { { 100000, 65536 }, { 1UL << 40, 7 } };

	printf("a library may print\n");
	fflush(stdout);
	*ret = ranges;
	return strcmp(owner, "alice") == 0 ? 2 : -1;
}

int subid_get_gid_ranges(const char *owner, struct subid_range **ret);
int subid_get_gid_ranges(const char *owner, struct subid_range **ret)
{
	static struct subid_range range = { 200000, 1 };

	*ret = &range;
	return strcmp(owner, "alice") == 0 ? 1 : 0;
}
