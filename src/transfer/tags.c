/* The operation `tags`: the names that a repository has, page by page. */
#include "transfer/exchange.h"
#include "transfer/url.h"

#define PAGE_MAX ((size_t)4 << 20)
#define PAGES_MAX 1000
#define TAGS_MAX 100000

/* </v2/app/tags/list?last=1.2&n=100>; rel="next" */
static int next_page(struct work *w, const struct exchange *x, char **ret, struct error *err)
{
	const char *from = x->link ? strchr(x->link, '<') : NULL, *to = from ? strchr(from, '>') : NULL;

	*ret = NULL;
	if (!to || !strstr(to, "next"))
		return 0;
	*ret = url_resolve(w->arena, x->at, arena_strndup(w->arena, from + 1, (size_t)(to - from - 1)), err);
	return *ret ? 0 : -1;
}

static bool is_tag(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return n && !text[n] && n <= 128 && *text != '.' && *text != '-';
}

static int take_tags(struct work *w, const struct exchange *x, struct strings *ret, struct error *err)
{
	struct json *body = json_parse(w->arena, x->body.data ? x->body.data : "", x->body.size, "list of tags", err);
	const struct json *tags = body ? json_get(body, "tags") : NULL;

	if (!body)
		return -1;
	for (size_t i = 0; tags && tags->kind == JSON_LIST && i < tags->list.n; i++) {
		const struct json *tag = tags->list.v[i];

		if (tag->kind != JSON_STRING || !is_tag(tag->string))
			return error_set(err, ERROR_INVALID, "the registry's list of tags has something that is no tag");
		if (ret->n >= TAGS_MAX)
			return error_set(err, ERROR_INVALID, "the registry lists more than %d tags", TAGS_MAX);
		strings_add(w->arena, ret, tag->string);
	}
	return 0;
}

/* 1: once more. */
static int ask_once(struct work *w, struct registry *r, const char *address, int tries, struct strings *ret,
		    char **ret_next, struct error *err)
{
	const char *what = arena_printf(w->arena, "tags of %s/%s", r->shown_host, r->path);
	struct exchange x;
	int result;

	exchange_init(&x, r);
	x.path = address ? NULL : arena_printf(w->arena, "/v2/%s/tags/list", r->path);
	x.address = address;
	x.body_max = PAGE_MAX;
	if (exchange_run(&x) < 0 || x.status != 200)
		result = exchange_pause(&x, tries) ? 1 : exchange_failure(&x, what, err);
	else if (take_tags(w, &x, ret, err) < 0 || next_page(w, &x, ret_next, err) < 0)
		result = error_frame(err, "%s", what);
	else
		result = 0;
	exchange_done(&x);
	return result;
}

int op_tags(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct registry *r = registry_open(w, request, err);
	char *next = NULL;

	if (!r)
		return -1;
	if (str_is_empty(r->path))
		return error_set(err, ERROR_USAGE, "the request for tags names no repository");
	for (int page = 0; page < PAGES_MAX; page++) {
		int tries = 1, result;

		while ((result = ask_once(w, r, next, tries, &ret->tags, &next, err)) > 0)
			tries++;
		if (result < 0 || !next)
			return result;
	}
	return error_set(err, ERROR_INVALID, "the registry's list of tags does not end");
}
