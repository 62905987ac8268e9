#include "transfer/chunked_blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/chunked.h"
#include "sys/fd.h"
#include "transfer/chunked_table.h"
#include "transfer/exchange.h"

#define BASES_MAX 64
#define BASES_TABLES_MAX ((int64_t)64 << 20)	/* packed tables of all of them */
#define TAIL_MAX ((int64_t)96 << 20)
#define HOLE_MIN ((int64_t)32 << 10)		/* fetching so much once more is cheaper than a further request */
#define REQUESTS_MAX 48
#define WORTH_NUM 3				/* at least a quarter of the blob must be here */
#define WORTH_DEN 4

enum { BLOCK = 1 << 17 };

/* A piece of a blob that is here. */
struct local { struct chunked_piece piece; int fd; };

struct assembly {
	struct work *work;
	struct arena *arena;
	struct registry *registry;
	int fds[BASES_MAX];
	size_t bases;
	ARRAY(struct local) locals;	/* sorted by key and size */
};

/* A part of the blob in the making: copied (fd) or fetched (-1). */
struct part { int64_t offset, size, from; int fd; };
struct parts { struct part *v; size_t n; };

/* --- tables */

static int read_pieces(struct arena *arena, const void *packed, const struct chunked_table *t,
		       struct chunked_pieces *ret, struct error *err)
{
	char *text = chunked_table_unpack(arena, packed, t, err);

	return text ? chunked_pieces_read(arena, text, (size_t)t->plain_size, t, ret, err) : -1;
}

/* --- what is here */

/* What the table takes in memory is given back before the next one is read. */
static void add_base(struct assembly *c, int fd, const struct chunked_table *t)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct chunked_pieces pieces;
	char *packed = arena_alloc(arena, (size_t)t->size + 1);

	if (pread(fd, packed, (size_t)t->size, t->offset) != (ssize_t)t->size ||
	    read_pieces(arena, packed, t, &pieces, NULL) < 0)
		return;
	for (size_t i = 0; i < pieces.n; i++)
		*ARRAY_ADD(c->arena, &c->locals) = (struct local){ pieces.v[i], fd };
}

static bool find_table(int fd, struct chunked_table *ret)
{
	unsigned char end[CHUNKED_FOOTER_MAX];
	struct stat st;
	size_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(end))
		return false;
	n = sizeof(end);
	return pread(fd, end, n, st.st_size - (off_t)n) == (ssize_t)n && chunked_footer_parse(end, n, st.st_size, ret);
}

static int compare_locals(const void *a, const void *b)
{
	const struct chunked_piece *x = &((const struct local *)a)->piece, *y = &((const struct local *)b)->piece;

	if (x->key.a != y->key.a)
		return x->key.a < y->key.a ? -1 : 1;
	if (x->key.b != y->key.b)
		return x->key.b < y->key.b ? -1 : 1;
	return x->size < y->size ? -1 : x->size > y->size;
}

static void find_bases(struct assembly *c)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->work->places.blobs, ".");
	int64_t tables = 0;
	struct dirent *d;

	while (dir && c->bases < BASES_MAX && (d = readdir(dir))) {
		struct chunked_table t;
		int fd = *d->d_name == '.' ? -1 :
			 openat(dirfd(dir), d->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0 || !find_table(fd, &t) || tables + t.size > BASES_TABLES_MAX) {
			fd_close(&fd);
			continue;
		}
		tables += t.size;
		c->fds[c->bases++] = fd;
		add_base(c, fd, &t);
	}
	if (c->locals.n > 1)
		qsort(c->locals.v, c->locals.n, sizeof(*c->locals.v), compare_locals);
}

static const struct local *find_local(const struct assembly *c, const struct chunked_piece *piece)
{
	struct local key = { *piece, -1 };

	return c->locals.n ? bsearch(&key, c->locals.v, c->locals.n, sizeof(key), compare_locals) : NULL;
}

/* --- the plan */

