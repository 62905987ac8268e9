#include "transfer/ranges.h"

#include <errno.h>
#include <unistd.h>

#include "spec/byteranges.h"

#define TOGETHER_MAX 128		/* ranges in a request: some 3 KiB of its header */
#define HOLE_ALONE ((int64_t)64 << 10)	/* fetching so much once more is cheaper than a further request */
#define ALONE_MAX 512			/* requests for one range each */

/* Ranges first..end of the list, by one request after another until all of them are there. */
struct ask {
	struct ranges *ranges;
	struct errand errand;
	size_t first, end;
	size_t asked;			/* how many the request named */
	size_t at;			/* where the bytes that come now belong */
	bool several, otherwise;	/* the answer has several parts; is no part */
	struct byteranges parts;
	int64_t offset, received, received_max, kept;
};

struct ranges {
	char *path;
	struct ranges_request request;
	struct range *v;		/* from: what is to come next */
	size_t n, next;			/* next: that nobody asks for yet */
	bool alone;			/* one range a request */
	struct ask asks[RANGES_PARALLEL];
	size_t running;
	int64_t got;
	struct error error;
};

size_t ranges_join(struct range *v, size_t n, int64_t hole)
{
	size_t last = 0;

	for (size_t i = 1; i < n; i++)
		if (v[i].from - v[last].end <= hole)
			v[last].end = v[i].end;
		else
			v[++last] = v[i];
	return n ? last + 1 : 0;
}

int64_t ranges_bytes(const struct range *v, size_t n)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += v[i].end - v[i].from;
	return bytes;
}

/* --- what comes */

static int write_at(int fd, const char *p, size_t n, int64_t offset)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, p, n, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
		offset += done;
	}
	return 0;
}

/* Servers may send more than was asked for, between ranges that are near: that is passed over. */
static int keep(void *context, int64_t offset, const char *p, size_t n)
{
	struct ask *a = context;
	struct ranges *r = a->ranges;
	int64_t end = offset + (int64_t)n;

	a->received += (int64_t)n;
	if (a->received > a->received_max)
		return error_set(&r->error, ERROR_NETWORK, "the registry sends more than was asked for");
	while (a->at < a->end && r->v[a->at].end <= offset)
		a->at++;
	for (size_t i = a->at; i < a->end && r->v[i].from < end; i++) {
		struct range *w = &r->v[i];
		int64_t to = w->end < end ? w->end : end;

		if (w->from < offset || to <= w->from)
			continue;
		if (write_at(r->request.fd, p + (w->from - offset), (size_t)(to - w->from), w->from) < 0)
			return error_errno(&r->error, "write parts of a blob");
		a->kept += to - w->from;
		r->got += to - w->from;
		w->from = to;
		a->errand.tries = 0;
	}
	progress_note(r->request.progress, "Downloading", r->got);
	return 0;
}

/* Anything but parts of the blob: the registry cannot do it this way. */
static void on_begin(void *context)
{
	struct ask *a = context;
	const struct exchange *x = &a->errand.x;
	int64_t end;

	a->several = x->status == 206 && byteranges_begin(&a->parts, x->content_type, keep, a);
	if (!a->several)
		a->otherwise = x->status != 206 || !x->content_range ||
					!byteranges_parse(x->content_range, &a->offset, &end);
}

static int on_bytes(void *context, const char *p, size_t n)
{
	struct ask *a = context;

	if (a->otherwise || a->ranges->error.kind)
		return -1;
	if (a->several)
		return byteranges_add(&a->parts, p, n, &a->ranges->error);
	if (keep(a, a->offset, p, n) < 0)
		return -1;
	a->offset += (int64_t)n;
	return 0;
}

/* --- what is asked */

static bool is_there(const struct range *w)
{
	return w->from == w->end;
}

/* The ranges of an ask that are still to come, or the first of them. NULL: none. */
static const char *range_text(struct ask *a)
{
	struct ranges *r = a->ranges;
	struct buffer text = BUFFER((size_t)64 << 10);
	const char *result = NULL;
	size_t i;

	while (a->first < a->end && is_there(&r->v[a->first]))
		a->first++;
	a->asked = 0;
	for (i = a->first; i < a->end && (!r->alone || !a->asked); i++) {
		if (is_there(&r->v[i]))
			continue;
		buffer_printf(&text, "%s%lld-%lld", a->asked++ ? "," : "", (long long)r->v[i].from, (long long)(r->v[i].end - 1));
		a->received_max = r->v[i].end - r->v[a->first].from;
	}
	if (text.size && !text.failed)
		result = arena_strdup(a->errand.x.arena, text.data);
	buffer_done(&text);
	return result;
}

