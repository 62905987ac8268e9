/* The operation `push`: an image of the store to a registry, its blobs side by side, its manifest last.
 *
 * What nobody asks to be changed is sent as it came: blobs and manifest have the digests they were pulled by. A layer
 * that is to be compressed otherwise is made anew by a process (transfer/repack) and sent from an unnamed file; the
 * manifest is then written anew around the same configuration. Plain layers are never sent plain. A layer whose blob is not
 * in the store is at the registry already, or made by its recipe when the request allows it. */
#include "transfer/push.h"

#include "spec/manifest_edit.h"
#include "spec/media_type.h"
#include "sys/fd.h"
#include "transfer/deflate.h"
#include "transfer/exchange.h"
#include "transfer/jobs.h"
#include "transfer/remake.h"
#include "transfer/repack.h"
#include "transfer/upload.h"

#define CHUNKED_ANNOTATIONS "io.github.containers.zstd-chunked."
#define PACKING_MAX 32

enum phase { PHASE_WAITING, PHASE_PACKING, PHASE_READY, PHASE_SENDING, PHASE_DONE };

struct job {
	struct image_descriptor *blob;	/* in the manifest; changed when it is made anew */
	const char *digest, *diff_id, *chain_id;	/* as it is in the store; NULL for the configuration */
	enum layer_compression packing, wanted;
	bool remake;			/* neither here nor there: anew by its recipe */
	enum phase phase;
	struct repack repack;
	int fd;
	struct strings from;
	struct upload_blob *upload;
	struct progress progress;
};

struct crew {
	struct work *work;
	const struct transfer_request *request;
	struct upload *upload;
	struct push_image image;
	struct job *jobs;		/* the layers and, last, the configuration */
	size_t n, packing, packing_max;
	bool docker, changed;
	struct transfer_event *result;
};

/* --- what is to be done */

static struct strings places_of(struct crew *c, const char *digest)
{
	const struct transfer_request *r = c->request;
	struct strings list = { 0 };

	for (size_t i = 0; i < r->mounts.n; i++)
		if (str_eq(r->mounts.v[i].digest, digest) && !strings_has(&list, r->mounts.v[i].repository))
			strings_add(c->work->arena, &list, r->mounts.v[i].repository);
	return list;
}

static void add_job(struct crew *c, struct image_descriptor *blob, const char *diff_id, const char *chain_id)
{
	struct job *job = &c->jobs[c->n++];

	*job = (struct job){ .blob = blob, .digest = blob->digest, .diff_id = diff_id, .chain_id = chain_id, .fd = -1 };
	job->repack.pipe = job->repack.fd = -1;
	job->from = places_of(c, blob->digest);
	progress_init(&job->progress, c->work->channel, blob->digest, blob->size);
}

static int want(struct crew *c, struct job *job, struct error *err)
{
	const struct transfer_request *r = c->request;

	if (image_layer_compression(job->blob->media_type, &job->packing) < 0)
		return error_set(err, ERROR_UNSUPPORTED, "layer %.19s: the media type %s is not a layer's", job->digest,
				 job->blob->media_type ? job->blob->media_type : "(none)");
	job->wanted = job->packing == LAYER_PLAIN ? LAYER_GZIP : job->packing;
	if (!r->compression || (job->packing != LAYER_PLAIN && !r->recompress))
		return 0;
	return deflate_kind(r->compression, &job->wanted, err);
}

/* Layers that a registry must not have are fetched from elsewhere by who pulls. */
static bool is_foreign(const struct job *job)
{
	return job->diff_id && job->blob->urls.n > 0;
}

/* zstd is not known to Docker's manifests: they become OCI's, unless Docker's were asked for. */
static int plan(struct crew *c, struct error *err)
{
	struct image_manifest *m = &c->image.manifest;
	bool was_docker = manifest_is_docker(c->image.media_type);

	c->jobs = arena_new_array(c->work->arena, struct job, m->layers.n + 1);
	c->docker = was_docker;
	for (size_t i = 0; i < m->layers.n; i++) {
		add_job(c, &m->layers.v[i], c->image.config.rootfs.diff_ids.v[i], c->image.chain_ids.v[i]);
		if (want(c, &c->jobs[i], err) < 0)
			return -1;
		if (!is_foreign(&c->jobs[i]) && c->jobs[i].wanted != c->jobs[i].packing) {
			c->changed = true;
			c->docker &= c->jobs[i].wanted != LAYER_ZSTD;
		}
	}
	add_job(c, &m->config, NULL, NULL);
	if (manifest_family(c->request->format, &c->docker, err) < 0)
		return -1;
	c->changed |= c->docker != was_docker;
	return 0;
}

/* --- layers made anew */

