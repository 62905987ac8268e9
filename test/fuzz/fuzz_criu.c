/* What criu answers */
#include <stddef.h>
#include <stdint.h>

#include "spec/criu_rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct criu_answer answer;

	criu_answer_decode(arena, data, size, &answer);
	return 0;
}