/* Some of what nobody asks for yet. */
static bool take_more(struct ask *a)
{
	struct ranges *r = a->ranges;
	size_t left = r->n - r->next, most = r->alone ? 1 : TOGETHER_MAX;

	a->first = r->next;
	r->next += left < most ? left : most;
	a->end = r->next;
	return left > 0;
}

static void end(struct ask *a)
{
	errand_end(&a->errand);
	a->ranges->running--;
}

static void ask(struct ask *a)
{
	struct exchange *x = errand_question(&a->errand);
	struct ranges *r = a->ranges;

	a->several = a->otherwise = false;
	a->received = a->kept = 0;
	while (!r->error.kind && !(x->ranges = range_text(a)) && take_more(a))
		;
	if (r->error.kind || !x->ranges) {
		end(a);
		return;
	}
	a->at = a->first;
	x->path = r->path;
	x->take = on_bytes;
	x->begin = on_begin;
	if (errand_ask(&a->errand) == 0)
		return;
	r->error = x->error;
	end(a);
}

/* What is left with a request for each, neighbours joined. */
static void ask_one_by_one(struct ask *a)
{
	struct ranges *r = a->ranges;

	r->alone = true;
	r->n = r->next + ranges_join(r->v + r->next, r->n - r->next, HOLE_ALONE);
	a->end = a->first + ranges_join(r->v + a->first, a->end - a->first, HOLE_ALONE);
	if (a->asked < 2)
		error_set(&r->error, ERROR_NETWORK, "the registry gives no ranges of the blob");
	else if (r->n - r->next > ALONE_MAX || r->got + ranges_bytes(r->v + r->next, r->n - r->next) > r->request.bytes_max)
		error_set(&r->error, ERROR_NETWORK, "the registry gives one range at a time, and there are too many");
	ask(a);
}

static void answered(struct errand *e, CURLcode code)
{
	struct ask *a = e->context;
	struct ranges *r = a->ranges;
	int64_t pause;

	if (r->error.kind) {
		end(a);
	} else if (a->otherwise || e->x.status == 400 || e->x.status == 416) {
		ask_one_by_one(a);
	} else if (code == CURLE_OK && e->x.status == 206) {
		if (a->kept && (a->several || a->asked == 1))
			ask(a);
		else
			ask_one_by_one(a);
	} else if (exchange_may_retry(&e->x, 1, &pause) && errand_may_retry(e)) {
		errand_pause(e, pause);
	} else {
		exchange_failure(&e->x, "parts of a blob", &r->error);
		end(a);
	}
}

static void wake(struct errand *e)
{
	ask(e->context);
}

static const struct errand_kind asking = { answered, wake };

/* --- */

struct ranges *ranges_begin(struct arena *arena, struct errands *errands, const struct ranges_request *request)
{
	struct ranges *r = arena_new_one(arena, struct ranges);

	r->request = *request;
	r->path = arena_printf(arena, "/v2/%s/blobs/%s", errands->registry->path, request->digest);
	r->v = arena_memdup(arena, request->v, request->n * sizeof(*request->v));
	r->n = request->n;
	for (size_t i = 0; i < RANGES_PARALLEL && r->next < r->n; i++) {
		struct ask *a = &r->asks[i];

		a->ranges = r;
		r->running++;
		errand_begin(errands, &a->errand, &asking, a);
		ask(a);
	}
	return r;
}

int ranges_result(const struct ranges *r, struct error *err)
{
	if (r->running)
		return 0;
	if (!r->error.kind)
		return 1;
	if (err)
		*err = r->error;
	return -1;
}

void ranges_drop(struct ranges *r)
{
	for (size_t i = 0; r && i < RANGES_PARALLEL; i++)
		if (r->asks[i].ranges)
			errand_drop(&r->asks[i].errand);
}
