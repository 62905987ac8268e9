#include "transfer/recipe_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fd.h"

#define CARRY_MAX ((size_t)64 << 20)
#define PARTS_MAX ((size_t)1 << 20)	/* of one sparse file */

static int keep_packed(void *context, const void *p, size_t n, struct error *err)
{
	return buffer_add(context, p, n) < 0 ? error_errno(err, "keep a recipe") : 0;
}

static int pack(void *context, const void *p, size_t n, struct error *err)
{
	return deflate_add(context, p, n, false, err);
}

/* Headers differ little from each other: the quickest level packs them to a fiftieth. */
int recipe_maker_init(struct recipe_maker *m, size_t limit, struct error *err)
{
	const int64_t quick = 1;

	*m = (struct recipe_maker){ .packed = BUFFER(limit), .carry = BUFFER(CARRY_MAX) };
	m->deflate = deflate_open(LAYER_ZSTD, &quick, keep_packed, &m->packed, err);
	if (!m->deflate)
		return -1;
	recipe_begin(&m->writer, pack, m->deflate, limit);
	return 0;
}

void recipe_maker_done(struct recipe_maker *m)
{
	deflate_close(m->deflate);
	recipe_writer_done(&m->writer);
	buffer_done(&m->packed);
	buffer_done(&m->carry);
	free(m->parts);
	*m = (struct recipe_maker){ .lost = true };
}

/* --- the stream */

static int64_t end_of(const struct recipe_maker *m)
{
	return m->block_at + (int64_t)m->block_size;
}

/* What comes first of what is not decided, in one piece; at most to `end`. */
static const unsigned char *undecided(const struct recipe_maker *m, int64_t end, size_t *ret_size)
{
	bool carried = m->done < m->block_at;
	int64_t piece_end = carried ? m->block_at : end_of(m);

	*ret_size = (size_t)((end < piece_end ? end : piece_end) - m->done);
	return carried ? (const unsigned char *)m->carry.data + (m->carry.size - (size_t)(m->block_at - m->done)) :
			 m->block + (m->done - m->block_at);
}

static void note_bytes(struct recipe_maker *m, int64_t end)
{
	while (!m->lost && m->done < end) {
		size_t n;
		const unsigned char *p = undecided(m, end, &n);

		m->lost = recipe_add_bytes(&m->writer, p, n, NULL) < 0;
		m->done += (int64_t)n;
	}
}

void recipe_maker_turn(struct recipe_maker *m, int64_t consumed)
{
	int64_t end = end_of(m);

	if (m->lost)
		return;
	if (!m->parts_n)		/* else padding: its turn comes after the object */
		note_bytes(m, consumed < end ? consumed : end);
	buffer_consume(&m->carry, m->carry.size - (m->done < m->block_at ? (size_t)(m->block_at - m->done) : 0));
	if (m->done < end) {
		size_t from = m->done > m->block_at ? (size_t)(m->done - m->block_at) : 0;

		m->lost |= buffer_add(&m->carry, m->block + from, m->block_size - from) < 0;
	}
	m->block_at = end;
	m->block_size = 0;
}

void recipe_maker_block(struct recipe_maker *m, const void *p, size_t n)
{
	m->block = p;
	m->block_size = n;
}

/* --- files */

/* Takes n bytes for decided, if they are p. */
static bool claim(struct recipe_maker *m, const unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t piece;
		const unsigned char *stream = undecided(m, m->done + (int64_t)n, &piece);

		if (piece == 0 || (stream != p && memcmp(stream, p, piece) != 0))
			return false;
		m->done += (int64_t)piece;
		p += piece;
		n -= piece;
	}
	return true;
}

static bool add_part(struct recipe_maker *m, int64_t offset, int64_t size)
{
	struct recipe_part *last = m->parts_n ? &m->parts[m->parts_n - 1] : NULL;

	if (last && last->offset + last->size == offset) {
		last->size += size;
		return true;
	}
	if (m->parts_n == m->parts_room) {
		size_t room = m->parts_room ? 2 * m->parts_room : 64;
		struct recipe_part *more = room > PARTS_MAX ? NULL : realloc(m->parts, room * sizeof(*more));

		if (!more)
			return false;
		m->parts = more;
		m->parts_room = room;
	}
	m->parts[m->parts_n++] = (struct recipe_part){ offset, size };
	return true;
}

void recipe_maker_part(struct recipe_maker *m, int64_t at, const void *p, size_t n, int64_t offset)
{
	if (m->lost || n == 0)
		return;
	if (at < m->done || at > end_of(m) || (m->parts_n && at != m->done)) {
		m->lost = true;
		return;
	}
	note_bytes(m, at);
	m->lost = m->lost || !claim(m, p, n) || !add_part(m, offset, (int64_t)n);
}

void recipe_maker_object(struct recipe_maker *m, const unsigned char *digest)
{
	for (size_t i = 0; !m->lost && i < m->parts_n; i++)
		m->lost = recipe_add_object(&m->writer, digest, m->parts[i].offset, m->parts[i].size, NULL) < 0;
	m->parts_n = 0;
}

/* --- the end */

static int write_file(int stage, const struct buffer *file, struct error *err)
{
	_cleanup_fd_ int fd = openat(stage, "recipe", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, file->data, file->size) < 0)
		return error_errno(err, "write the layer's recipe");
	return 0;
}

int recipe_maker_finish(struct recipe_maker *m, int stage, struct error *err)
{
	_cleanup_buffer_ struct buffer file = BUFFER(m->packed.limit);

	recipe_maker_turn(m, INT64_MAX);
	if (m->lost || m->parts_n || deflate_add(m->deflate, "", 0, true, NULL) < 0 ||
	    recipe_end(&m->writer, m->packed.data, m->packed.size, &file, NULL) < 0)
		return 0;
	return write_file(stage, &file, err) < 0 ? -1 : 1;
}
