/* Which images stand on which, by their layers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/image_family.h"

/* An image whose layers' chain IDs are the words of the text. */
static struct image image(struct arena *arena, const char *layers)
{
	struct image image = { 0 };

	if (*layers)
		image.layers = strings_split(arena, layers, " ");
	return image;
}

static void layers_tell(void **state)
{
	static const struct { const char *image, *base; bool stands; } table[] = {
		{ "a b c", "a b", true },
		{ "a b c", "a", true },
		{ "a b c", "a b c", false },
		{ "a b", "a b c", false },
		{ "a x c", "a b", false },
		{ "a b", "", false },
		{ "", "", false },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ELEMENTS(table); i++) {
		struct image above = image(arena, table[i].image), base = image(arena, table[i].base);
		const struct images all = { .v = &above, .n = 1 };

		if (image_family_stands_on(&above, &base) != table[i].stands ||
		    image_family_has_children(&all, &base) != table[i].stands)
			fail_msg("\"%s\" on \"%s\"", table[i].image, table[i].base);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(layers_tell) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
