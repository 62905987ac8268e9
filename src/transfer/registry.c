#include "transfer/registry.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "spec/base64.h"
#include "transfer/exchange.h"
#include "transfer/tls.h"
#include "transfer/url.h"

#define TOKEN_ANSWER_MAX ((size_t)1 << 20)
#define RETRIES_DEFAULT 3
#define SCOPES_MORE_MAX 8

char *registry_printable(struct arena *arena, const char *text, size_t n)
{
	char *copy;

	if (n > 300)
		n = 300;
	copy = arena_strndup(arena, text, n);
	for (unsigned char *c = (unsigned char *)copy; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			*c = ' ';
	return copy;
}

static bool is_for(const struct registry *r, const struct transfer_source *s)
{
	return str_eq(r->shown_host, s->host) && str_eq(r->path, s->path) && r->insecure == s->insecure &&
	       str_eq(r->username, s->username) && str_eq(r->password, s->password) &&
	       str_eq(r->identity_token, s->identity_token) && str_eq(r->certs_dir, s->certs_dir);
}

static int fill(struct registry *r, const struct transfer_source *s, struct error *err)
{
	bool hub = str_eq(s->host, "docker.io") || str_eq(s->host, "index.docker.io");

	r->shown_host = arena_strdup(r->arena, s->host);
	r->host = arena_strdup(r->arena, hub ? "registry-1.docker.io" : s->host);
	r->path = arena_strdup(r->arena, s->path);
	r->insecure = s->insecure;
	r->username = arena_strdup(r->arena, s->username);
	r->password = arena_strdup(r->arena, s->password);
	r->identity_token = arena_strdup(r->arena, s->identity_token);
	r->certs_dir = arena_strdup(r->arena, s->certs_dir);
	r->scheme = "https";
	return tls_find_client(r, err);
}

static struct registry *make(const struct transfer_source *source, struct error *err)
{
	struct arena *arena = arena_new();
	struct registry *r = arena_new_one(arena, struct registry);

	r->arena = arena;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r->multi = curl_multi_init();
	if (!r->multi)
		error_set(err, ERROR_FAILED, "libcurl cannot be started");
	if (r->multi && fill(r, source, err) == 0)
		return r;
	registry_free(r);
	return NULL;
}

struct registry *registry_open(struct work *w, const struct transfer_request *request, struct error *err)
{
	if (!request->source) {
		error_set(err, ERROR_USAGE, "the request %s names no registry", request->op);
		return NULL;
	}
	if (w->registry && !is_for(w->registry, request->source)) {
		registry_free(w->registry);
		w->registry = NULL;
	}
	if (!w->registry)
		w->registry = make(request->source, err);
	if (!w->registry)
		return NULL;
	w->registry->retries = request->retries > 0 ? request->retries : request->retries < 0 ? 0 : RETRIES_DEFAULT;
	w->registry->retry_delay_ms = request->retry_delay_ms;
	return w->registry;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	curl_multi_cleanup(r->multi);
	arena_free(r->arena);
}

/* --- tokens */

static char *escape(struct registry *r, const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0), *copy = arena_strdup(r->arena, escaped ? escaped : "");

	curl_free(escaped);
	return copy;
}

void registry_will_push(struct registry *r, const struct strings *others)
{
	r->scopes = (struct strings){ 0 };
	strings_addf(r->arena, &r->scopes, "repository:%s:pull,push", r->path);
	for (size_t i = 0; i < others->n && i < SCOPES_MORE_MAX; i++)
		strings_addf(r->arena, &r->scopes, "repository:%s:pull", others->v[i]);
}

static struct strings scopes_of(struct registry *r, const struct challenge *c)
{
	struct strings scopes = { 0 };

	strings_add_all(r->arena, &scopes, &r->scopes);
	for (size_t i = 0; i < c->scopes.n; i++)
		if (!r->scopes.n || !str_starts(c->scopes.v[i], "repository:"))
			strings_add(r->arena, &scopes, c->scopes.v[i]);
	if (!scopes.n && !str_is_empty(r->path))
		strings_addf(r->arena, &scopes, "repository:%s:pull", r->path);
	return scopes;
}

/* "service=...&scope=..." */
static char *token_query(struct registry *r, const struct challenge *c)
{
	char *query = arena_printf(r->arena, "service=%s", c->service ? escape(r, c->service) : "");
	struct strings scopes = scopes_of(r, c);

	if (!c->service)
		query = arena_strdup(r->arena, "");
	for (size_t i = 0; i < scopes.n; i++)
		query = arena_printf(r->arena, "%s%sscope=%s", query, *query ? "&" : "", escape(r, scopes.v[i]));
	return query;
}

