/* The operation `layers`: every blob brought and unpacked, several at a time.
 *
 * Blobs download side by side; as soon as one is whole its layer is unpacked by a worker of its own, as many at once as
 * there are processors. The first failure ends everything. A blob that was there before and turns out to be damaged (a
 * power failure) is removed and fetched once more. */
#include <fcntl.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/chunked.h"
#include "transfer/chunked_blob.h"
#include "transfer/fetch.h"
#include "transfer/jobs.h"
#include "transfer/remake.h"
#include "transfer/tree_place.h"
#include "transfer/worker.h"

#define UNPACKING_MAX 32

enum phase { PHASE_WAITING, PHASE_FETCHING, PHASE_FETCHING_PARTS, PHASE_READY, PHASE_UNPACKING, PHASE_DONE };

struct job {
	const struct transfer_layer *layer;
	enum phase phase;
	bool was_here, fetched_again, whole;
	struct fetch_blob *blob;
	struct chunked *chunked;	/* its parts instead of the blob; NULL */
	struct worker worker;
	struct progress progress;
	struct transfer_unpacked result;
};

struct crew {
	struct work *work;
	const struct transfer_request *request;
	struct fetch *fetch;		/* NULL: no network */
	struct job *jobs;
	size_t n, unpacking, unpacking_max;
};

static int check_layer(const struct transfer_layer *layer, struct error *err)
{
	enum layer_compression packing;

	if (!layer->digest || !digest_is_valid(layer->digest))
		return error_set(err, ERROR_INVALID, "a layer has no valid digest");
	if (!str_starts(layer->digest, "sha256:"))
		return error_set(err, ERROR_UNSUPPORTED, "layer %.19s: only sha256 digests are stored", layer->digest);
	if (!layer->media_type || image_layer_compression(layer->media_type, &packing) < 0)
		return error_set(err, ERROR_UNSUPPORTED, "layer %.19s: the media type %s is not a layer's", layer->digest,
				 layer->media_type ? layer->media_type : "(none)");
	if (str_is_empty(layer->stage))
		return error_set(err, ERROR_USAGE, "layer %.19s: no stage", layer->digest);
	return 0;
}

/* The same blob may be two layers: only the first of them fetches. */
static bool another_fetches(const struct crew *c, const struct job *job)
{
	for (size_t i = 0; i < c->n; i++)
		if (&c->jobs[i] != job &&
		    (c->jobs[i].phase == PHASE_FETCHING || c->jobs[i].phase == PHASE_FETCHING_PARTS) &&
		    str_eq(c->jobs[i].layer->digest, job->layer->digest))
			return true;
	return false;
}

static int begin_fetch(struct crew *c, struct job *job, struct error *err)
{
	if (sink_has(&c->work->places, job->layer->digest, job->layer->size)) {
		job->was_here = !job->fetched_again;
		job->phase = PHASE_READY;
		return 0;
	}
	if (remake_can(&c->work->places, job->layer->chain_id)) {
		job->phase = PHASE_READY;
		return 0;
	}
	if (!c->fetch)
		return error_set(err, ERROR_NOT_FOUND, "the blob %s is missing", job->layer->digest);
	if (another_fetches(c, job))
		return 0;
	if (!job->whole && c->request->objects && job->layer->recipe && chunked_is_possible(c->work, job->layer)) {
		job->chunked = chunked_begin(c->work, fetch_errands(c->fetch), job->layer, &job->progress);
		job->phase = PHASE_FETCHING_PARTS;
		return 0;
	}
	job->blob = fetch_add(c->fetch, job->layer->digest, job->layer->size, &job->progress, err);
	job->phase = PHASE_FETCHING;
	return job->blob ? 0 : -1;
}

static int begin_unpack(struct crew *c, struct job *job, struct error *err)
{
	if (worker_start(&job->worker, c->work, c->request, job->layer, job->chunked, err) < 0)
		return -1;
	job->phase = PHASE_UNPACKING;
	c->unpacking++;
	progress_note(&job->progress, "Extracting", 0);
	return 0;
}

static bool fetch_has_room(const struct crew *c)
{
	return !c->fetch || fetch_running(c->fetch) < FETCH_PARALLEL;
}

static int begin(void *all, size_t i, struct error *err)
{
	struct crew *c = all;
	struct job *job = &c->jobs[i];

	if (job->phase == PHASE_WAITING && fetch_has_room(c) && begin_fetch(c, job, err) < 0)
		return error_frame(err, "layer %.19s", job->layer->digest);
	if (job->phase == PHASE_READY && c->unpacking < c->unpacking_max && begin_unpack(c, job, err) < 0)
		return error_frame(err, "layer %.19s", job->layer->digest);
	return 0;
}

static int clear_stage(const struct crew *c, const struct job *job)
{
	_cleanup_fd_ int stage = tree_open_dir(c->work->places.tmp, job->layer->stage, O_RDONLY);

	return stage < 0 || fd_remove_tree(stage, "diff") < 0 || fd_remove_tree(stage, "index") < 0 ||
	       fd_remove_tree(stage, "recipe") < 0 ? -1 : 0;
}

