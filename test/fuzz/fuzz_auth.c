/* An auth.json of any text: looked up, changed, and what is written must be readable. */
#include "spec/auth.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "docker.io/library/busybox", "quay.io/team/app", "gcr.io/x", "token.io/y" };
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct credentials set = { "user", "pa:ss", NULL };
	struct credentials found;
	struct auth_file file;
	struct error err = { 0 };
	const char *text;
	char *helper;

	if (auth_decode(arena, (const char *)data, size, "fuzz", &file, &err) < 0)
		return 0;
	for (size_t i = 0; i < ELEMENTS(names); i++)
		auth_find(arena, &file, names[i], &found, &helper, &err);
	auth_set(arena, &file, "new.io", &set);
	text = auth_print(arena, &file);
	if (auth_decode(arena, text, strlen(text), "fuzz", &file, &err) < 0 ||
	    auth_find(arena, &file, "new.io", &found, &helper, &err) != 1)
		abort();
	if (!helper && strcmp(found.password, set.password) != 0)
		abort();
	if (!auth_remove(arena, &file, "new.io"))
		abort();
	return 0;
}
