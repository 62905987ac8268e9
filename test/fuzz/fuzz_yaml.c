/* A YAML document of any bytes: what is accepted can be printed. */
#include "transfer/yaml.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = { 0 };
	struct json *value = yaml_parse(arena, (const char *)data, size, &err);

	if (!value == !err.kind)
		abort();
	if (value)
		json_print(arena, value, 0);
	return 0;
}
