#include "transfer/upload.h"

#include "spec/upload.h"
#include "transfer/url.h"

#define SMALL ((int64_t)1 << 20)	/* goes with the request that ends the upload */
#define FINISH_PATIENCE_S 600L		/* registries move what they got to its place while we wait */
#define MOUNTS_MAX 3

enum step { STEP_CHECK, STEP_MOUNT, STEP_START, STEP_SEND, STEP_ASK, STEP_FINISH };

struct upload_blob {
	struct upload *upload;
	struct upload_blob *next;
	struct upload_request request;
	enum step step;
	enum upload_result result;
	struct errand errand;
	struct exchange *x;		/* the errand's */
	size_t mount;			/* the next of request.from */
	char *address;			/* of the upload at the registry */
	int64_t have, piece;		/* bytes that the registry has; that are being sent */
	struct exchange_body body;
	struct upload_pieces pieces;
	struct error error;
};

struct upload {
	struct work *work;
	struct errands errands;
	struct upload_blob *blobs;
};

struct upload *upload_open(struct work *w, const struct transfer_request *r, struct error *err)
{
	struct upload *u = arena_new_one(w->arena, struct upload);

	u->work = w;
	u->errands.registry = registry_open(w, r, err);
	return u->errands.registry ? u : NULL;
}

void upload_close(struct upload *u)
{
	for (struct upload_blob *b = u ? u->blobs : NULL; b; b = b->next)
		errand_drop(&b->errand);
}

size_t upload_running(const struct upload *u)
{
	return u->errands.running;
}

struct errands *upload_errands(struct upload *u)
{
	return &u->errands;
}

static void end(struct upload_blob *b, enum upload_result result, const char *status)
{
	errand_end(&b->errand);
	b->result = result;
	if (status)
		progress_note(b->request.progress, status, b->request.size);
}

static void give_up(struct upload_blob *b)
{
	if (!b->error.kind)
		exchange_failure(b->x, "blob", &b->error);
	end(b, UPLOAD_FAILED, NULL);
}

/* --- asking */

static void note_sending(void *context, int64_t sent)
{
	struct upload_blob *b = context;

	progress_note(b->request.progress, "Copying", b->have + sent);
}

static char *path_of(struct upload_blob *b, const char *rest)
{
	return arena_printf(b->x->arena, "/v2/%s/blobs/%s", b->upload->errands.registry->path, rest);
}

static void set_body(struct upload_blob *b)
{
	b->body = (struct exchange_body){ .fd = b->request.fd, .from = b->have, .size = b->piece };
	b->x->send = &b->body;
	b->x->send_type = "application/octet-stream";
	b->x->sending = note_sending;
}

static void ask_check(struct upload_blob *b)
{
	b->x->method = "HEAD";
	b->x->path = path_of(b, b->request.digest);
}

static void ask_mount(struct upload_blob *b)
{
	char *path = url_add_parameter(b->x->arena, path_of(b, "uploads/"), "mount", b->request.digest);

	b->x->method = "POST";
	b->x->path = url_add_parameter(b->x->arena, path, "from", b->request.from->v[b->mount++]);
}

static void ask_start(struct upload_blob *b)
{
	b->have = 0;
	b->address = NULL;
	b->x->method = "POST";
	b->x->path = path_of(b, "uploads/");
}

static void ask_send(struct upload_blob *b)
{
	b->piece = upload_piece(&b->pieces, b->have, b->request.size);
	b->x->method = "PATCH";
	b->x->address = b->address;
	b->x->send_range = arena_printf(b->x->arena, "%lld-%lld", (long long)b->have, (long long)(b->have + b->piece - 1));
	set_body(b);
}

static void ask_where(struct upload_blob *b)
{
	b->x->address = b->address;
}

static void ask_finish(struct upload_blob *b)
{
	b->x->method = "PUT";
	b->x->address = url_add_parameter(b->x->arena, b->address, "digest", b->request.digest);
	b->x->patience_s = FINISH_PATIENCE_S;
	b->piece = b->request.size - b->have;
	set_body(b);
}

static void (*const asks[])(struct upload_blob *b) = {
	[STEP_CHECK] = ask_check, [STEP_MOUNT] = ask_mount, [STEP_START] = ask_start,
	[STEP_SEND] = ask_send,	  [STEP_ASK] = ask_where,   [STEP_FINISH] = ask_finish,
};