static int begin_packing(struct crew *c, struct job *job, struct error *err)
{
	const struct repack_request r = { job->digest, job->chain_id, job->diff_id, job->wanted, c->request->level };

	if (!sink_has(&c->work->places, job->digest, job->blob->size) && !remake_can(&c->work->places, job->chain_id)) {
		*ARRAY_ADD(c->work->arena, &c->result->missing) = *job->blob;
		job->phase = PHASE_DONE;
		return 0;
	}
	if (repack_start(&job->repack, c->work, &r, err) < 0)
		return -1;
	job->phase = PHASE_PACKING;
	c->packing++;
	progress_note(&job->progress, "Compressing", 0);
	return 0;
}

static void drop_annotations(struct image_descriptor *d)
{
	for (size_t i = d->annotations.n; i > 0; i--)
		if (str_starts(d->annotations.v[i - 1].key, CHUNKED_ANNOTATIONS))
			map_unset(&d->annotations, d->annotations.v[i - 1].key);
}

static int hear_packing(struct crew *c, struct job *job, struct error *err)
{
	int64_t consumed = -1;
	int state = repack_read(&job->repack, &consumed, err);

	if (state == 0 && consumed >= 0)
		progress_note(&job->progress, "Compressing", consumed);
	if (state <= 0)
		return state;
	c->packing--;
	job->blob->digest = arena_strdup(c->work->arena, job->repack.digest);
	job->blob->size = job->progress.total = job->repack.size;
	job->blob->media_type = (char *)(uintptr_t)media_type_layer(job->wanted, c->docker);
	drop_annotations(job->blob);
	job->from = (struct strings){ 0 };
	job->fd = fd_take(&job->repack.fd);
	job->phase = PHASE_READY;
	return 0;
}

/* --- blobs on their way */

/* The same layer may be there twice: the first of them is sent. */
static struct job *twin_of(struct crew *c, const struct job *job)
{
	for (struct job *other = c->jobs; other < job; other++)
		if (str_eq(other->digest, job->digest))
			return other;
	return NULL;
}

static bool follow_twin(struct crew *c, struct job *job)
{
	struct job *twin = twin_of(c, job);

	if (!twin)
		return false;
	if (twin->phase != PHASE_DONE)
		return true;
	job->blob->digest = twin->blob->digest;
	job->blob->size = twin->blob->size;
	job->blob->media_type = twin->blob->media_type;
	job->blob->annotations = twin->blob->annotations;
	job->phase = PHASE_DONE;
	return true;
}

static void begin_sending(struct crew *c, struct job *job)
{
	static struct progress nobody;
	struct upload_request r = { .digest = job->blob->digest, .size = job->blob->size, .from = &job->from };

	if (!job->diff_id)
		progress_note(&job->progress, "Copying config", 0);
	if (job->fd < 0 && sink_has(&c->work->places, job->digest, job->blob->size))
		job->fd = sink_open_blob(&c->work->places, job->digest);
	r.fd = job->fd;
	r.progress = job->diff_id ? &job->progress : &nobody;
	job->upload = upload_add(c->upload, &r);
	job->phase = PHASE_SENDING;
}

static void begin_waiting(struct crew *c, struct job *job)
{
	if (is_foreign(job)) {
		progress_note(&job->progress, "Skipped", job->blob->size);
		job->phase = PHASE_DONE;
	} else if (!follow_twin(c, job) && job->wanted == job->packing && !job->remake) {
		job->phase = PHASE_READY;
	}
}

static int begin(void *all, size_t i, struct error *err)
{
	struct crew *c = all;
	struct job *job = &c->jobs[i];

	if (job->phase == PHASE_WAITING)
		begin_waiting(c, job);
	if (job->phase == PHASE_WAITING && !twin_of(c, job) && c->packing < c->packing_max && begin_packing(c, job, err) < 0)
		return error_frame(err, "layer %.19s", job->digest);
	if (job->phase == PHASE_READY && upload_running(c->upload) < UPLOAD_PARALLEL)
		begin_sending(c, job);
	return 0;
}

static int hear_sending(struct crew *c, struct job *job, struct error *err)
{
	enum upload_result result = upload_result(job->upload, err);

	if (result == UPLOAD_UNDER_WAY)
		return 0;
	if (result == UPLOAD_FAILED)
		return -1;
	fd_close(&job->fd);
	if (result == UPLOAD_MISSING && c->request->remake && !job->remake && remake_can(&c->work->places, job->chain_id)) {
		job->remake = c->changed = true;
		job->phase = PHASE_WAITING;
		return 0;
	}
	if (result == UPLOAD_MISSING)
		*ARRAY_ADD(c->work->arena, &c->result->missing) = *job->blob;
	job->phase = PHASE_DONE;
	return 0;
}

static int hear(void *all, size_t i, struct error *err)
{
	struct crew *c = all;
	struct job *job = &c->jobs[i];

	if ((job->phase == PHASE_PACKING && hear_packing(c, job, err) < 0) ||
	    (job->phase == PHASE_SENDING && hear_sending(c, job, err) < 0))
		return error_frame(err, "%s %.19s", job->diff_id ? "layer" : "configuration", job->digest);
	return 0;
}

