/* The writer of spec/layer_index. */
#include <errno.h>

#include "spec/layer_format.h"

static void put_number(struct buffer *b, uint64_t n)
{
	unsigned char bytes[10];
	size_t used = 0;

	while (n >= 0x80) {
		bytes[used++] = (unsigned char)n | 0x80;
		n >>= 7;
	}
	bytes[used++] = (unsigned char)n;
	buffer_add(b, bytes, used);
}

/* Negative numbers by turns with positive ones: small either way. */
static void put_signed(struct buffer *b, int64_t n)
{
	put_number(b, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

/* With its NUL byte, so that a reader can point to it. */
static void put_text(struct buffer *b, const char *s)
{
	size_t n = strlen(s);

	put_number(b, n);
	buffer_add(b, s, n + 1);
}

static void put_path(struct buffer *b, const char *path, size_t n, size_t shared)
{
	put_number(b, shared);
	put_number(b, n - shared);
	buffer_add(b, path + shared, n - shared);
}

static void put_attributes(struct buffer *b, const struct layer_entry *e)
{
	put_number(b, e->mode);
	put_number(b, e->uid);
	put_number(b, e->gid);
	put_signed(b, e->mtime.tv_sec);
	put_number(b, (uint64_t)e->mtime.tv_nsec);
}

static void put_kind(struct buffer *b, const struct layer_entry *e)
{
	switch (e->type) {
	case LAYER_FILE:
		put_number(b, (uint64_t)e->size);
		if (e->size)
			buffer_add(b, e->digest, sizeof(e->digest));
		break;
	case LAYER_SYMLINK:
		put_text(b, e->target);
		break;
	case LAYER_DEVICE:
		put_number(b, e->device);
		break;
	default:
		break;
	}
}

static void put_xattrs(struct buffer *b, const struct layer_entry *e)
{
	put_number(b, e->xattrs_n);
	for (size_t i = 0; i < e->xattrs_n; i++) {
		put_text(b, e->xattrs[i].name);
		put_number(b, e->xattrs[i].size);
		buffer_add(b, e->xattrs[i].value, e->xattrs[i].size);
	}
}

static void put_entry(struct buffer *b, const struct layer_entry *e, size_t path_size, size_t shared)
{
	unsigned char head = (unsigned char)(e->type | (e->opaque ? HEAD_OPAQUE : 0) | (e->implied ? HEAD_IMPLIED : 0) |
					     (e->linked ? HEAD_LINKED : 0) | (e->xattrs_n ? HEAD_XATTRS : 0));

	buffer_add(b, &head, 1);
	put_path(b, e->path, path_size, shared);
	if (e->type == LAYER_WHITEOUT)
		return;
	if (e->type == LAYER_HARDLINK) {
		put_text(b, e->target);
		return;
	}
	put_attributes(b, e);
	put_kind(b, e);
	if (e->xattrs_n)
		put_xattrs(b, e);
}

void layer_index_begin(struct layer_index_writer *w, size_t limit)
{
	const struct layer_header none = { .version = 0 };

	*w = (struct layer_index_writer){ .out = BUFFER(limit), .path = BUFFER(LAYER_PATH_MAX) };
	buffer_add(&w->out, &none, sizeof(none));
}

int layer_index_add(struct layer_index_writer *w, const struct layer_entry *e, struct error *err)
{
	const char *before = w->path.data ? w->path.data : "";
	size_t shared = 0, n = strlen(e->path);

	while (shared < n && e->path[shared] == before[shared])
		shared++;
	if (w->entries && layer_rank(e->path[shared]) <= layer_rank(before[shared]))
		return error_set(err, ERROR_FAILED, "/%s comes out of order in a layer's index", e->path);
	put_entry(&w->out, e, n, shared);
	w->path.size = shared;
	buffer_add(&w->path, e->path + shared, n - shared);
	w->entries++;
	if (!w->out.failed && !w->path.failed)
		return 0;
	return error_set(err, ERROR_INVALID, "the layer's index is larger than %zu bytes at /%s", w->out.limit,
			 e->path);
}

int layer_index_end(struct layer_index_writer *w, struct error *err)
{
	struct layer_header h = { LAYER_MAGIC, htole32(LAYER_VERSION), 0, htole64(w->entries), htole64(w->out.size), 0 };

	if (w->out.failed)
		return error_set(err, ERROR_INVALID, "the layer's index is larger than %zu bytes", w->out.limit);
	h.checksum = htole64(layer_checksum(h, w->out.data + sizeof(h), w->out.size - sizeof(h)));
	memcpy(w->out.data, &h, sizeof(h));
	return 0;
}

void layer_index_writer_done(struct layer_index_writer *w)
{
	buffer_done(&w->out);
	buffer_done(&w->path);
}
