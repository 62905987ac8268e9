/* The operations `blobs` and `keep`: what is wanted in blobs/ without an image being made of it. */
#include "transfer/fetch.h"
#include "transfer/found.h"
#include "transfer/jobs.h"

struct wanted { const struct transfer_layer *blob; struct fetch_blob *fetch; struct progress progress; bool done; };
struct bring { struct fetch *fetch; struct wanted *v; size_t n; };

/* The same blob may be wanted twice. */
static bool is_under_way(const struct bring *b, const struct wanted *w)
{
	for (size_t i = 0; i < b->n; i++)
		if (&b->v[i] != w && b->v[i].fetch && !b->v[i].done && str_eq(b->v[i].blob->digest, w->blob->digest))
			return true;
	return false;
}

static int begin(void *all, size_t i, struct error *err)
{
	struct bring *b = all;
	struct wanted *w = &b->v[i];

	if (w->fetch || fetch_running(b->fetch) >= FETCH_PARALLEL || is_under_way(b, w))
		return 0;
	w->fetch = fetch_add(b->fetch, w->blob->digest, w->blob->size, &w->progress, err);
	return w->fetch ? 0 : error_frame(err, "blob %.19s", w->blob->digest);
}

static int hear(void *all, size_t i, struct error *err)
{
	struct wanted *w = &((struct bring *)all)->v[i];
	int state = w->fetch && !w->done ? fetch_result(w->fetch, err) : 0;

	w->done |= state > 0;
	return state < 0 ? error_frame(err, "blob %.19s", w->blob->digest) : 0;
}

static bool is_done(const void *all, size_t i)
{
	return ((const struct bring *)all)->v[i].done;
}

static const struct jobs_kind bringing = { .begin = begin, .hear = hear, .is_done = is_done };

int op_blobs(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct bring b = { .v = arena_new_array(w->arena, struct wanted, r->layers.n + 1), .n = r->layers.n };
	int result;

	for (size_t i = 0; i < b.n; i++) {
		b.v[i].blob = &r->layers.v[i];
		if (found_is_stored(b.v[i].blob->digest, err) < 0)
			return -1;
		progress_init(&b.v[i].progress, w->channel, b.v[i].blob->digest, b.v[i].blob->size);
	}
	b.fetch = fetch_open(w, r, err);
	if (!b.fetch)
		return -1;
	result = jobs_work_off(&bringing, &b, b.n, fetch_errands(b.fetch), err);
	fetch_close(b.fetch, result < 0 && error_is(err, ERROR_NO_SPACE));
	return result;
}

int op_keep(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct image_descriptor kept = { .media_type = r->media_type };
	char digest[DIGEST_TEXT_MAX];

	if (!r->document)
		return error_set(err, ERROR_USAGE, "there is nothing to keep");
	kept.size = (int64_t)strlen(r->document);
	if (sink_bytes(&w->places, r->document, (size_t)kept.size, digest, err) < 0)
		return -1;
	kept.digest = arena_strdup(w->arena, digest);
	*ARRAY_ADD(w->arena, &ret->manifests) = kept;
	return 0;
}
