#include "transfer/document.h"

#include "transfer/exchange.h"

/* 1: once more. */
static int get_once(struct work *w, struct registry *r, const char *path, const char *accept, size_t limit,
		    const char *what, struct document *ret, int tries, struct error *err)
{
	struct exchange x;
	int result = 0;

	exchange_init(&x, r);
	x.path = path;
	x.accept = accept;
	x.body_max = limit;
	if (exchange_run(&x) < 0 || x.status != 200) {
		result = exchange_pause(&x, tries) ? 1 : exchange_failure(&x, what, err);
	} else {
		ret->data = arena_memdup(w->arena, x.body.data ? x.body.data : "", x.body.size);
		ret->size = x.body.size;
		ret->content_type = arena_strdup(w->arena, x.content_type);
		ret->content_encoding = arena_strdup(w->arena, x.content_encoding);
	}
	exchange_done(&x);
	return result;
}

int document_get(struct work *w, struct registry *r, const char *path, const char *accept, size_t limit,
		 const char *what, struct document *ret, struct error *err)
{
	for (int tries = 1;; tries++) {
		int result = get_once(w, r, path, accept, limit, what, ret, tries, err);

		if (result <= 0)
			return result;
	}
}
