/* An answer with several parts, in pieces of every size: always the same is taken, in the order of its parts. */
#include "spec/byteranges.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct taken { uint64_t sum; int64_t bytes; };

static int take(void *context, int64_t offset, const char *p, size_t n)
{
	struct taken *t = context;

	if (n == 0 || offset < 0)
		abort();
	for (size_t i = 0; i < n; i++)
		t->sum = (t->sum + (uint64_t)offset + i) * 0x9e3779b97f4a7c15u + (unsigned char)p[i];
	t->bytes += (int64_t)n;
	return 0;
}

static struct taken read_all(const char *data, size_t size, size_t step)
{
	struct taken t = { 0 };
	struct error err = { 0 };
	struct byteranges b;

	if (!byteranges_begin(&b, "multipart/byteranges; boundary=B", take, &t))
		abort();
	for (size_t i = 0; i < size; i += step)
		if (byteranges_add(&b, data + i, size - i < step ? size - i : step, &err) < 0) {
			if (!err.kind)
				abort();
			break;
		}
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taken whole = read_all((const char *)data, size, size + 1);

	for (size_t step = 1; step < 8; step += 3) {
		struct taken t = read_all((const char *)data, size, step);

		if (t.sum != whole.sum || t.bytes != whole.bytes || t.bytes > (int64_t)size)
			abort();
	}
	return 0;
}