static void add_part(struct assembly *c, struct parts *parts, struct part part)
{
	struct part *last = parts->n ? &parts->v[parts->n - 1] : NULL;

	if (last && last->fd == part.fd && (part.fd < 0 || last->from + last->size == part.from))
		last->size += part.size;
	else
		*ARRAY_ADD(c->arena, parts) = part;
}

/* How many parts from i on are here and, between two that are fetched, smaller than the hole together. */
static size_t small_run(const struct parts *parts, size_t i, int64_t hole)
{
	int64_t size = 0;
	size_t n = 0;

	while (i + n < parts->n && parts->v[i + n].fd >= 0 && size < hole)
		size += parts->v[i + n++].size;
	return i > 0 && parts->v[i - 1].fd < 0 && i + n < parts->n && size < hole ? n : 0;
}

/* What is small between fetched parts is fetched with them. */
static void join_holes(struct assembly *c, struct parts *parts, int64_t hole)
{
	struct parts joined = { 0 };

	for (size_t i = 0; i < parts->n; i++) {
		size_t n = small_run(parts, i, hole);

		for (size_t k = 0; k < n; k++)
			parts->v[i + k].fd = -1;
		add_part(c, &joined, parts->v[i]);
	}
	*parts = joined;
}

static size_t requests(const struct parts *parts, int64_t *ret_bytes)
{
	size_t n = 0;

	*ret_bytes = 0;
	for (size_t i = 0; i < parts->n; i++)
		if (parts->v[i].fd < 0) {
			n++;
			*ret_bytes += parts->v[i].size;
		}
	return n;
}

/* false: too little is here. */
static bool plan(struct assembly *c, const struct chunked_pieces *pieces, int64_t size, struct parts *ret)
{
	int64_t hole = HOLE_MIN, bytes;

	for (size_t i = 0; i < pieces->n; i++) {
		const struct chunked_piece *p = &pieces->v[i];
		const struct local *here = find_local(c, p);

		add_part(c, ret, (struct part){ p->offset, p->size, here ? here->piece.offset : 0, here ? here->fd : -1 });
	}
	do {
		join_holes(c, ret, hole);
		hole *= 2;
	} while (requests(ret, &bytes) > REQUESTS_MAX && hole < size);
	return requests(ret, &bytes) <= REQUESTS_MAX && bytes < size / WORTH_DEN * WORTH_NUM;
}

/* --- the making */

struct range { struct exchange x; struct sink *sink; char *memory; int64_t want, got; struct error error; };

static int take(void *context, const char *p, size_t n)
{
	struct range *g = context;

	if (g->x.status != 206 || (int64_t)n > g->want - g->got)
		return -1;
	if (g->sink && sink_write(g->sink, p, n, &g->error) < 0)
		return -1;
	if (g->memory)
		memcpy(g->memory + g->got, p, n);
	g->got += (int64_t)n;
	return 0;
}

/* Some of the blob's bytes into the sink or into memory. */
static int get_range(struct assembly *c, const char *digest, int64_t from, int64_t size, struct sink *sink, char *memory,
		     struct error *err)
{
	struct range *g = arena_new_one(c->arena, struct range);
	int result = 0;

	exchange_init(&g->x, c->registry);
	g->x.path = arena_printf(c->arena, "/v2/%s/blobs/%s", c->registry->path, digest);
	g->x.range_from = from;
	g->x.range_to = from + size - 1;
	g->x.take = take;
	g->x.context = g;
	g->sink = sink;
	g->memory = memory;
	g->want = size;
	if (exchange_run(&g->x) < 0 || g->x.status != 206 || g->got != size)
		result = g->error.kind ? -1 : error_set(err, ERROR_NETWORK, "the registry gives no ranges of the blob");
	if (g->error.kind && err)
		*err = g->error;
	exchange_done(&g->x);
	return result;
}

