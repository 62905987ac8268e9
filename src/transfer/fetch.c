#include "transfer/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/lock.h"

#define LOCK_LOOK_MS 200

enum fetch_state { FETCH_LOCKING, FETCH_RUNNING, FETCH_DONE, FETCH_FAILED };

struct fetch_blob {
	struct fetch *fetch;
	struct fetch_blob *next;
	enum fetch_state state;
	const char *digest;
	char name[80], *path;
	int64_t size, have, most;	/* most: that was ever there, if only until a restart */
	int fd;				/* tmp/blob-<hex>, locked */
	struct hash hash;		/* over what is there */
	struct progress *progress;
	struct errand errand;
	bool continued;			/* bytes of an earlier process are in it */
	struct error error;
};

struct fetch {
	struct work *work;
	struct errands errands;
	struct fetch_blob *blobs;
};

struct fetch *fetch_open(struct work *w, const struct transfer_request *r, struct error *err)
{
	struct fetch *f = arena_new_one(w->arena, struct fetch);

	f->work = w;
	f->errands.registry = registry_open(w, r, err);
	return f->errands.registry ? f : NULL;
}

struct errands *fetch_errands(struct fetch *f)
{
	return &f->errands;
}

static void close_file(struct fetch_blob *b)
{
	hash_done(&b->hash);
	fd_close(&b->fd);
}

void fetch_close(struct fetch *f, bool discard)
{
	for (struct fetch_blob *b = f ? f->blobs : NULL; b; b = b->next) {
		if (discard && b->fd >= 0)
			unlinkat(f->work->places.tmp, b->name, 0);
		errand_drop(&b->errand);
		close_file(b);
	}
}

size_t fetch_running(const struct fetch *f)
{
	return f->errands.running;
}

static void end(struct fetch_blob *b, enum fetch_state state)
{
	errand_end(&b->errand);
	close_file(b);
	b->state = state;
}

/* --- the growing file */

/* From an empty file and a new digest. */
static int restart(struct fetch_blob *b)
{
	hash_done(&b->hash);
	b->have = 0;
	b->continued = false;
	if (ftruncate(b->fd, 0) < 0 || lseek(b->fd, 0, SEEK_SET) < 0)
		return error_errno(&b->error, "empty a partial blob");
	return hash_init(&b->hash, b->digest, &b->error);
}

/* What an earlier process left counts, once it is hashed. */
static int take_over(struct fetch_blob *b)
{
	enum { BLOCK = 1 << 17 };
	char *block = malloc(BLOCK);
	ssize_t n = -1;

	while (block && (n = read(b->fd, block, BLOCK)) > 0) {
		hash_add(&b->hash, block, (size_t)n);
		b->have += n;
	}
	free(block);
	b->continued = true;
	return n < 0 ? error_errno(&b->error, "read a partial blob") : 0;
}

static int begin_file(struct fetch_blob *b)
{
	struct stat st;

	if (fstat(b->fd, &st) < 0)
		return error_errno(&b->error, "look at a partial blob");
	if (sink_check_room(b->fd, b->size - st.st_size, "it", &b->error) < 0)
		return -1;
	if (st.st_size == 0 || st.st_size > b->size)
		return restart(b);
	if (hash_init(&b->hash, b->digest, &b->error) < 0)
		return -1;
	return take_over(b);
}

static void on_begin(void *context)
{
	struct fetch_blob *b = context;
	const struct exchange *x = &b->errand.x;
	long long first = -1;

	if (b->have == 0)
		return;
	if (x->status == 206 && x->content_range && sscanf(x->content_range, "bytes %lld-", &first) == 1 &&
	    first == b->have)
		return;
	restart(b);			/* 200, or another part: from the beginning */
	if (x->status == 206)
		error_set(&b->error, ERROR_NETWORK, "the registry sends another part than was asked for");
}

static int on_bytes(void *context, const char *p, size_t n)
{
	struct fetch_blob *b = context;

	if (b->error.kind)
		return -1;
	if ((int64_t)n > b->size - b->have)
		return error_set(&b->error, ERROR_INVALID, "it is larger than the %lld bytes of its descriptor",
				 (long long)b->size);
	if (fd_write_all(b->fd, p, n) < 0)
		return error_errno(&b->error, "write a blob");
	hash_add(&b->hash, p, n);
	b->have += (int64_t)n;
	if (b->have > b->most) {
		b->most = b->have;
		b->errand.tries = 0;
	}
	progress_note(b->progress, "Downloading", b->have);
	return 0;
}

/* --- states */

static void give_up(struct fetch_blob *b)
{
	if (!transfer_may_pass(&b->error))
		unlinkat(b->fetch->work->places.tmp, b->name, 0);
	end(b, FETCH_FAILED);
}

static void run(struct fetch_blob *b)
{
	struct exchange *x = errand_question(&b->errand);

	x->path = b->path;
	x->range_from = b->have;
	x->take = on_bytes;
	x->begin = on_begin;
	b->state = FETCH_RUNNING;
	if (errand_ask(&b->errand) == 0)
		return;
	b->error = x->error;
	give_up(b);
}

