/* The operations `blobs` and `keep`: what is wanted in blobs/ without an image being made of it. */
#include "transfer/fetch.h"
#include "transfer/found.h"

struct wanted { const struct transfer_layer *blob; struct fetch_blob *fetch; struct progress progress; bool done; };

/* The same blob may be wanted twice. */
static bool is_under_way(const struct wanted *all, size_t n, const struct wanted *w)
{
	for (size_t i = 0; i < n; i++)
		if (&all[i] != w && all[i].fetch && !all[i].done && str_eq(all[i].blob->digest, w->blob->digest))
			return true;
	return false;
}

static int begin(struct fetch *f, struct wanted *all, size_t n, struct wanted *w, struct error *err)
{
	if (w->fetch || fetch_running(f) >= FETCH_PARALLEL || is_under_way(all, n, w))
		return 0;
	w->fetch = fetch_add(f, w->blob->digest, w->blob->size, &w->progress, err);
	return w->fetch ? 0 : -1;
}

static int hear(struct wanted *w, size_t *left, struct error *err)
{
	int state = w->fetch && !w->done ? fetch_result(w->fetch, err) : 0;

	if (state > 0) {
		w->done = true;
		--*left;
	}
	return state < 0 ? -1 : 0;
}

static int bring(struct fetch *f, struct wanted *all, size_t n, struct error *err)
{
	size_t left = n;

	while (left > 0) {
		for (size_t i = 0; i < n; i++)
			if (begin(f, all, n, &all[i], err) < 0)
				return error_frame(err, "blob %.19s", all[i].blob->digest);
		if (fetch_wait(f, NULL, 0, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (hear(&all[i], &left, err) < 0)
				return error_frame(err, "blob %.19s", all[i].blob->digest);
	}
	return 0;
}

int op_blobs(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct wanted *all = arena_new_array(w->arena, struct wanted, r->layers.n + 1);
	struct fetch *f;
	int result;

	for (size_t i = 0; i < r->layers.n; i++) {
		all[i].blob = &r->layers.v[i];
		if (found_is_stored(all[i].blob->digest, err) < 0)
			return -1;
		progress_init(&all[i].progress, w->channel, all[i].blob->digest, all[i].blob->size);
	}
	f = fetch_open(w, r, err);
	if (!f)
		return -1;
	result = bring(f, all, r->layers.n, err);
	fetch_close(f, result < 0 && error_is(err, ERROR_NO_SPACE));
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
