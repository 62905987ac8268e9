#include "hostlib/subordinate.h"

#include <dlfcn.h>
#include <stdio.h>

struct subid_range {		/* as in shadow/subid.h */
	unsigned long start, count;
};
typedef int get_ranges(const char *owner, struct subid_range **ret);
typedef bool init_library(const char *program, FILE *log);

static void *load(void)
{
	static const char *const names[] = { "libsubid.so.5", "libsubid.so.4", "libsubid.so.3", "libsubid.so" };
	void *library = NULL;

	for (size_t i = 0; i < ELEMENTS(names) && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return library;
}

/* The newer of two names. */
static void *function(void *library, const char *name, const char *old)
{
	void *f = library ? dlsym(library, name) : NULL;

	return f || !library ? f : dlsym(library, old);
}

static void add(struct arena *arena, get_ranges *get, const char *user, void *ret_numbers)
{
	struct subid_range *ranges = NULL;
	int n = get(user, &ranges);

	for (int i = 0; i < n; i++) {
		*(uint64_t *)array_add(arena, ret_numbers, sizeof(uint64_t)) = ranges[i].start;
		*(uint64_t *)array_add(arena, ret_numbers, sizeof(uint64_t)) = ranges[i].count;
	}
}

int subordinate_ids(struct arena *arena, const void *who, void *ret_ranges, struct error *err)
{
	const struct hostlib_who *w = who;
	struct hostlib_ranges *ret = ret_ranges;
	void *library = load();
	get_ranges *uids = (get_ranges *)function(library, "subid_get_uid_ranges", "get_subuid_ranges");
	get_ranges *gids = (get_ranges *)function(library, "subid_get_gid_ranges", "get_subgid_ranges");
	init_library *init = (init_library *)function(library, "subid_init", "libsubid_init");

	if (!uids || !gids) {
		error_set(err, ERROR_UNSUPPORTED, "nsswitch.conf names a source of subordinate ids, and libsubid is missing");
		return error_fix_admin(err, "apt install libsubid4    (or libsubid5; Fedora, RHEL: dnf install shadow-utils-subid)");
	}
	if (init)
		init("bryo", fopen("/dev/null", "we"));
	add(arena, uids, w->name, &ret->uids);
	add(arena, gids, w->name, &ret->gids);
	return 0;
}
