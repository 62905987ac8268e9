/* A transport that is accepted has a path or a name, and put together again it means the same. */
#include "spec/transport.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(struct arena *arena, const struct transport *t)
{
	const char *word = transport_word(t->kind);

	if (!transport_is_path(t))
		return arena_printf(arena, "%s%s", word, t->name);
	if (t->index >= 0)
		return arena_printf(arena, "%s%s:@%lld", word, t->path, (long long)t->index);
	return arena_printf(arena, "%s%s%s%s", word, t->path, t->name ? ":" : "", t->name ? t->name : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *text = arena_memdup(arena, data, size);
	struct transport first, second;
	struct error err = { 0 };

	if (transport_parse(arena, text, &first, &err) < 0)
		return 0;
	if (transport_is_path(&first) ? str_is_empty(first.path) : str_is_empty(first.name))
		abort();
	if (transport_parse(arena, print(arena, &first), &second, &err) < 0 || first.kind != second.kind ||
	    !str_eq(first.path, second.path) || !str_eq(first.name, second.name) || first.index != second.index)
		abort();
	return 0;
}