static void finish(struct fetch_blob *b)
{
	char digest[DIGEST_TEXT_MAX];

	hash_final(&b->hash, digest);
	if (!str_eq(digest, b->digest)) {
		if (b->continued && restart(b) == 0) {		/* what was left over was not worth anything */
			run(b);
			return;
		}
		unlinkat(b->fetch->work->places.tmp, b->name, 0);
		error_set(&b->error, ERROR_INVALID, "digest does not match: the registry sent %s", digest);
		give_up(b);
		return;
	}
	if (renameat(b->fetch->work->places.tmp, b->name, b->fetch->work->places.blobs, digest_hex(digest)) < 0) {
		error_errno(&b->error, "name the blob %s", digest);
		give_up(b);
		return;
	}
	progress_note(b->progress, "Download complete", b->size);
	end(b, FETCH_DONE);
}

/* The file is ours: what is left to do? */
static void locked(struct fetch_blob *b)
{
	if (sink_has(&b->fetch->work->places, b->digest, b->size)) {
		unlinkat(b->fetch->work->places.tmp, b->name, 0);
		end(b, FETCH_DONE);
		return;
	}
	if (begin_file(b) < 0) {
		give_up(b);
		return;
	}
	if (b->have == b->size)
		finish(b);
	else
		run(b);
}

static void try_lock(struct fetch_blob *b)
{
	int tmp = b->fetch->work->places.tmp;
	struct stat st;

	if (sink_has(&b->fetch->work->places, b->digest, b->size)) {
		end(b, FETCH_DONE);
		return;
	}
	b->fd = lock_open(tmp, b->name, LOCK_EXCLUSIVE, false);
	if (b->fd < 0 && errno != EWOULDBLOCK) {
		error_errno(&b->error, "make a file for a blob");
		give_up(b);
		return;
	}
	/* Lost its name between open and lock: the other one finished. */
	if (b->fd >= 0 && (fstat(b->fd, &st) < 0 || st.st_nlink == 0))
		fd_close(&b->fd);
	if (b->fd >= 0) {
		locked(b);
		return;
	}
	progress_note(b->progress, "Waiting", 0);
	errand_pause(&b->errand, LOCK_LOOK_MS);
}

static void retry_or_fail(struct fetch_blob *b)
{
	int64_t pause = 0;

	if (!b->error.kind && errand_may_retry(&b->errand) && exchange_may_retry(&b->errand.x, b->errand.tries, &pause)) {
		progress_note(b->progress, "Retrying", b->have);
		errand_pause(&b->errand, pause);
		return;
	}
	if (!b->error.kind)
		exchange_failure(&b->errand.x, "blob", &b->error);
	give_up(b);
}

static bool is_cut(const struct fetch_blob *b)
{
	return b->errand.x.status / 100 == 2 && b->have < b->size;
}

/* The registry has less than the descriptor says: what was announced came, and asking again would not make it more. */
static bool is_short(const struct fetch_blob *b, CURLcode code)
{
	const struct exchange *x = &b->errand.x;

	return code == CURLE_OK && x->status == 200 && b->have < b->size && x->content_length == b->have;
}

static void begin_anew(struct fetch_blob *b)
{
	if (restart(b) == 0)
		run(b);
	else
		give_up(b);
}

static void answered(struct errand *e, CURLcode code)
{
	struct fetch_blob *b = e->context;

	if (b->error.kind || e->x.error.kind) {
		retry_or_fail(b);
	} else if (e->x.status / 100 == 2 && b->have == b->size) {
		finish(b);
	} else if (is_short(b, code)) {
		error_set(&b->error, ERROR_INVALID, "size does not match: the registry has %lld bytes, the descriptor says %lld",
			  (long long)b->have, (long long)b->size);
		give_up(b);
	} else if (e->x.status == 416 && b->have > 0) {
		begin_anew(b);
	} else {
		if (is_cut(b)) {		/* an end before its time, politely */
			e->x.transport_failed = true;
			error_set(&e->x.error, ERROR_NETWORK, "%lld of %lld bytes came", (long long)b->have, (long long)b->size);
		}
		retry_or_fail(b);
	}
}

static void wake(struct errand *e)
{
	struct fetch_blob *b = e->context;

	if (b->state == FETCH_LOCKING)
		try_lock(b);
	else
		run(b);
}

static const struct errand_kind fetching = { answered, wake };

struct fetch_blob *fetch_add(struct fetch *f, const char *digest, int64_t size, struct progress *progress,
			     struct error *err)
{
	struct fetch_blob *b = arena_new_one(f->work->arena, struct fetch_blob);

	if (size < 0) {
		error_set(err, ERROR_INVALID, "the descriptor of %.19s has no size", digest);
		return NULL;
	}
	b->fetch = f;
	b->next = f->blobs;
	f->blobs = b;
	b->digest = digest;
	b->size = size;
	b->fd = -1;
	b->progress = progress;
	b->path = arena_printf(f->work->arena, "/v2/%s/blobs/%s", f->errands.registry->path, digest);
	snprintf(b->name, sizeof(b->name), "blob-%s", digest_hex(digest));
	errand_begin(&f->errands, &b->errand, &fetching, b);
	progress_note(progress, "Downloading", 0);
	try_lock(b);
	return b;
}

int fetch_result(struct fetch_blob *b, struct error *err)
{
	if (b->state == FETCH_DONE)
		return 1;
	if (b->state != FETCH_FAILED)
		return 0;
	if (err)
		*err = b->error;
	return -1;
}
