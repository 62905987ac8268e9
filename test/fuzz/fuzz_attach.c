/* What a client may send: frame headers; and what a user may type: detach keys and what follows them. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/attach_keys.h"
#include "sys/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char out[256 + ATTACH_KEYS_MAX], header[8];
	char text[64] = "";
	struct attach_keys keys;
	enum attach_type type;
	uint32_t length;
	size_t n;

	if (size >= 8 && attach_parse_header(data, &type, &length) == 0) {
		assert(length <= ATTACH_FRAME_MAX);
		attach_header(header, type, length);
		assert(memcmp(header, data, 8) == 0);
	}
	memcpy(text, data, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
	if (attach_keys_parse(text, &keys, NULL) < 0)
		attach_keys_parse(NULL, &keys, NULL);
	for (size_t at = 0; at < size; at += 256) {
		size_t part = size - at < 256 ? size - at : 256;

		if (attach_keys_filter(&keys, data + at, part, out, &n))
			break;
		assert(n <= part + ATTACH_KEYS_MAX);
	}
	return 0;
}
