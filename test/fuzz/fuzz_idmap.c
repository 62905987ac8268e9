/* The text of /proc/PID/uid_map, and what `--uidmap` files hold. */
#include <stdlib.h>

#include "sys/idmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct id_map map, again;
	struct error err = { 0 };

	if (idmap_parse(arena, arena_strndup(arena, (const char *)data, size), &map, &err) < 0)
		return err.kind == ERROR_INVALID ? 0 : (abort(), 0);
	if (idmap_parse(arena, idmap_print(arena, &map), &again, &err) < 0 || !idmap_equal(&map, &again))
		abort();
	idmap_to_inside(&map, 1000);
	idmap_to_outside(&map, UINT32_MAX - 1);
	return 0;
}
