#include "transfer/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "transfer/exchange.h"

#define TRIES_MAX 50			/* however much progress each of them makes */
#define LOCK_LOOK_MS 200
#define WAIT_MS 1000

enum fetch_state { FETCH_LOCKING, FETCH_PAUSING, FETCH_RUNNING, FETCH_DONE, FETCH_FAILED };

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
	struct exchange x;
	bool begun, continued;		/* bytes of an earlier process are in it */
	int tries, all_tries;
	int64_t wake_ms;
	struct error error;
};

struct fetch {
	struct work *work;
	struct registry *registry;
	struct fetch_blob *blobs;
	size_t running;
};

struct fetch *fetch_open(struct work *w, const struct transfer_request *r, struct error *err)
{
	struct fetch *f = arena_new_one(w->arena, struct fetch);

	f->work = w;
	f->registry = registry_open(w, r, err);
	return f->registry ? f : NULL;
}

static void stop(struct fetch_blob *b)
{
	if (b->begun) {
		curl_multi_remove_handle(b->fetch->registry->multi, b->x.easy);
		exchange_done(&b->x);
	}
	b->begun = false;
	hash_done(&b->hash);
	fd_close(&b->fd);
}

void fetch_close(struct fetch *f, bool discard)
{
	for (struct fetch_blob *b = f ? f->blobs : NULL; b; b = b->next) {
		if (discard && b->fd >= 0)
			unlinkat(f->work->places.tmp, b->name, 0);
		stop(b);
	}
}

size_t fetch_running(const struct fetch *f)
{
	return f->running;
}

static void end(struct fetch_blob *b, enum fetch_state state)
{
	stop(b);
	b->state = state;
	b->fetch->running--;
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
	long long first = -1;

	if (b->have == 0)
		return;
	if (b->x.status == 206 && b->x.content_range && sscanf(b->x.content_range, "bytes %lld-", &first) == 1 &&
	    first == b->have)
		return;
	restart(b);			/* 200, or another part: from the beginning */
	if (b->x.status == 206)
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
		b->tries = 0;
	}
	progress_note(b->progress, "Downloading", b->have);
	return 0;
}

/* --- states */

static void pause_until(struct fetch_blob *b, enum fetch_state state, int64_t ms)
{
	b->state = state;
	b->wake_ms = clock_now_ms() + ms;
}

static void give_up(struct fetch_blob *b)
{
	if (!transfer_may_pass(&b->error))
		unlinkat(b->fetch->work->places.tmp, b->name, 0);
	end(b, FETCH_FAILED);
}

static void run(struct fetch_blob *b)
{
	exchange_done(&b->x);
	exchange_init(&b->x, b->fetch->registry);
	b->begun = false;
	b->x.path = b->path;
	b->x.range_from = b->have;
	b->x.take = on_bytes;
	b->x.begin = on_begin;
	b->x.context = b;
	b->state = FETCH_RUNNING;
	if (exchange_prepare(&b->x) < 0 || curl_multi_add_handle(b->fetch->registry->multi, b->x.easy) != CURLM_OK) {
		error_set(&b->error, ERROR_FAILED, "libcurl: out of memory");
		give_up(b);
		return;
	}
	b->begun = true;
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
	pause_until(b, FETCH_LOCKING, LOCK_LOOK_MS);
}

static void retry_or_fail(struct fetch_blob *b)
{
	int64_t pause = 0;

	b->tries++;
	b->all_tries++;
	if (!b->error.kind && b->tries <= b->fetch->registry->retries && b->all_tries < TRIES_MAX &&
	    exchange_may_retry(&b->x, b->tries, &pause)) {
		progress_note(b->progress, "Retrying", b->have);
		pause_until(b, FETCH_PAUSING, pause);
		return;
	}
	if (!b->error.kind)
		exchange_failure(&b->x, "blob", &b->error);
	give_up(b);
}