/* Secrets go over https to whichever server the registry names; over plain http only to its own host, and only when the
 * registry itself is reached like that. */
static bool realm_may_know(struct registry *r, const char *realm)
{
	char *own = arena_printf(r->arena, "%s://%s", r->scheme, r->host);

	return str_starts(url_origin(r->arena, realm), "https://") ||
	       (r->insecure && url_same_host(r->arena, realm, own));
}

static int take_token(struct registry *r, const struct exchange *x, struct error *err)
{
	struct json *body = json_parse(r->arena, x->body.data ? x->body.data : "", x->body.size, "token answer", err);
	const char *token;

	if (!body)
		return -1;
	token = json_get_string(body, "token");
	if (str_is_empty(token))
		token = json_get_string(body, "access_token");
	if (str_is_empty(token) || strpbrk(token, "\r\n"))
		return error_set(err, ERROR_NETWORK, "%s: the token server answers without a token", r->shown_host);
	r->authorization = arena_printf(r->arena, "Bearer %s", token);
	r->authorization_scheme = CHALLENGE_BEARER;
	r->token_number++;
	return 0;
}

static int ask_for_token(struct registry *r, struct exchange *x, struct error *err)
{
	int result;

	x->body_max = TOKEN_ANSWER_MAX;
	result = exchange_run(x);
	if (result < 0 || x->status / 100 != 2) {
		exchange_failure(x, "get a token", err);
		if (x->status == 401 || x->status == 403)
			err->kind = ERROR_UNAUTHORIZED;
		return -1;
	}
	return take_token(r, x, err);
}

static int token_by_get(struct registry *r, const struct challenge *c, const char *query, bool may_know,
			struct error *err)
{
	struct exchange x;
	int result;

	exchange_init(&x, r);
	x.url = arena_printf(r->arena, "%s%s%s", c->realm, strchr(c->realm, '?') ? "&" : "?", query);
	if (may_know && r->username && r->password) {
		x.url = arena_printf(r->arena, "%s&account=%s", x.url, escape(r, r->username));
		x.basic = arena_printf(r->arena, "%s:%s", r->username, r->password);
	}
	result = ask_for_token(r, &x, err);
	exchange_done(&x);
	return result;
}

/* OAuth2 with an identity token. 1: the server does not know this way. */
static int token_by_post(struct registry *r, const struct challenge *c, const char *query, struct error *err)
{
	struct exchange x;
	int result;

	exchange_init(&x, r);
	x.url = c->realm;
	x.form = arena_printf(r->arena, "%s&grant_type=refresh_token&client_id=bryo&refresh_token=%s", query,
			      escape(r, r->identity_token));
	result = ask_for_token(r, &x, err);
	if (result < 0 && (x.status == 404 || x.status == 405)) {
		error_clear(err);
		result = 1;
	}
	exchange_done(&x);
	return result;
}

static int get_token(struct registry *r, const struct challenge *c, struct error *err)
{
	const char *origin = url_origin(r->arena, c->realm);
	char *query = token_query(r, c);
	bool may_know;
	int result = 1;

	if (!origin)
		return error_set(err, ERROR_NETWORK, "%s names a token server that is no web address", r->shown_host);
	if (str_eq(r->scheme, "https") && !str_starts(origin, "https://"))
		return error_set(err, ERROR_NETWORK, "%s names a token server without https, which is refused", r->shown_host);
	may_know = realm_may_know(r, c->realm);
	if (r->identity_token && may_know)
		result = token_by_post(r, c, query, err);
	return result > 0 ? token_by_get(r, c, query, may_know, err) : result;
}

int registry_authorize(struct registry *r, const struct challenges *challenges, struct error *err)
{
	const struct challenge *c = challenge_choose(challenges);
	const char *pair;

	if (!c)
		return error_set(err, ERROR_UNAUTHORIZED, "%s: unauthorized, in a way that is not known here", r->shown_host);
	if (c->scheme == CHALLENGE_BEARER)
		return get_token(r, c, err);
	if (!r->username || !r->password || r->authorization) {
		error_set(err, ERROR_UNAUTHORIZED, "%s: unauthorized: %s", r->shown_host,
			  r->authorization ? "the user name or password is wrong" : "authentication required");
		return error_fix(err, "bryo login %s", r->shown_host);
	}
	pair = arena_printf(r->arena, "%s:%s", r->username, r->password);
	r->authorization = arena_printf(r->arena, "Basic %s", base64_encode(r->arena, pair, strlen(pair)));
	r->authorization_scheme = CHALLENGE_BASIC;
	r->token_number++;
	return 0;
}
