/* The tar of a zstd:chunked layer from frames of the input: how many contents there are, for each of them offset, end and
 * plain size (two bytes a number), where the tar-split is, then the blob. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "sys/fd.h"
#include "transfer/codec_chunked.h"
#include "transfer/sink.h"

#define CONTENTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input { const uint8_t *p; size_t n; };

static int64_t number(struct input *in)
{
	int64_t n = in->n < 2 ? 0 : in->p[0] | in->p[1] << 8;

	in->n -= in->n < 2 ? in->n : 2;
	in->p += 2;
	return n;
}

/* As spec/chunked gives them: in order, in the blob, none empty. */
static size_t read_contents(struct input *in, size_t n, int64_t blob, struct chunked_content *ret)
{
	int64_t cursor = 0;
	size_t have = 0;

	while (have < n) {
		struct chunked_content c = { number(in), number(in), number(in) };

		if (c.offset < cursor || c.end <= c.offset || c.end > blob || c.size == 0)
			break;
		cursor = c.end;
		ret[have++] = c;
	}
	return have;
}

static void read_all(const struct chunked_source *source)
{
	static char block[1 << 16];
	struct error err = { 0 };
	struct inflate *in = inflate_open_chunked(source, &err);
	ssize_t n = in ? 1 : -1;

	for (int64_t all = 0; n > 0 && all < 1 << 24; all += n)
		n = inflate_read(in, block, sizeof(block), &err);
	if ((n < 0) != (err.kind != 0))
		abort();
	inflate_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n = size ? data[0] % CONTENTS_MAX : 0, head = 1 + 6 * n + 4;
	struct chunked_content contents[CONTENTS_MAX];
	const bool here[CONTENTS_MAX] = { 0 };
	struct chunked_source source = { .fd = scratch_open(), .contents = contents, .here = here };
	const struct places places = { -1, scratch_open(), -1 };
	struct input in = { data + 1, size - 1 };

	if (size <= head || size - head > 0xffff)
		return 0;
	source.size = source.frames_end = (int64_t)(size - head);
	source.n = read_contents(&in, n, source.size, contents);
	in = (struct input){ data + head - 4, 4 };
	source.split.offset = number(&in);
	source.split.size = number(&in);
	if (source.split.size > source.size - source.split.offset)
		source.split.size = 0;
	source.fd = sink_scratch(&places);
	if (source.fd < 0 || fd_write_all(source.fd, data + head, size - head) < 0)
		abort();
	read_all(&source);
	close(source.fd);
	return 0;
}
