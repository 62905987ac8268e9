/* Recipes of layers: the input as a file, and as steps that get a right header (its first byte: number of objects; the
 * next two: size of the tar, low first). What can be read is written again to steps that say the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/recipe_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source { const uint8_t *p; size_t n; };

static ssize_t give(void *context, void *p, size_t n, struct error *err)
{
	struct source *s = context;

	n = n < s->n ? n : s->n;
	if (n)
		memcpy(p, s->p, n);
	s->p += n;
	s->n -= n;
	return (ssize_t)n;
}

static int keep(void *context, const void *p, size_t n, struct error *err)
{
	return buffer_add(context, p, n);
}

static int add(struct recipe_writer *w, const struct recipe_step *s)
{
	return s->bytes ? recipe_add_bytes(w, s->bytes, (size_t)s->size, NULL) :
	       recipe_add_object(w, s->digest, s->offset, s->size, NULL);
}

/* Reads it all; w: and writes it. */
static int read_all(struct recipe *r, struct recipe_writer *w)
{
	struct source source;
	struct recipe_step s;
	struct error err = { 0 };
	int64_t size = 0;
	int more;

	source.p = recipe_packed(r, &source.n);
	recipe_start(r, give, &source);
	while ((more = recipe_next(r, &s, &err)) > 0) {
		if (s.size <= 0 || s.offset < 0 || add(w, &s) < 0)
			abort();
		size += s.size;
	}
	if ((more < 0) != (err.kind != 0) || (more == 0 && size != recipe_tar_size(r)))
		abort();
	return more;
}

static void try(struct arena *arena, const uint8_t *data, size_t size)
{
	struct buffer steps = BUFFER((size_t)1 << 26), file = BUFFER((size_t)1 << 26), again = BUFFER((size_t)1 << 26);
	struct recipe_writer w, second;
	struct error err = { 0 };
	struct recipe *r = recipe_open(arena, data, size, "input", &err);

	if (!r && !err.kind)
		abort();
	recipe_begin(&w, keep, &steps, (size_t)1 << 26);
	recipe_begin(&second, keep, &again, (size_t)1 << 26);
	if (r && read_all(r, &w) == 0) {
		if (recipe_end(&w, steps.data, steps.size, &file, &err) < 0)
			abort();
		r = recipe_open(arena, file.data, file.size, "written", &err);
		if (!r || read_all(r, &second) != 0)
			abort();
		/* Longer bytes come in pieces, which need not be the same ones. */
		if (size < 1 << 15 && (again.size != steps.size || (steps.size && memcmp(again.data, steps.data, steps.size) != 0)))
			abort();
	}
	recipe_writer_done(&w);
	recipe_writer_done(&second);
	buffer_done(&steps);
	buffer_done(&file);
	buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer file = BUFFER((size_t)1 << 26);
	struct recipe_header h = { .magic = RECIPE_MAGIC, .version = htole32(RECIPE_VERSION) };

	try(arena, data, size);
	if (size < 3)
		return 0;
	h.objects = htole64(data[0]);
	h.tar_size = htole64(data[1] | (uint64_t)data[2] << 8);
	h.size = htole64(sizeof(h) + (size_t)data[0] * OBJECT_DIGEST_SIZE + size - 3);
	buffer_add(&file, &h, sizeof(h));
	for (unsigned i = 0; i < data[0]; i++) {
		const unsigned char digest[OBJECT_DIGEST_SIZE] = { (unsigned char)i };

		buffer_add(&file, digest, sizeof(digest));
	}
	buffer_add(&file, data + 3, size - 3);
	h.checksum = htole64(recipe_checksum(h, file.data + sizeof(h), file.size - sizeof(h)));
	memcpy(file.data, &h, sizeof(h));
	try(arena, (const uint8_t *)file.data, file.size);
	return 0;
}
