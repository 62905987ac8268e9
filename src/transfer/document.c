#include "transfer/document.h"

#include <time.h>

#include "transfer/exchange.h"

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Nobody is there, or the name is unknown: that does not get better by waiting. */
static bool is_final(const struct exchange *x)
{
	return x->transport_failed && (x->code == CURLE_COULDNT_CONNECT || x->code == CURLE_COULDNT_RESOLVE_HOST ||
				       x->code == CURLE_COULDNT_RESOLVE_PROXY);
}

static int get_once(struct work *w, struct registry *r, const char *path, const char *accept, size_t limit,
		    const char *what, struct document *ret, int tries, int64_t *ret_pause, struct error *err)
{
	struct exchange x;
	int result = 0;

	exchange_init(&x, r);
	x.path = path;
	x.accept = accept;
	x.body_max = limit;
	if (exchange_run(&x) < 0 || x.status != 200) {
		bool again = exchange_may_retry(&x, tries, ret_pause) && !is_final(&x);

		result = exchange_failure(&x, what, err);
		*ret_pause = again ? *ret_pause : -1;
	} else {
		ret->data = arena_memdup(w->arena, x.body.data ? x.body.data : "", x.body.size);
		ret->size = x.body.size;
		ret->content_type = arena_strdup(w->arena, x.content_type);
	}
	exchange_done(&x);
	return result;
}

int document_get(struct work *w, struct registry *r, const char *path, const char *accept, size_t limit,
		 const char *what, struct document *ret, struct error *err)
{
	for (int tries = 1;; tries++) {
		int64_t pause = -1;

		error_clear(err);
		if (get_once(w, r, path, accept, limit, what, ret, tries, &pause, err) == 0)
			return 0;
		if (pause < 0 || tries > r->retries)
			return -1;
		pause_ms(pause);
	}
}