static int pipe_of(const void *all, size_t i)
{
	const struct job *job = &((const struct crew *)all)->jobs[i];

	return job->phase == PHASE_PACKING ? job->repack.pipe : -1;
}

static bool is_done(const void *all, size_t i)
{
	return ((const struct crew *)all)->jobs[i].phase == PHASE_DONE;
}

static const struct jobs_kind sending = { begin, pipe_of, hear, is_done };

static int send_blobs(struct crew *c, struct error *err)
{
	int result = jobs_work_off(&sending, c, c->n, upload_errands(c->upload), err);

	for (size_t i = 0; i < c->n; i++) {
		repack_done(&c->jobs[i].repack);
		fd_close(&c->jobs[i].fd);
	}
	return result;
}

/* --- */

/* How the registry is spoken to and who we are there is found out by one question before many are asked at once. */
static int say_hello(struct crew *c, struct registry *r, struct error *err)
{
	char *path = arena_printf(c->work->arena, "/v2/%s/blobs/%s", r->path, c->image.manifest.config.digest);
	int result = 1;

	for (int tries = 1; result > 0; tries++) {
		struct exchange x;

		exchange_init(&x, r);
		x.method = "HEAD";
		x.path = path;
		result = exchange_run(&x) < 0 || x.status == 401 || x.status == 429 || x.status >= 500;
		if (result && !exchange_pause(&x, tries))
			result = exchange_failure(&x, arena_printf(c->work->arena, "push to %s/%s", r->shown_host, r->path), err);
		exchange_done(&x);
	}
	return result;
}

static void trust_mounts(struct crew *c, struct registry *r)
{
	struct strings others = { 0 };

	for (size_t i = 0; i < c->request->mounts.n; i++)
		if (!strings_has(&others, c->request->mounts.v[i].repository))
			strings_add(c->work->arena, &others, c->request->mounts.v[i].repository);
	registry_will_push(r, &others);
}

static int send_manifest(struct crew *c, struct registry *r, struct error *err)
{
	struct push_image *image = &c->image;
	struct image_descriptor pushed;

	if (c->changed) {
		if (manifest_convert(c->work->arena, &image->manifest, c->docker, err) < 0)
			return -1;
		image->text = manifest_print(c->work->arena, &image->manifest);
		image->size = strlen(image->text);
		image->media_type = image->manifest.media_type;
	}
	if (push_manifest(c->work, r, image->text, image->size, image->media_type, c->request->reference, &pushed, err) < 0)
		return -1;
	*ARRAY_ADD(c->work->arena, &c->result->manifests) = pushed;
	return 0;
}

/* Registries of before 2018 know Docker's manifests alone. The first refusal is what the user hears. */
static int send_some_manifest(struct crew *c, struct registry *r, struct error *err)
{
	struct error second = { 0 };

	if (send_manifest(c, r, err) == 0)
		return 0;
	if (!error_is(err, ERROR_UNSUPPORTED) || c->request->format || c->docker)
		return -1;
	c->docker = c->changed = true;
	if (send_manifest(c, r, &second) < 0)
		return -1;
	error_clear(err);
	return 0;
}

/* Before anything is sent: can the manifest be written at all? */
static int check_family(struct crew *c, struct error *err)
{
	for (size_t i = 0; c->docker && c->changed && i < c->image.manifest.layers.n; i++)
		if (c->jobs[i].wanted == LAYER_ZSTD) {
			error_set(err, ERROR_UNSUPPORTED, "Docker's manifests have no layers compressed with zstd");
			return error_hint(err, "push with --format oci, or with --compression-format gzip");
		}
	return 0;
}

static int push_image(struct work *w, struct registry *r, const struct transfer_request *request,
		      struct transfer_event *ret, struct error *err)
{
	struct crew c = { .work = w, .request = request, .result = ret, .packing_max = jobs_processors(PACKING_MAX) };
	int result;

	if (push_read_image(w, request->manifest, &c.image, err) < 0 || plan(&c, err) < 0 || check_family(&c, err) < 0)
		return -1;
	trust_mounts(&c, r);
	if (say_hello(&c, r, err) < 0 || !(c.upload = upload_open(w, request, err)))
		return -1;
	result = send_blobs(&c, err);
	upload_close(c.upload);
	return result < 0 || ret->missing.n > 0 ? result : send_some_manifest(&c, r, err);
}

int op_push(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct registry *r = registry_open(w, request, err);
	struct image_descriptor pushed;

	if (!r)
		return -1;
	if (str_is_empty(r->path))
		return error_set(err, ERROR_USAGE, "the request to push names no repository");
	if (!request->document)
		return push_image(w, r, request, ret, err);
	registry_will_push(r, &(struct strings){ 0 });
	if (push_manifest(w, r, request->document, strlen(request->document), request->media_type, request->reference,
			  &pushed, err) < 0)
		return -1;
	*ARRAY_ADD(w->arena, &ret->manifests) = pushed;
	return 0;
}
