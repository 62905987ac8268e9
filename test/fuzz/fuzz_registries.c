/* A registries.conf of any text; what is accepted must answer questions. */
#include "spec/registries.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "docker.io/library/busybox", "quay.io/team/app:1", "a.wild.io/x", "127.0.0.1:5000/x" };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct registries r = { 0 };
	struct reference name;
	struct strings list;
	struct error err = { 0 };

	if (registries_add(arena, &r, (const char *)data, size, "fuzz", &err) < 0)
		return err.text[0] ? 0 : (abort(), 0);
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		struct registry_sources sources = { 0 };

		if (reference_parse(arena, names[i], &name, &err) == 0)
			registries_sources(arena, &r, &name, &sources, &err);
	}
	if (reference_parse(arena, "busybox", &name, &err) == 0)
		registries_candidates(arena, &r, &name, &list, &err);
	return 0;
}