/* Was it the blob that was bad? Then 1: fetch it again. */
static int retry_damaged(struct crew *c, struct job *job)
{
	_cleanup_fd_ int fd = -1;
	char digest[DIGEST_TEXT_MAX];

	if (!job->was_here || !c->fetch)
		return 0;
	fd = sink_open_blob(&c->work->places, job->layer->digest);
	if (fd >= 0 && hash_file(fd, job->layer->digest, digest, NULL) == 0 && str_eq(digest, job->layer->digest))
		return 0;
	unlinkat(c->work->places.blobs, digest_hex(job->layer->digest), 0);
	if (clear_stage(c, job) < 0)
		return 0;
	job->was_here = false;
	job->fetched_again = true;
	job->phase = PHASE_WAITING;
	return 1;
}

/* Parts that cannot be had, or make no layer that could do without its blob, leave the whole blob. A full disk stays one. */
static int retry_whole(struct crew *c, struct job *job, enum error_kind why)
{
	if (!job->chunked || why == ERROR_NO_SPACE || clear_stage(c, job) < 0)
		return 0;
	chunked_done(job->chunked);
	job->chunked = NULL;
	job->whole = true;
	job->phase = PHASE_WAITING;
	return 1;
}

static int hear_worker(struct crew *c, struct job *job, struct error *err)
{
	struct worker_message m;

	while (job->phase == PHASE_UNPACKING && worker_read(&job->worker, &m) > 0) {
		if (m.word == WORKER_PROGRESS) {
			progress_note(&job->progress, "Extracting", m.consumed);
			continue;
		}
		c->unpacking--;
		if (m.word == WORKER_DONE && !m.result.recipe && retry_whole(c, job, ERROR_NONE))
			return 0;
		if (m.word == WORKER_FAILED) {
			if (retry_whole(c, job, (enum error_kind)m.error.kind) || retry_damaged(c, job))
				return 0;
			*err = m.error;
			return error_frame(err, "layer %.19s", job->layer->digest);
		}
		job->phase = PHASE_DONE;
		job->result = (struct transfer_unpacked){ arena_strdup(c->work->arena, m.result.diff_id), m.result.size,
							  m.result.max_uid, m.result.max_gid, m.result.recipe };
		progress_note(&job->progress, "Pull complete", job->progress.total);
	}
	return 0;
}

static int hear_fetch(struct crew *c, struct job *job, struct error *err)
{
	int state = fetch_result(job->blob, err);

	if (state < 0)
		return error_frame(err, "layer %.19s", job->layer->digest);
	if (state > 0) {
		job->blob = NULL;
		job->phase = PHASE_READY;
	}
	return 0;
}

static int hear_parts(struct crew *c, struct job *job, struct error *err)
{
	struct error error = { 0 };
	int state = chunked_move_on(job->chunked, &error);

	if (state > 0)
		job->phase = PHASE_READY;
	if (state >= 0 || retry_whole(c, job, (enum error_kind)error.kind))
		return 0;
	*err = error;
	return error_frame(err, "layer %.19s", job->layer->digest);
}

static int hear(void *all, size_t i, struct error *err)
{
	struct crew *c = all;
	struct job *job = &c->jobs[i];

	switch (job->phase) {
	case PHASE_UNPACKING:
		return hear_worker(c, job, err);
	case PHASE_FETCHING:
		return hear_fetch(c, job, err);
	case PHASE_FETCHING_PARTS:
		return hear_parts(c, job, err);
	default:
		return 0;
	}
}

static int pipe_of(const void *all, size_t i)
{
	const struct job *job = &((const struct crew *)all)->jobs[i];

	return job->phase == PHASE_UNPACKING ? job->worker.pipe : -1;
}

static bool is_done(const void *all, size_t i)
{
	return ((const struct crew *)all)->jobs[i].phase == PHASE_DONE;
}

static const struct jobs_kind bringing = { begin, pipe_of, hear, is_done };

int op_layers(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct crew c = { .work = w, .request = r, .n = r->layers.n, .unpacking_max = jobs_processors(UNPACKING_MAX) };
	int result;

	w->processors = c.unpacking_max;
	c.jobs = arena_new_array(w->arena, struct job, c.n);
	for (size_t i = 0; i < c.n; i++) {
		c.jobs[i].layer = &r->layers.v[i];
		c.jobs[i].worker.pipe = -1;
		if (check_layer(c.jobs[i].layer, err) < 0)
			return -1;
		progress_init(&c.jobs[i].progress, w->channel, c.jobs[i].layer->digest, c.jobs[i].layer->size);
	}
	if (r->source && (chunked_blob_prepare(w, r, err) < 0 || !(c.fetch = fetch_open(w, r, err))))
		return -1;
	result = jobs_work_off(&bringing, &c, c.n, c.fetch ? fetch_errands(c.fetch) : NULL, err);
	for (size_t i = 0; i < c.n; i++) {
		worker_kill(&c.jobs[i].worker);
		chunked_done(c.jobs[i].chunked);
		if (result == 0)
			*ARRAY_ADD(w->arena, &ret->unpacked) = c.jobs[i].result;
	}
	fetch_close(c.fetch, result < 0 && !transfer_may_pass(err));
	return result;
}
