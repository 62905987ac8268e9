/* The operation `lookaside`: signatures from a web server, <path>/signature-1 and on, until there is no more. They are
 * answered as they are; nothing in them is looked at here. */
#include "spec/base64.h"
#include "spec/signature.h"
#include "transfer/document.h"
#include "transfer/signatures.h"

#define SIGNATURES_MAX 128
#define ALL_MAX ((size_t)4 << 20)	/* together, so that the answer fits into a message */

/* 1 with a signature, 0 when there is none of this number. */
static int get_one(struct work *w, struct registry *r, int number, struct transfer_event *ret, size_t *left,
		   struct error *err)
{
	char *path = arena_printf(w->arena, "/%s/signature-%d", r->path, number);
	char *what = arena_printf(w->arena, "signature %s://%s%s", r->scheme, r->shown_host, path);
	struct document text;

	if (document_get(w, r, path, NULL, *left, what, &text, err) < 0) {
		if (!error_is(err, ERROR_NOT_FOUND))
			return -1;
		error_clear(err);
		return 0;
	}
	*left -= text.size;
	ARRAY_ADD(w->arena, &ret->signatures)->blob = base64_encode(w->arena, text.data, text.size);
	return 1;
}

static int get_all(struct work *w, struct registry *r, struct transfer_event *ret, struct error *err)
{
	size_t left = ALL_MAX;

	for (int number = 1; number <= SIGNATURES_MAX; number++) {
		int more = get_one(w, r, number, ret, &left, err);

		if (more <= 0)
			return more;
	}
	return error_set(err, ERROR_INVALID, "%s/%s: more than %d signatures of one image", r->shown_host, r->path,
			 SIGNATURES_MAX);
}

/* insecure here is plain http; an insecure registry says nothing about where its signatures lie. */
int op_lookaside(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct registry *r = registry_open(w, request, err);

	if (!r)
		return -1;
	r->scheme = r->insecure ? "http" : "https";
	r->scheme_is_known = true;
	return get_all(w, r, ret, err);
}
