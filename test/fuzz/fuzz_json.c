/* Any text that is accepted must print to a text that is accepted and prints the same. */
#include <stdint.h>
#include <stdlib.h>

#include "spec/oci_runtime.h"
#include "spec/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(struct arena *arena, const struct json_shape *shape, const struct json *value)
{
	void *structure = arena_alloc(arena, shape->size);
	struct error err = { 0 };

	if (json_decode_value(arena, shape, structure, value, "fuzz", &err) < 0)
		return;
	if (json_decode_value(arena, shape, structure, json_encode(arena, shape, structure), "fuzz", &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = { 0 };
	const struct json *value = json_parse(arena, (const char *)data, size, "fuzz", &err), *again;
	const char *text;

	if (!value)
		return err.kind == ERROR_INVALID ? 0 : (abort(), 0);
	text = json_print(arena, value, 0);
	again = json_parse(arena, text, strlen(text), "printed", &err);
	if (!again || strcmp(json_print(arena, again, 0), text) != 0)
		abort();
	json_print(arena, value, 4);
	decode(arena, &oci_spec_shape, value);
	decode(arena, &oci_process_shape, value);
	decode(arena, &oci_seccomp_shape, value);
	decode(arena, &transfer_request_shape, value);
	decode(arena, &transfer_event_shape, value);
	return 0;
}
