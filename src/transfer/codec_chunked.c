#include "transfer/codec_chunked.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "spec/tar_split.h"
#include "sys/fd.h"
#include "transfer/codec.h"
#include "transfer/objects.h"

enum { BLOCK = 1 << 17 };

struct chunked {
	const struct chunked_source *source;
	unsigned char *blob;		/* mapped */
	ZSTD_DCtx *context;
	struct hash hash;		/* of the content that is unpacked */

	struct inflate *split;		/* NULL: frames have the headers */
	struct arena *entry;		/* the last entry of the tar-split */
	struct buffer lines;
	size_t line;			/* where the next one begins */
	const char *bytes;		/* of a segment, still to be given */
	size_t bytes_left;
	bool split_ended;

	size_t next;			/* content */
	int64_t cursor;			/* without a tar-split: the frames before it are done */
	int object;			/* an open one; -1 */
	ZSTD_inBuffer frames;		/* that are being unpacked */
	size_t pending;			/* 0 between two frames */
	bool headers;			/* they are no content's: as long as they are */
	int64_t left;			/* of the open content */
};

static void chunked_close(void *state)
{
	struct chunked *c = state;

	if (c->blob)
		munmap(c->blob, (size_t)c->source->size);
	ZSTD_freeDCtx(c->context);
	hash_done(&c->hash);
	inflate_close(c->split);
	if (c->entry)
		arena_free(c->entry);
	buffer_done(&c->lines);
	fd_close(&c->object);
	free(c);
}

/* --- frames */

static void open_frames(struct chunked *c, int64_t from, int64_t end)
{
	c->frames = (ZSTD_inBuffer){ c->blob + from, (size_t)(end - from), 0 };
	ZSTD_DCtx_reset(c->context, ZSTD_reset_session_only);
	c->pending = 0;
}

/* Plain bytes into p; 0 when the frames are at their end. */
static ssize_t unpack(struct chunked *c, void *p, size_t n, struct error *err)
{
	ZSTD_outBuffer out = { p, n, 0 };

	while (out.pos == 0 && (c->frames.pos < c->frames.size || c->pending)) {
		size_t before = c->frames.pos;

		c->pending = ZSTD_decompressStream(c->context, &out, &c->frames);
		if (ZSTD_isError(c->pending))
			return error_set(err, ERROR_INVALID, "zstd: %s", ZSTD_getErrorName(c->pending));
		if (out.pos == 0 && c->frames.pos == before && c->pending)
			return error_set(err, ERROR_INVALID, n ? "zstd: the data ends too early" :
					 "a file has more bytes than the table of contents says");
	}
	return (ssize_t)out.pos;
}

/* --- contents */

static int open_content(struct chunked *c, int64_t size, struct error *err)
{
	const struct chunked_content *content = &c->source->contents[c->next];

	if (c->next == c->source->n || content->size != size)
		return error_set(err, ERROR_INVALID, "the layer's tar and its table of contents disagree");
	c->left = size;
	c->headers = false;
	if (!c->source->here[c->next]) {
		hash_restart(&c->hash);
		open_frames(c, content->offset, content->end);
		return 0;
	}
	c->object = objects_open(c->source->objects, content->digest, size, &c->hash);
	return c->object < 0 ? error_errno(err, "open an object that was there") : 0;
}

static int close_content(struct chunked *c, struct inflate *in, struct error *err)
{
	const struct chunked_content *content = &c->source->contents[c->next];
	unsigned char digest[OBJECT_DIGEST_SIZE];

	in->consumed = (uint64_t)content->end;
	c->next++;
	if (c->object >= 0) {
		fd_close(&c->object);
		return 0;
	}
	if (unpack(c, digest, 0, err) < 0)
		return -1;
	hash_final_raw(&c->hash, digest);
	if (content->has_digest && memcmp(digest, content->digest, sizeof(digest)) != 0)
		return error_set(err, ERROR_INVALID, "a file has another digest than the table of contents says");
	return 0;
}

