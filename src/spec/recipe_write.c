/* The writer of spec/recipe. */
#include <string.h>

#include "spec/recipe_format.h"

static size_t put_number(unsigned char *to, uint64_t n)
{
	size_t used = 0;

	while (n >= 0x80) {
		to[used++] = (unsigned char)n | 0x80;
		n >>= 7;
	}
	to[used++] = (unsigned char)n;
	return used;
}

static int grow(struct recipe_writer *w, int64_t size, struct error *err)
{
	if (size <= 0 || size > RECIPE_SIZE_MAX - w->size)
		return error_set(err, ERROR_INVALID, "the tar is too large for a recipe");
	w->size += size;
	return 0;
}

void recipe_begin(struct recipe_writer *w, recipe_sink *sink, void *context, size_t limit)
{
	*w = (struct recipe_writer){ .sink = sink, .context = context, .objects = BUFFER(limit) };
}

int recipe_add_bytes(struct recipe_writer *w, const void *p, size_t n, struct error *err)
{
	unsigned char head[RECIPE_NUMBER_MAX];

	if (n == 0)
		return 0;
	if (grow(w, (int64_t)n, err) < 0 ||
	    w->sink(w->context, head, put_number(head, (uint64_t)n << 2 | RECIPE_BYTES), err) < 0)
		return -1;
	return w->sink(w->context, p, n, err);
}

static bool is_last(const struct recipe_writer *w, const unsigned char *digest)
{
	return w->objects.size &&
	       memcmp(w->objects.data + w->objects.size - OBJECT_DIGEST_SIZE, digest, OBJECT_DIGEST_SIZE) == 0;
}

int recipe_add_object(struct recipe_writer *w, const unsigned char *digest, int64_t offset, int64_t size,
		      struct error *err)
{
	enum recipe_kind kind = is_last(w, digest) ? RECIPE_SAME : offset ? RECIPE_PART : RECIPE_OBJECT;
	unsigned char step[2 * RECIPE_NUMBER_MAX];
	size_t n;

	if (offset < 0 || grow(w, size, err) < 0 || offset > RECIPE_SIZE_MAX - size)
		return error_set(err, ERROR_INVALID, "the tar is too large for a recipe");
	if (kind != RECIPE_SAME && buffer_add(&w->objects, digest, OBJECT_DIGEST_SIZE) < 0)
		return error_set(err, ERROR_INVALID, "the layer has too many files for a recipe");
	n = put_number(step, (uint64_t)size << 2 | kind);
	if (kind != RECIPE_OBJECT)
		n += put_number(step + n, (uint64_t)offset);
	return w->sink(w->context, step, n, err);
}

int recipe_end(struct recipe_writer *w, const void *packed, size_t n, struct buffer *ret, struct error *err)
{
	struct recipe_header h = { RECIPE_MAGIC, htole32(RECIPE_VERSION), 0, htole64(w->objects.size / OBJECT_DIGEST_SIZE),
				   htole64((uint64_t)w->size), htole64(sizeof(h) + w->objects.size + n), 0 };

	buffer_add(ret, &h, sizeof(h));
	buffer_add(ret, w->objects.data, w->objects.size);
	buffer_add(ret, packed, n);
	if (ret->failed)
		return error_set(err, ERROR_INVALID, "the recipe is larger than %zu bytes", ret->limit);
	h.checksum = htole64(recipe_checksum(h, ret->data + sizeof(h), ret->size - sizeof(h)));
	memcpy(ret->data, &h, sizeof(h));
	return 0;
}

void recipe_writer_done(struct recipe_writer *w)
{
	buffer_done(&w->objects);
}