static void go(struct upload_blob *b, enum step step)
{
	errand_question(&b->errand);
	b->step = step;
	asks[step](b);
	if (errand_ask(&b->errand) < 0)
		give_up(b);
}

/* --- what comes next */

/* The same or another step after a pause, as often as retries go. */
static void again(struct upload_blob *b, enum step step)
{
	int64_t pause = 0;

	if (!errand_may_retry(&b->errand)) {
		if (!b->x->error.kind && b->x->status / 100 == 2)
			error_set(&b->error, ERROR_NETWORK, "the registry takes the upload, but it does not get on");
		give_up(b);
		return;
	}
	exchange_may_retry(b->x, b->errand.tries, &pause);
	progress_note(b->request.progress, "Retrying", b->have);
	b->step = step;
	errand_pause(&b->errand, pause);
}

static void begin_anew(struct upload_blob *b)
{
	again(b, STEP_START);
}

/* In smaller pieces. What the registry teaches is no failed try: there are only so many sizes. */
static void begin_smaller(struct upload_blob *b)
{
	if (++b->errand.all_tries >= ERRAND_TRIES_MAX)
		give_up(b);
	else
		go(b, STEP_START);
}

static void go_on(struct upload_blob *b)
{
	int64_t left = b->request.size - b->have;

	go(b, left == 0 || (b->have == 0 && left <= SMALL && !b->pieces.most) ? STEP_FINISH : STEP_SEND);
}

static void upload_or_mount(struct upload_blob *b)
{
	const struct strings *from = b->request.from;

	if (from && b->mount < from->n && b->mount < MOUNTS_MAX)
		go(b, STEP_MOUNT);
	else if (b->request.fd < 0)
		end(b, UPLOAD_MISSING, NULL);
	else
		go(b, STEP_START);
}

/* The upload's address may change with every answer, and must be there in the first one. */
static int take_address(struct upload_blob *b)
{
	char *address;

	if (!b->x->location && b->address)
		return 0;
	if (!b->x->location)
		return error_set(&b->error, ERROR_NETWORK, "the registry opens an upload without saying where");
	address = url_resolve(b->upload->work->arena, b->x->at, b->x->location, &b->error);
	if (!address)
		return -1;
	b->address = address;
	upload_take_least(&b->pieces, b->x->chunk_least);
	return 0;
}

/* It is there. What the registry says that it has must be what we meant. */
static void arrived(struct upload_blob *b, const char *status)
{
	if (b->x->content_digest && !str_eq(b->x->content_digest, b->request.digest)) {
		error_set(&b->error, ERROR_INVALID, "the registry says that it has %s instead",
			  registry_printable(b->x->arena, b->x->content_digest, strlen(b->x->content_digest)));
		give_up(b);
		return;
	}
	end(b, UPLOAD_DONE, status);
}

/* Was it ours that was wrong? */
static bool is_damaged(struct upload_blob *b)
{
	char digest[DIGEST_TEXT_MAX];

	if (hash_file(b->request.fd, b->request.digest, digest, NULL) == 0 && str_eq(digest, b->request.digest))
		return false;
	error_set(&b->error, ERROR_INVALID, "the store's copy is damaged");
	error_hint(&b->error, "pull or load the image again");
	return true;
}

/* --- answers */

static void answer_check(struct upload_blob *b)
{
	const struct exchange *x = b->x;
	bool same = (x->content_length < 0 || x->content_length == b->request.size) &&
		    (!x->content_digest || str_eq(x->content_digest, b->request.digest));

	if (x->status == 200 && same)
		end(b, UPLOAD_DONE, "Skipped");
	else if (x->status == 401)
		give_up(b);
	else
		upload_or_mount(b);
}

static void answer_mount(struct upload_blob *b)
{
	if (b->x->status == 201)
		arrived(b, "Mounted");
	else if (b->x->status == 202 && b->request.fd >= 0 && take_address(b) == 0)
		go_on(b);
	else if (b->error.kind)
		give_up(b);
	else
		upload_or_mount(b);
}

static void answer_start(struct upload_blob *b)
{
	if (b->x->status / 100 == 2 && take_address(b) == 0)
		go_on(b);
	else
		give_up(b);
}

