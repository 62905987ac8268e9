/* The text serves as lxc_contexts, as /etc/selinux/config and as one context. */
#include "spec/selinux.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *arena, const struct selinux_context *c)
{
	struct selinux_context again;
	char *text = selinux_print(arena, c);

	if (selinux_parse(arena, text, &again, NULL) < 0 || !str_eq(selinux_print(arena, &again), text) || strpbrk(text, "\n\" =/"))
		abort();
}

static void check_pair(const char *level)
{
	struct selinux_categories set;
	unsigned a, b;

	if (!level || selinux_parse_categories(level, &set) < 0 || !selinux_pick_pair(&set, strlen(level), &a, &b))
		return;
	if (a >= b || b >= SELINUX_CATEGORIES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);
	struct selinux_contexts contexts;
	struct selinux_context one;

	selinux_read_contexts(arena, text, &contexts);
	check(arena, &contexts.process);
	check(arena, &contexts.file);
	check_pair(contexts.process.level);
	if (strchr(selinux_policy_name(arena, text), '/'))
		abort();
	if (selinux_parse(arena, text, &one, NULL) == 0) {
		check(arena, &one);
		check_pair(one.level);
	}
	return 0;
}