static bool is_cut(const struct fetch_blob *b)
{
	return b->x.status / 100 == 2 && b->have < b->size;
}

/* The registry has less than the descriptor says: what was announced came, and asking again would not make it more. */
static bool is_short(const struct fetch_blob *b, CURLcode code)
{
	return code == CURLE_OK && b->x.status == 200 && b->have < b->size && b->x.content_length == b->have;
}

static void ended(struct fetch_blob *b, CURLcode code)
{
	curl_multi_remove_handle(b->fetch->registry->multi, b->x.easy);
	if (!b->error.kind && exchange_ended(&b->x, code) == EXCHANGE_AGAIN) {
		if (exchange_prepare(&b->x) < 0 || curl_multi_add_handle(b->fetch->registry->multi, b->x.easy) != CURLM_OK)
			retry_or_fail(b);
		return;
	}
	if (!b->error.kind && !b->x.error.kind && b->x.status / 100 == 2 && b->have == b->size) {
		finish(b);
		return;
	}
	if (!b->error.kind && !b->x.error.kind && is_short(b, code)) {
		error_set(&b->error, ERROR_INVALID, "size does not match: the registry has %lld bytes, the descriptor says %lld",
			  (long long)b->have, (long long)b->size);
		give_up(b);
		return;
	}
	if (!b->error.kind && !b->x.error.kind && b->x.status == 416 && b->have > 0) {
		if (restart(b) == 0)
			run(b);
		else
			give_up(b);
		return;
	}
	if (!b->x.error.kind && is_cut(b)) {		/* an end before its time, politely */
		b->x.transport_failed = true;
		error_set(&b->x.error, ERROR_NETWORK, "%lld of %lld bytes came", (long long)b->have, (long long)b->size);
	}
	retry_or_fail(b);
}

static void wake(struct fetch_blob *b)
{
	if (b->state == FETCH_LOCKING)
		try_lock(b);
	else
		run(b);
}

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
	b->path = arena_printf(f->work->arena, "/v2/%s/blobs/%s", f->registry->path, digest);
	snprintf(b->name, sizeof(b->name), "blob-%s", digest_hex(digest));
	f->running++;
	progress_note(progress, "Downloading", 0);
	try_lock(b);
	return b;
}

/* Handles what ended and wakes what waited; answers how long nothing else is due. */
static int move_on(struct fetch *f, struct error *err)
{
	int running, left, timeout = WAIT_MS;
	int64_t now;
	CURLMsg *m;

	if (curl_multi_perform(f->registry->multi, &running) != CURLM_OK)
		return error_set(err, ERROR_FAILED, "libcurl gave up");
	while ((m = curl_multi_info_read(f->registry->multi, &left))) {
		CURLcode code = m->data.result;
		struct exchange *x = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		ended(x->context, code);
		timeout = 0;
	}
	now = clock_now_ms();
	for (struct fetch_blob *b = f->blobs; b; b = b->next) {
		if (b->state != FETCH_LOCKING && b->state != FETCH_PAUSING)
			continue;
		if (b->wake_ms <= now) {
			wake(b);
			timeout = 0;
		} else if (b->wake_ms - now < timeout) {
			timeout = (int)(b->wake_ms - now);
		}
	}
	return timeout;
}

int fetch_wait(struct fetch *f, struct pollfd *fds, size_t n, struct error *err)
{
	struct curl_waitfd wait[64];
	int timeout = move_on(f, err);

	if (timeout < 0)
		return -1;
	for (size_t i = 0; i < n && i < ELEMENTS(wait); i++)
		wait[i] = (struct curl_waitfd){ .fd = fds[i].fd, .events = CURL_WAIT_POLLIN };
	if (timeout > 0 && f->running + n > 0)
		curl_multi_poll(f->registry->multi, wait, (unsigned)(n < ELEMENTS(wait) ? n : ELEMENTS(wait)), timeout, NULL);
	return 0;
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
