#include "transfer/exchange.h"

#include "transfer/exchange_inside.h"
#include "transfer/peer.h"
#include "transfer/tls.h"
#include "transfer/url.h"

#define REDIRECTS_MAX 10

void exchange_init(struct exchange *x, struct registry *registry)
{
	memset(x, 0, sizeof(*x));
	x->registry = registry;
	x->authorize = true;
	x->retry_after_s = -1;
	x->arena = arena_new();
}

void exchange_done(struct exchange *x)
{
	if (x->easy)
		curl_easy_cleanup(x->easy);
	x->easy = NULL;
	curl_slist_free_all(x->headers);
	x->headers = NULL;
	buffer_done(&x->body);
	if (x->arena)
		arena_free(x->arena);
	x->arena = NULL;
}

static void set_address(struct exchange *x)
{
	struct registry *r = x->registry;
	char *own = arena_printf(x->arena, "%s://%s", r->scheme, r->host);

	if (x->url) {
		x->at = arena_strdup(x->arena, x->url);
	} else if (x->address) {
		x->at = arena_strdup(x->arena, x->address);
		x->authorize = str_eq(url_origin(x->arena, x->at), url_origin(x->arena, own));
	} else {
		x->at = arena_printf(x->arena, "%s%s", own, x->path);
	}
}

int exchange_prepare(struct exchange *x)
{
	struct registry *r = x->registry;
	bool own_host;

	if (!x->at)
		set_address(x);
	if (!x->easy)
		x->easy = curl_easy_init();
	if (!x->easy || exchange_set_question(x) < 0)
		return error_set(&x->error, ERROR_FAILED, "libcurl: out of memory");
	exchange_set_answer(x);
	own_host = url_same_host(x->arena, x->at, arena_printf(x->arena, "%s://%s", r->scheme, r->host));
	tls_setup(x->easy, r, own_host);
	peer_setup(x->easy, own_host, &x->refused_peer);
	return 0;
}

/* --- what comes next */

static enum exchange_next failed(struct exchange *x, enum error_kind kind, const char *text)
{
	error_set(&x->error, kind, "%s", text);
	return EXCHANGE_DONE;
}

static enum exchange_next redirect(struct exchange *x)
{
	char *target = NULL, *from, *to;

	curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &target);
	if (!target)
		return failed(x, ERROR_NETWORK, "the registry redirects to nowhere");
	if (x->url)
		return failed(x, ERROR_NETWORK, "the token server redirects, which is not followed");
	if (x->send && x->status != 307 && x->status != 308)
		return failed(x, ERROR_NETWORK, "the registry redirects what is sent to it in a way that would lose it");
	if (++x->redirects > REDIRECTS_MAX)
		return failed(x, ERROR_NETWORK, "too many redirects");
	from = url_origin(x->arena, x->at);
	to = url_origin(x->arena, target);
	if (!to)
		return failed(x, ERROR_NETWORK, "the registry redirects to an address that is neither http nor https");
	if (str_starts(from, "https://") && !str_starts(to, "https://"))
		return failed(x, ERROR_NETWORK, "the registry redirects from https to http, which is refused");
	if (!str_eq(from, to))
		x->authorize = false;
	x->at = arena_strdup(x->arena, target);
	return EXCHANGE_AGAIN;
}

/* A token that another exchange got meanwhile is tried before a new one is asked for. One that is good for few requests may
 * have been used up by others before it was sent. */
static enum exchange_next authorize(struct exchange *x)
{
	struct registry *r = x->registry;

	if (x->url || !x->authorize || x->renewals == EXCHANGE_RENEWALS_MAX ||
	    (x->renewals && r->authorization_scheme == CHALLENGE_BASIC))
		return EXCHANGE_DONE;
	if (x->token_number == r->token_number) {
		if (registry_authorize(r, &x->challenges, &x->error) < 0)
			return EXCHANGE_DONE;
		x->renewals++;
	}
	return EXCHANGE_AGAIN;
}

static bool may_be_plain(CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
	       code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY ||
	       code == CURLE_OPERATION_TIMEDOUT;
}

/* Of several exchanges that begin side by side the first one finds out, the others follow. */
static bool try_plain(const struct exchange *x, CURLcode code)
{
	const struct registry *r = x->registry;

	return r->insecure && x->path && !x->redirects && str_starts(x->at, "https://") && may_be_plain(code) &&
	       (!r->scheme_is_known || str_eq(r->scheme, "http"));
}

static enum exchange_next no_answer(struct exchange *x, CURLcode code)
{
	struct registry *r = x->registry;

	if (x->error.kind)
		return EXCHANGE_DONE;
	if (x->refused_by_taker)
		return failed(x, ERROR_FAILED, "the transfer was given up");
	if (x->too_long)
		return failed(x, ERROR_INVALID, x->headers_size > EXCHANGE_HEADERS_MAX ? "the answer's headers are too long" :
			      "the answer is too long");
	if (x->refused_peer)
		return failed(x, ERROR_DENIED, "the registry leads to an address of this machine's own link, which is refused");
	if (try_plain(x, code)) {
		r->scheme = "http";
		r->scheme_is_known = true;
		x->at = NULL;
		return EXCHANGE_AGAIN;
	}
	x->transport_failed = true;
	exchange_explain(x, code);
	return EXCHANGE_DONE;
}

enum exchange_next exchange_ended(struct exchange *x, CURLcode code)
{
	x->code = code;
	if (code != CURLE_OK)
		return no_answer(x, code);
	if (!x->url)
		x->registry->scheme_is_known = true;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
	if (x->status >= 300 && x->status < 400 && x->status != 304)
		return redirect(x);
	return x->status == 401 ? authorize(x) : EXCHANGE_DONE;
}

static CURLcode wait_for(CURLM *multi, CURL *easy)
{
	CURLcode code = CURLE_FAILED_INIT;
	bool ended = false;

	if (curl_multi_add_handle(multi, easy) != CURLM_OK)
		return code;
	while (!ended) {
		int running, left;
		CURLMsg *m;

		if (curl_multi_perform(multi, &running) != CURLM_OK)
			break;
		while ((m = curl_multi_info_read(multi, &left)))
			if (m->msg == CURLMSG_DONE && m->easy_handle == easy) {
				code = m->data.result;
				ended = true;
			}
		if (!ended)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	curl_multi_remove_handle(multi, easy);
	return code;
}

/* A token is asked for while blobs are on their way in the multi handle: apart from them. */
int exchange_run(struct exchange *x)
{
	CURLcode code;

	do {
		if (exchange_prepare(x) < 0)
			return -1;
		code = x->url ? curl_easy_perform(x->easy) : wait_for(x->registry->multi, x->easy);
	} while (exchange_ended(x, code) == EXCHANGE_AGAIN);
	return x->error.kind ? -1 : 0;
}