static int copy_part(const struct part *p, char *block, struct sink *sink, struct error *err)
{
	int64_t done = 0;

	while (done < p->size) {
		size_t want = p->size - done < BLOCK ? (size_t)(p->size - done) : BLOCK;
		ssize_t n = pread(p->fd, block, want, p->from + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set(err, ERROR_INVALID, "a blob that is here is shorter than its table says");
		if (sink_write(sink, block, (size_t)n, err) < 0)
			return -1;
		done += n;
	}
	return 0;
}

static int write_parts(struct assembly *c, const struct transfer_layer *layer, const struct parts *parts,
		       struct sink *sink, struct error *err)
{
	char *block = arena_alloc(c->arena, BLOCK);
	struct progress progress;

	progress_init(&progress, c->work->channel, layer->digest, layer->size);
	for (size_t i = 0; i < parts->n; i++) {
		const struct part *p = &parts->v[i];

		progress_note(&progress, "Downloading", p->offset);
		if ((p->fd < 0 ? get_range(c, layer->digest, p->offset, p->size, sink, NULL, err) :
				 copy_part(p, block, sink, err)) < 0)
			return -1;
	}
	return 0;
}

/* The table's frame and what follows it. */
static char *get_tail(struct assembly *c, const struct transfer_layer *layer, const struct chunked_table *t,
		      struct error *err)
{
	int64_t size = layer->size - t->begin;
	char *tail, digest[DIGEST_TEXT_MAX];

	if (size > TAIL_MAX) {
		error_set(err, ERROR_INVALID, "the table of contents is too large");
		return NULL;
	}
	tail = arena_alloc(c->arena, (size_t)size + 1);
	if (get_range(c, layer->digest, t->begin, size, NULL, tail, err) < 0 ||
	    hash_bytes(tail + (t->offset - t->begin), (size_t)t->size, NULL, digest, err) < 0)
		return NULL;
	if (str_eq(digest, layer->toc_digest))
		return tail;
	error_set(err, ERROR_INVALID, "the table of contents has the digest %s, the manifest says otherwise", digest);
	return NULL;
}

/* The bytes after the pieces are those of the tail. */
static int make_blob(struct assembly *c, const struct transfer_layer *layer, const struct parts *parts, const char *tail,
		     size_t tail_size, struct error *err)
{
	struct sink sink;
	int result;

	if (sink_open(&sink, &c->work->places, err) < 0)
		return -1;
	result = write_parts(c, layer, parts, &sink, err);
	if (result == 0)
		result = sink_write(&sink, tail, tail_size, err);
	if (result == 0)
		result = sink_keep(&sink, layer->digest, layer->size, err);
	sink_done(&sink);
	return result;
}

static int assemble(struct assembly *c, const struct transfer_layer *layer, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct chunked_pieces pieces;
	struct chunked_table table;
	struct parts parts = { 0 };
	char *tail;

	if (chunked_position_parse(layer->toc_position, layer->size, &table, err) < 0 ||
	    !(tail = get_tail(c, layer, &table, err)) ||
	    read_pieces(arena, tail + (table.offset - table.begin), &table, &pieces, err) < 0)
		return -1;
	return plan(c, &pieces, layer->size, &parts) ?
	       make_blob(c, layer, &parts, tail, (size_t)(layer->size - table.begin), err) : 0;
}

/* --- */

static bool may_be_assembled(struct work *w, const struct transfer_layer *layer)
{
	return !layer->recipe && layer->toc_position && layer->toc_digest && digest_is_valid(layer->digest) &&
	       !sink_has(&w->places, layer->digest, layer->size);
}

int chunked_blob_prepare(struct work *w, const struct transfer_request *r, struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct assembly c = { .work = w, .arena = arena };
	bool looked = false, full = false;

	for (size_t i = 0; i < r->layers.n && !full; i++) {
		struct error failure = { 0 };

		if (!may_be_assembled(w, &r->layers.v[i]))
			continue;
		if (!looked) {
			looked = true;
			find_bases(&c);
			c.registry = c.locals.n ? registry_open(w, r, &failure) : NULL;
		}
		if (!c.registry)
			break;
		full = assemble(&c, &r->layers.v[i], &failure) < 0 && failure.kind == ERROR_NO_SPACE;
		if (full && err)
			*err = failure;
	}
	for (size_t i = 0; i < c.bases; i++)
		close(c.fds[i]);
	return full ? -1 : 0;
}
