/* Indexes of layers: the input as a file, and as up to four bodies that get a right header, read and merged. What can be
 * read is written again to the same bytes; what a merge answers is an index itself. A body: number of entries, size (two
 * bytes, low first), then its bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "spec/layer_format.h"
#include "spec/layer_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LAYERS_MAX 4

struct file { uint8_t *data; size_t size; };

static struct file file_of(const uint8_t *body, size_t n, uint64_t entries)
{
	struct layer_header h = { LAYER_MAGIC, htole32(LAYER_VERSION), 0, htole64(entries), htole64(sizeof(h) + n), 0 };
	struct file f = { malloc(sizeof(h) + n), sizeof(h) + n };

	if (!f.data)
		abort();
	h.checksum = htole64(layer_checksum(h, body, n));
	memcpy(f.data, &h, sizeof(h));
	memcpy(f.data + sizeof(h), body, n);
	return f;
}

/* Is it all right, and the only way to write this? */
static int is_sound(struct layer_index *x, const struct file *f)
{
	struct layer_index_writer w;
	const struct layer_entry *e;
	struct error err = { 0 };
	int more;

	layer_index_begin(&w, (size_t)1 << 26);
	while ((more = layer_index_next(x, &e, &err)) > 0)
		if (layer_index_add(&w, e, &err) < 0)
			abort();
	if (more < 0 && !err.kind)
		abort();
	if (more == 0 && (layer_index_end(&w, &err) < 0 || w.out.size != f->size || memcmp(w.out.data, f->data, f->size) != 0))
		abort();
	layer_index_writer_done(&w);
	layer_index_rewind(x);
	return more == 0;
}

static void merge(struct arena *arena, struct layer_index **layers, size_t n)
{
	struct layer_merge *m = layer_merge_open(arena, layers, n);
	struct layer_index_writer w;
	struct layer_index *again;
	const struct layer_entry *e;
	struct error err = { 0 };
	size_t from;

	layer_index_begin(&w, (size_t)1 << 26);
	while (layer_merge_next(m, &e, &from, &err) > 0)
		if (from >= n || e->opaque || e->type == LAYER_WHITEOUT || layer_index_add(&w, e, &err) < 0)
			abort();
	if (err.kind || layer_index_end(&w, &err) < 0)
		abort();
	again = layer_index_open(arena, w.out.data, w.out.size, "merged", &err);
	while (again && layer_index_next(again, &e, &err) > 0)
		;
	if (!again || err.kind)
		abort();
	layer_index_writer_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct layer_index *layers[LAYERS_MAX], *x;
	struct file files[LAYERS_MAX], whole = { (uint8_t *)(uintptr_t)data, size };
	struct error err = { 0 };
	size_t n = 0, sound = 0;

	x = layer_index_open(arena, data, size, "file", &err);
	if (x)
		is_sound(x, &whole);
	else if (!err.kind)
		abort();
	for (; size > 3 && n < LAYERS_MAX; n++) {
		size_t part = data[1] | (size_t)data[2] << 8;

		part = part < size - 3 ? part : size - 3;
		files[n] = file_of(data + 3, part, data[0]);
		data += 3 + part;
		size -= 3 + part;
		x = layer_index_open(arena, files[n].data, files[n].size, "layer", &err);
		if (!x)
			abort();
		if (is_sound(x, &files[n]))
			layers[sound++] = x;
	}
	merge(arena, layers, sound);
	while (n > 0)
		free(files[--n].data);
	return 0;
}