/* The registry's word counts, where it makes sense: less than was sent is sent again, more cannot be. */
static void take_range(struct upload_blob *b, int64_t otherwise)
{
	int64_t have = b->x->range ? upload_received(b->x->range, b->request.size) : otherwise;

	if (b->step == STEP_ASK && have == b->have)
		upload_lost(&b->pieces, b->piece);
	if (have < 0 || have > b->have + b->piece) {
		begin_anew(b);
	} else if (b->step == STEP_SEND && (have <= b->have || (have < b->have + b->piece &&
							       ++b->errand.all_tries >= ERRAND_TRIES_MAX))) {
		again(b, STEP_SEND);
	} else {
		b->errand.tries = have > b->have ? 0 : b->errand.tries;
		b->have = have;
		go_on(b);
	}
}

static void answer_send(struct upload_blob *b)
{
	long status = b->x->status;

	if (status / 100 == 2 && take_address(b) == 0)
		take_range(b, b->have + b->piece);
	else if (status == 416)
		again(b, STEP_ASK);
	else if (status == 413 && upload_make_smaller(&b->pieces, b->piece))
		begin_smaller(b);
	else if (status == 404)
		begin_anew(b);
	else
		give_up(b);
}

static void answer_where(struct upload_blob *b)
{
	if (b->x->status / 100 == 2 && b->x->range && take_address(b) == 0)
		take_range(b, -1);
	else if (b->x->status == 401 || b->error.kind)
		give_up(b);
	else
		begin_anew(b);
}

static void answer_finish(struct upload_blob *b)
{
	long status = b->x->status;

	if (status / 100 == 2)
		arrived(b, "Copied");
	else if (status == 416)
		again(b, STEP_ASK);
	else if (status == 400 && is_damaged(b))
		give_up(b);
	else if (status == 413 && upload_make_smaller(&b->pieces, b->piece))
		begin_smaller(b);
	else if (status == 400 || status == 404)
		begin_anew(b);
	else
		give_up(b);
}

static void (*const answers[])(struct upload_blob *b) = {
	[STEP_CHECK] = answer_check, [STEP_MOUNT] = answer_mount, [STEP_START] = answer_start,
	[STEP_SEND] = answer_send,   [STEP_ASK] = answer_where,	  [STEP_FINISH] = answer_finish,
};

/* After no answer, or one that asks for patience: an upload is asked where it is, one that may be complete is looked
 * for. */
static const enum step retries[] = {
	[STEP_CHECK] = STEP_CHECK, [STEP_MOUNT] = STEP_CHECK, [STEP_START] = STEP_START,
	[STEP_SEND] = STEP_ASK,	   [STEP_ASK] = STEP_ASK,     [STEP_FINISH] = STEP_CHECK,
};

static enum step retry_of(const struct upload_blob *b)
{
	return b->step == STEP_FINISH && !b->x->transport_failed ? STEP_ASK : retries[b->step];
}

static void answered(struct errand *e, CURLcode code)
{
	struct upload_blob *b = e->context;
	int64_t pause;

	if (exchange_may_retry(&e->x, 1, &pause)) {
		if (b->step == STEP_MOUNT)
			b->mount = MOUNTS_MAX;
		again(b, retry_of(b));
	} else if (e->x.error.kind) {
		give_up(b);
	} else {
		answers[b->step](b);
	}
}

static void wake(struct errand *e)
{
	struct upload_blob *b = e->context;

	go(b, b->step);
}

static const struct errand_kind uploading = { answered, wake };

/* --- from outside */

struct upload_blob *upload_add(struct upload *u, const struct upload_request *r)
{
	struct upload_blob *b = arena_new_one(u->work->arena, struct upload_blob);

	b->upload = u;
	b->next = u->blobs;
	u->blobs = b;
	b->request = *r;
	b->x = &b->errand.x;
	errand_begin(&u->errands, &b->errand, &uploading, b);
	progress_note(r->progress, "Copying", 0);
	go(b, STEP_CHECK);
	return b;
}

enum upload_result upload_result(const struct upload_blob *b, struct error *err)
{
	if (b->result == UPLOAD_FAILED && err)
		*err = b->error;
	return b->result;
}
