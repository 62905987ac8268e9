#include "transfer/chunked_table.h"

#include "transfer/inflate.h"

char *chunked_table_unpack(struct arena *arena, const void *packed, const struct chunked_table *t, struct error *err)
{
	struct inflate *in = inflate_open_memory(packed, (size_t)t->size, err);
	char *text = arena_alloc(arena, (size_t)t->plain_size + 2);
	size_t done = 0;
	ssize_t n = -1;

	while (in && done <= (size_t)t->plain_size &&
	       (n = inflate_read(in, text + done, (size_t)t->plain_size + 1 - done, err)) > 0)
		done += (size_t)n;
	inflate_close(in);
	if (n < 0)
		return NULL;
	if (done == (size_t)t->plain_size) {
		text[done] = '\0';
		return text;
	}
	error_set(err, ERROR_INVALID, "the table of contents has not the size that was said");
	return NULL;
}
