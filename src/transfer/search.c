/* The operation `search`: repositories by a word.
 *
 * Registries that search answer /v1/search with descriptions and stars; of the others the whole catalog is read,
 * page by page, and what has the word in its name is kept. */
#include <curl/curl.h>

#include "transfer/exchange.h"
#include "transfer/url.h"

#define BODY_MAX ((size_t)4 << 20)
#define PAGES_MAX 1000

struct searcher {
	struct work *work;
	struct registry *registry;
	const char *word;
	int64_t limit;
	struct transfer_event *ret;
};

static bool is_full(const struct searcher *s)
{
	return (int64_t)s->ret->found.n >= s->limit;
}

static struct json *body_of(struct searcher *s, const struct exchange *x, struct error *err)
{
	return json_parse(s->work->arena, x->body.data ? x->body.data : "", x->body.size, "search result", err);
}

/* --- /v1/search */

static int64_t number(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);

	return value && value->kind == JSON_INT ? value->integer : 0;
}

static bool truth(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);

	return value && value->kind == JSON_BOOL && value->boolean;
}

static int take_results(struct searcher *s, const struct exchange *x, struct error *err)
{
	struct json *body = body_of(s, x, err);
	const struct json *results = body ? json_get(body, "results") : NULL;

	if (!results || results->kind != JSON_LIST)
		return -1;
	for (size_t i = 0; i < results->list.n && !is_full(s); i++) {
		const struct json *row = results->list.v[i];
		struct transfer_repository *r;

		if (!json_get_string(row, "name"))
			continue;
		r = ARRAY_ADD(s->work->arena, &s->ret->found);
		r->name = arena_strdup(s->work->arena, json_get_string(row, "name"));
		r->description = arena_strdup(s->work->arena, json_get_string(row, "description"));
		r->stars = number(row, "star_count");
		r->official = truth(row, "is_official");
		r->automated = truth(row, "is_automated");
	}
	return 0;
}

/* 1: this registry does not search like that. The index of docker.io is another server; it gets no credentials. */
static int search_v1(struct searcher *s, struct error *err)
{
	struct arena *arena = s->work->arena;
	char *word = curl_easy_escape(NULL, s->word, 0);
	struct exchange x;
	int result;

	exchange_init(&x, s->registry);
	x.path = arena_printf(arena, "/v1/search?q=%s&n=%lld", word ? word : "", (long long)s->limit);
	if (strcmp(s->registry->host, "registry-1.docker.io") == 0) {
		x.address = arena_printf(arena, "https://index.docker.io%s", x.path);
		x.path = NULL;
	}
	x.body_max = BODY_MAX;
	curl_free(word);
	if (exchange_run(&x) < 0)
		result = exchange_failure(&x, "search", err);
	else
		result = x.status == 200 && take_results(s, &x, NULL) == 0 ? 0 : 1;
	exchange_done(&x);
	return result;
}

/* --- /v2/_catalog */

static int take_names(struct searcher *s, const struct exchange *x, struct error *err)
{
	struct json *body = body_of(s, x, err);
	const struct json *names = body ? json_get(body, "repositories") : NULL;

	if (!body)
		return -1;
	for (size_t i = 0; names && names->kind == JSON_LIST && i < names->list.n && !is_full(s); i++) {
		const struct json *name = names->list.v[i];

		if (name->kind == JSON_STRING && strstr(name->string, s->word))
			ARRAY_ADD(s->work->arena, &s->ret->found)->name = arena_strdup(s->work->arena, name->string);
	}
	return 0;
}

/* </v2/_catalog?last=x&n=100>; rel="next" */
static int next_page(struct searcher *s, const struct exchange *x, char **ret, struct error *err)
{
	const char *from = x->link ? strchr(x->link, '<') : NULL, *to = from ? strchr(from, '>') : NULL;

	*ret = NULL;
	if (!to || !strstr(to, "next"))
		return 0;
	*ret = url_resolve(s->work->arena, x->at, arena_strndup(s->work->arena, from + 1, (size_t)(to - from - 1)), err);
	return *ret ? 0 : -1;
}

/* 1: once more. */
static int ask_catalog(struct searcher *s, const char *address, int tries, char **ret_next, struct error *err)
{
	const char *what = arena_printf(s->work->arena, "catalog of %s", s->registry->shown_host);
	struct exchange x;
	int result;

	exchange_init(&x, s->registry);
	x.path = address ? NULL : "/v2/_catalog?n=1000";
	x.address = address;
	x.body_max = BODY_MAX;
	if (exchange_run(&x) < 0 || x.status != 200) {
		result = exchange_pause(&x, tries) ? 1 : exchange_failure(&x, what, err);
	} else {
		result = take_names(s, &x, err) < 0 ? -1 : next_page(s, &x, ret_next, err);
		if (result < 0)
			error_frame(err, "%s", what);
	}
	exchange_done(&x);
	return result;
}

static int search_v2(struct searcher *s, struct error *err)
{
	char *next = NULL;

	for (int page = 0; page < PAGES_MAX && !is_full(s); page++) {
		int tries = 1, result;

		while ((result = ask_catalog(s, next, tries, &next, err)) > 0)
			tries++;
		if (result < 0 || !next)
			return result;
	}
	return 0;
}

int op_search(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct searcher s = { .work = w, .registry = registry_open(w, r, err), .word = r->reference ? r->reference : "",
			      .limit = r->limit > 0 ? r->limit : 25, .ret = ret };
	int result = 1;

	if (!s.registry)
		return -1;
	if (*s.word)
		result = search_v1(&s, err);
	return result > 0 ? search_v2(&s, err) : result;
}