static ssize_t read_object(struct chunked *c, void *p, size_t n, struct error *err)
{
	ssize_t got;

	do
		got = read(c->object, p, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_errno(err, "read an object");
	return got ? got : error_set(err, ERROR_INVALID, "an object became shorter");
}

static ssize_t read_content(struct chunked *c, struct inflate *in, void *p, size_t n, struct error *err)
{
	ssize_t got;

	if ((int64_t)n > c->left)
		n = (size_t)c->left;
	got = c->object >= 0 ? read_object(c, p, n, err) : unpack(c, p, n, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return error_set(err, ERROR_INVALID, "a file has fewer bytes than the table of contents says");
	if (c->object < 0)
		hash_add(&c->hash, p, (size_t)got);
	c->left -= got;
	return c->left == 0 && close_content(c, in, err) < 0 ? -1 : got;
}

/* --- what is between them */

/* The next line of the tar-split: 1, or 0 at its end. */
static int next_line(struct chunked *c, const char **ret, size_t *ret_n, struct error *err)
{
	for (;;) {
		const char *begin = c->lines.data + c->line;
		const char *end = c->lines.size > c->line ? memchr(begin, '\n', c->lines.size - c->line) : NULL;
		ssize_t n;

		if (end) {
			*ret = begin;
			*ret_n = (size_t)(end - begin);
			c->line += *ret_n + 1;
			return 1;
		}
		buffer_consume(&c->lines, c->line);
		c->line = 0;
		if (buffer_reserve(&c->lines, BLOCK) < 0)
			return error_set(err, ERROR_INVALID, "a line of the tar-split is longer than %zu bytes", c->lines.limit);
		n = inflate_read(c->split, c->lines.data + c->lines.size, BLOCK, err);
		if (n <= 0)
			return n < 0 ? -1 : c->lines.size ? error_set(err, ERROR_INVALID, "the tar-split ends in a line") : 0;
		c->lines.size += (size_t)n;
	}
}

/* 1: more is open now; 0: that was all. */
static int next_entry(struct chunked *c, struct error *err)
{
	struct tar_split_entry e;
	const char *line = NULL;
	size_t n = 0;
	int more;

	arena_free(c->entry);
	c->entry = arena_new();
	more = next_line(c, &line, &n, err);
	if (more <= 0)
		return more;
	if (tar_split_read(c->entry, line, n, &e, err) < 0)
		return -1;
	if (e.is_file)
		return e.size && open_content(c, e.size, err) < 0 ? -1 : 1;
	c->bytes = e.bytes;
	c->bytes_left = (size_t)e.size;
	return 1;
}

/* The frames before the next content, then the content. */
static int next_frames(struct chunked *c, struct error *err)
{
	const struct chunked_content *content = c->next < c->source->n ? &c->source->contents[c->next] : NULL;
	int64_t until = content ? content->offset : c->source->frames_end;

	if (c->cursor < until) {
		open_frames(c, c->cursor, until);
		c->cursor = until;
		c->headers = true;
		return 1;
	}
	if (!content)
		return 0;
	c->cursor = content->end;
	return open_content(c, content->size, err) < 0 ? -1 : 1;
}

static int next(struct chunked *c, struct error *err)
{
	int more = c->split ? next_entry(c, err) : next_frames(c, err);

	if (more == 0 && c->next < c->source->n)
		return error_set(err, ERROR_INVALID, "the layer's tar and its table of contents disagree");
	return more;
}

/* --- the stream */

static ssize_t give_bytes(struct chunked *c, void *p, size_t n)
{
	if (n > c->bytes_left)
		n = c->bytes_left;
	memcpy(p, c->bytes, n);
	c->bytes += n;
	c->bytes_left -= n;
	return (ssize_t)n;
}

static ssize_t chunked_read(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	struct chunked *c = state;
	int more = 1;

	while (more > 0) {
		if (c->bytes_left)
			return give_bytes(c, p, n);
		if (c->left)
			return read_content(c, in, p, n, err);
		if (c->headers) {
			ssize_t got = unpack(c, p, n, err);

			if (got)
				return got;
			c->headers = false;
		}
		more = next(c, err);
	}
	return more;
}

static const struct codec codec_chunked = { .name = "zstd:chunked", .read = chunked_read, .close = chunked_close };

static int open_split(struct chunked *c, struct error *err)
{
	const struct chunked_source *s = c->source;
	const unsigned char *packed = c->blob + s->split.offset;
	char digest[DIGEST_TEXT_MAX];

	if (!s->split.size)
		return 0;
	if (s->split_digest) {
		if (hash_bytes(packed, (size_t)s->split.size, NULL, digest, err) < 0)
			return -1;
		if (!str_eq(digest, s->split_digest))
			return error_set(err, ERROR_INVALID, "the tar-split has the digest %s, the table of contents says otherwise", digest);
	}
	c->lines = BUFFER(TAR_SPLIT_LINE_MAX);
	c->split = inflate_open_memory(packed, (size_t)s->split.size, err);
	return c->split ? 0 : -1;
}

static int begin(struct chunked *c, struct error *err)
{
	void *blob = mmap(NULL, (size_t)c->source->size, PROT_READ, MAP_PRIVATE, c->source->fd, 0);

	if (blob == MAP_FAILED)
		return error_errno(err, "map parts of a blob");
	c->blob = blob;
	c->context = ZSTD_createDCtx();
	c->entry = arena_new();
	if (!c->context || ZSTD_isError(ZSTD_DCtx_setParameter(c->context, ZSTD_d_windowLogMax, CODEC_WINDOW_LOG_MAX))) {
		errno = ENOMEM;
		return error_errno(err, "start the zstd decoder");
	}
	return hash_init(&c->hash, NULL, err) < 0 ? -1 : open_split(c, err);
}

struct inflate *inflate_open_chunked(const struct chunked_source *source, struct error *err)
{
	struct inflate *in = calloc(1, sizeof(*in));
	struct chunked *c = calloc(1, sizeof(*c));

	if (!in || !c) {
		error_errno(err, "allocate a decoder");
		free(in);
		free(c);
		return NULL;
	}
	c->source = source;
	c->object = -1;
	*in = (struct inflate){ .codec = &codec_chunked, .kind = INFLATE_ZSTD, .state = c, .fd = -1 };
	if (begin(c, err) == 0)
		return in;
	inflate_close(in);
	return NULL;
}
