#include "transfer/chunked.h"

#include <errno.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/chunked_table.h"
#include "transfer/codec_chunked.h"
#include "transfer/objects.h"
#include "transfer/ranges.h"

#define HOLE ((int64_t)4 << 10)			/* costs about as much as a further range in a request */
#define BLOB_MAX ((int64_t)1 << 40)
#define WORTH_NUM 3				/* at least a quarter of the blob must be here */
#define WORTH_DEN 4

struct chunked {
	struct work *work;
	struct errands *errands;
	const struct transfer_layer *layer;
	struct progress *progress;
	struct chunked_table table, split;
	struct chunked_contents contents;
	bool *here;
	int fd;				/* the blob with holes */
	struct ranges *ranges;		/* the table, then all the rest */
	bool has_table;
	struct error error;
	struct chunked_source source;
};

bool chunked_is_possible(const struct work *w, const struct transfer_layer *layer)
{
	return w->places.objects >= 0 && layer->toc_position && layer->toc_digest && layer->size < BLOB_MAX;
}

static void fetch(struct chunked *c, const struct range *v, size_t n)
{
	const struct ranges_request r = { .digest = c->layer->digest, .v = v, .n = n, .fd = c->fd, .progress = c->progress,
					  .bytes_max = c->layer->size / WORTH_DEN * WORTH_NUM };

	c->ranges = ranges_begin(c->work->arena, c->errands, &r);
}

static int begin(struct chunked *c)
{
	const struct transfer_layer *layer = c->layer;
	struct range table;

	if (chunked_position_parse(layer->toc_position, layer->size, &c->table, &c->error) < 0)
		return -1;
	if (layer->split_position &&
	    chunked_split_parse(layer->split_position, &c->table, layer->size, &c->split, &c->error) < 0)
		return -1;
	c->fd = sink_scratch(&c->work->places);
	if (c->fd < 0 || ftruncate(c->fd, layer->size) < 0)
		return error_errno(&c->error, "make a file for parts of a blob");
	table = (struct range){ c->table.offset, c->table.offset + c->table.size };
	fetch(c, &table, 1);
	return 0;
}

struct chunked *chunked_begin(struct work *w, struct errands *errands, const struct transfer_layer *layer,
			      struct progress *progress)
{
	struct chunked *c = arena_new_one(w->arena, struct chunked);

	*c = (struct chunked){ .work = w, .errands = errands, .layer = layer, .progress = progress, .fd = -1 };
	begin(c);
	return c;
}

/* --- the table */

static int read_table(struct chunked *c)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *packed = arena_alloc(arena, (size_t)c->table.size + 1), digest[DIGEST_TEXT_MAX], *text;

	if (pread(c->fd, packed, (size_t)c->table.size, c->table.offset) != (ssize_t)c->table.size)
		return error_errno(&c->error, "read the table of contents");
	if (hash_bytes(packed, (size_t)c->table.size, NULL, digest, &c->error) < 0)
		return -1;
	if (!str_eq(digest, c->layer->toc_digest))
		return error_set(&c->error, ERROR_INVALID, "the table of contents has the digest %s, the manifest says otherwise",
				 digest);
	text = chunked_table_unpack(arena, packed, &c->table, &c->error);
	if (!text || chunked_contents_read(arena, text, (size_t)c->table.plain_size, &c->table, &c->contents, &c->error) < 0)
		return -1;
	c->contents.v = arena_memdup(c->work->arena, c->contents.v, c->contents.n * sizeof(*c->contents.v));
	c->contents.split_digest = arena_strdup(c->work->arena, c->contents.split_digest);
	return 0;
}

static void look_around(struct chunked *c)
{
	c->here = arena_new_array(c->work->arena, bool, c->contents.n + 1);
	for (size_t i = 0; i < c->contents.n; i++) {
		const struct chunked_content *content = &c->contents.v[i];

		c->here[i] = content->has_digest && objects_has(c->work->places.objects, content->digest, content->size);
	}
}

/* --- the rest */

/* Contents that are not here; what is between contents, where no tar-split has it. Answers their number. */
static size_t list_missing(const struct chunked *c, struct range *v)
{
	int64_t cursor = 0;
	size_t n = 0;

	for (size_t i = 0; i <= c->contents.n; i++) {
		bool last = i == c->contents.n;
		int64_t from = last ? c->table.begin : c->contents.v[i].offset;

		if (!c->split.size && cursor < from)
			v[n++] = (struct range){ cursor, from };
		if (last)
			break;
		cursor = c->contents.v[i].end;
		if (!c->here[i])
			v[n++] = (struct range){ from, cursor };
	}
	if (c->split.size)
		v[n++] = (struct range){ c->split.offset, c->split.offset + c->split.size };
	return ranges_join(v, n, HOLE);
}

static int fetch_missing(struct chunked *c)
{
	struct range *v = arena_new_array(c->work->arena, struct range, 2 * c->contents.n + 2);
	size_t n = list_missing(c, v);
	int64_t bytes = ranges_bytes(v, n);

	if (bytes > c->layer->size / WORTH_DEN * WORTH_NUM)
		return error_set(&c->error, ERROR_NOT_FOUND, "most of the layer is missing");
	if (sink_check_room(c->fd, bytes, "it", &c->error) < 0)
		return -1;
	fetch(c, v, n);
	return 0;
}

static int take_table(struct chunked *c)
{
	c->has_table = true;
	if (read_table(c) < 0)
		return -1;
	look_around(c);
	return fetch_missing(c);
}

int chunked_move_on(struct chunked *c, struct error *err)
{
	int state = c->error.kind ? -1 : ranges_result(c->ranges, &c->error);

	if (state > 0 && !c->has_table)
		state = take_table(c);
	if (state < 0 && err)
		*err = c->error;
	return state;
}

struct inflate *chunked_open(struct chunked *c, struct error *err)
{
	c->source = (struct chunked_source){
		.fd = c->fd, .size = c->layer->size, .objects = c->work->places.objects, .contents = c->contents.v,
		.here = c->here, .n = c->contents.n, .frames_end = c->table.begin, .split = c->split,
		.split_digest = c->contents.split_digest,
	};
	return inflate_open_chunked(&c->source, err);
}

void chunked_done(struct chunked *c)
{
	if (!c)
		return;
	ranges_drop(c->ranges);
	fd_close(&c->fd);
}
