/* Which names a pattern of `images` means */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/image_filter.h"

static void patterns_mean_names(void **state)
{
	static const struct { const char *pattern, *name; bool means; } table[] = {
		{ "busybox", "docker.io/library/busybox:latest", true },
		{ "library/busybox", "docker.io/library/busybox:latest", true },
		{ "docker.io/library/busybox", "docker.io/library/busybox:latest", true },
		{ "docker.io/library/busybox:latest", "docker.io/library/busybox:latest", true },
		{ "busybox:latest", "docker.io/library/busybox:latest", true },
		{ "busybox:1", "docker.io/library/busybox:latest", false },
		{ "busy*", "docker.io/library/busybox:latest", true },
		{ "*:latest", "docker.io/library/busybox:latest", true },
		{ "*/busybox", "docker.io/library/busybox:latest", true },
		{ "box", "docker.io/library/busybox:latest", false },
		{ "library", "docker.io/library/busybox:latest", false },
		{ "localhost:5000/x", "localhost:5000/x:1", true },
		{ "x", "localhost:5000/x:1", true },
		{ "", "localhost/x:1", false },
		{ "[", "localhost/x:1", false },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ELEMENTS(table); i++)
		if (image_name_matches(arena, table[i].pattern, table[i].name) != table[i].means)
			fail_msg("\"%s\" and %s", table[i].pattern, table[i].name);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(patterns_mean_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
