#include "transfer/exchange.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "transfer/peer.h"
#include "transfer/tls.h"
#include "transfer/url.h"

#define REDIRECTS_MAX 10
#define ERROR_BODY_MAX ((size_t)64 << 10)
#define HEADER_MAX 8192
#define HEADERS_MAX ((size_t)256 << 10)
#define IDLE_S 60L
#define SPEED_MIN 100L			/* bytes a second: less is silence */
#define IN_MEMORY_S 300L		/* for a whole answer of a few MiB, however steadily it drips */
#define CONNECT_S 30L
#define RETRY_PAUSE_MAX_MS 60000

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

/* --- taking the answer */

static void forget_answer(struct exchange *x)
{
	x->status = 0;
	x->content_type = x->content_encoding = x->content_digest = x->content_range = NULL;
	x->location = x->range = x->chunk_least = x->link = NULL;
	x->retry_after_s = x->content_length = -1;
	x->challenges = (struct challenges){ 0 };
	buffer_done(&x->body);
	x->body = BUFFER(x->take || x->body_max < ERROR_BODY_MAX ? ERROR_BODY_MAX : x->body_max);
	x->too_long = x->refused_by_taker = x->transport_failed = false;
	error_clear(&x->error);
}

static char *header_value(struct exchange *x, const char *line, size_t n, const char *name)
{
	size_t skip = strlen(name);

	if (n < skip || strncasecmp(line, name, skip) != 0)
		return NULL;
	while (skip < n && isspace((unsigned char)line[skip]))
		skip++;
	while (n > skip && isspace((unsigned char)line[n - 1]))
		n--;
	return arena_strndup(x->arena, line + skip, n - skip);
}

/* The headers that are kept as they are. */
static bool take_text(struct exchange *x, const char *line, size_t n)
{
	const struct { const char *name; char **place; } texts[] = {
		{ "Docker-Content-Digest:", &x->content_digest }, { "Content-Type:", &x->content_type },
		{ "Content-Encoding:", &x->content_encoding },
		{ "Content-Range:", &x->content_range },	  { "Location:", &x->location },
		{ "Range:", &x->range },			  { "OCI-Chunk-Min-Length:", &x->chunk_least },
		{ "Link:", &x->link },
	};

	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		char *value = header_value(x, line, n, texts[i].name);

		if (!value)
			continue;
		*texts[i].place = value;
		return true;
	}
	return false;
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
	struct exchange *x = context;
	long long length;
	unsigned seconds;
	char *value;

	n *= size;
	x->headers_size += n;
	if (x->headers_size > HEADERS_MAX) {
		x->too_long = true;
		return 0;
	}
	if (n > HEADER_MAX)
		return n;
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0)
		forget_answer(x);
	else if (take_text(x, line, n))
		return n;
	else if ((value = header_value(x, line, n, "WWW-Authenticate:")))
		challenge_parse(x->arena, value, &x->challenges);
	else if ((value = header_value(x, line, n, "Content-Length:")) && str_to_i64(value, &length) == 0)
		x->content_length = length;
	else if ((value = header_value(x, line, n, "Retry-After:")) && str_to_u32(value, &seconds) == 0)
		x->retry_after_s = seconds;
	return n;
}

static bool is_success(const struct exchange *x)
{
	return x->status >= 200 && x->status < 300;
}

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
	struct exchange *x = context;

	n *= size;
	if (!x->status) {
		curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
		if (x->begin && is_success(x))
			x->begin(x->context);
	}
	if (x->take && is_success(x)) {
		x->refused_by_taker = x->take(x->context, p, n) < 0;
		return x->refused_by_taker ? 0 : n;
	}
	if (buffer_add(&x->body, p, n) == 0)
		return n;
	x->too_long = true;
	return is_success(x) ? 0 : n;		/* the rest of an error's text is of no interest */
}

/* --- asking */

static int add_header(struct exchange *x, const char *text)
{
	struct curl_slist *more = curl_slist_append(x->headers, text);

	if (!more)
		return -1;
	x->headers = more;
	return 0;
}

/* Without "Expect: 100-continue", which costs a second where it is not understood. */
static int set_sending_headers(struct exchange *x)
{
	const char *type = x->send_type ? arena_printf(x->arena, "Content-Type: %s", x->send_type) : "Content-Type:";

	if (!x->method)
		return 0;
	if (add_header(x, type) < 0 || add_header(x, "Expect:") < 0)
		return -1;
	return x->send_range ? add_header(x, arena_printf(x->arena, "Content-Range: %s", x->send_range)) : 0;
}

static int set_headers(struct exchange *x)
{
	struct registry *r = x->registry;

	curl_slist_free_all(x->headers);
	x->headers = NULL;
	if ((x->accept && add_header(x, x->accept) < 0) || set_sending_headers(x) < 0)
		return -1;
	x->token_number = r->token_number;
	if (!x->url && x->authorize && r->authorization &&
	    add_header(x, arena_printf(x->arena, "Authorization: %s", r->authorization)) < 0)
		return -1;
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	return 0;
}

/* --- sending */

static size_t on_send(char *p, size_t size, size_t n, void *context)
{
	struct exchange *x = context;
	const struct exchange_body *b = x->send;
	int64_t left = b->size - x->sent;
	ssize_t done;

	n *= size;
	if ((int64_t)n > left)
		n = (size_t)left;
	if (b->data) {
		memcpy(p, b->data + b->from + x->sent, n);
		done = (ssize_t)n;
	} else {
		do
			done = pread(b->fd, p, n, b->from + x->sent);
		while (done < 0 && errno == EINTR);
	}
	if (done < 0 || (done == 0 && n > 0)) {
		error_set(&x->error, ERROR_INVALID, "what is to be sent is not there any more");
		return CURL_READFUNC_ABORT;
	}
	x->sent += done;
	if (x->sending)
		x->sending(x->context, x->sent);
	return (size_t)done;
}

static int on_rewind(void *context, curl_off_t offset, int origin)
{
	struct exchange *x = context;

	if (origin != SEEK_SET || offset < 0 || offset > x->send->size)
		return CURL_SEEKFUNC_FAIL;
	x->sent = offset;
	return CURL_SEEKFUNC_OK;
}

static void set_method(struct exchange *x)
{
	static const struct exchange_body nothing = { .data = "" };
	CURL *c = x->easy;

	x->sent = 0;
	if (!x->method)
		return;
	if (strcmp(x->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	if (!x->send)
		x->send = &nothing;
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->send->size);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(c, CURLOPT_READDATA, x);
	curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_rewind);
	curl_easy_setopt(c, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
}

static void set_options(struct exchange *x)
{
	CURL *c = x->easy;

	curl_easy_setopt(c, CURLOPT_URL, x->at);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "bryo/" BRYO_VERSION);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SPEED_MIN);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, x->take || x->method ? 0L : IN_MEMORY_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, x->patience_s ? x->patience_s : IDLE_S);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 131072L);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	if (x->ranges)
		curl_easy_setopt(c, CURLOPT_RANGE, x->ranges);
	else if (x->range_to > 0)
		curl_easy_setopt(c, CURLOPT_RANGE,
				 arena_printf(x->arena, "%lld-%lld", (long long)x->range_from, (long long)x->range_to));
	else if (x->range_from > 0)
		curl_easy_setopt(c, CURLOPT_RANGE, arena_printf(x->arena, "%lld-", (long long)x->range_from));
	else
		curl_easy_setopt(c, CURLOPT_RANGE, NULL);
	if (x->form)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->form);
	if (x->basic) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERPWD, x->basic);
	}
	set_method(x);
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
	if (!x->easy || set_headers(x) < 0)
		return error_set(&x->error, ERROR_FAILED, "libcurl: out of memory");
	forget_answer(x);
	x->headers_size = 0;
	set_options(x);
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

static void explain_silence(struct exchange *x)
{
	const char *host = x->registry->shown_host;
	double connected = 0, total = 0;

	curl_easy_getinfo(x->easy, CURLINFO_CONNECT_TIME, &connected);
	curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME, &total);
	if (connected <= 0)
		error_set(&x->error, ERROR_NETWORK, "%s: no connection within %ld seconds", host, CONNECT_S);
	else if (!x->take && !x->method && total >= (double)IN_MEMORY_S)
		error_set(&x->error, ERROR_NETWORK, "%s: no whole answer within %ld seconds", host, IN_MEMORY_S);
	else
		error_set(&x->error, ERROR_NETWORK, "%s: nothing, or less than %ld bytes a second, came for %ld seconds", host,
			  SPEED_MIN, x->patience_s ? x->patience_s : IDLE_S);
}

static void explain(struct exchange *x, CURLcode code)
{
	struct registry *r = x->registry;

	error_set(&x->error, ERROR_NETWORK, "%s: %s", r->shown_host, curl_easy_strerror(code));
	if (code == CURLE_OPERATION_TIMEDOUT)
		explain_silence(x);
	if (code == CURLE_SSL_CACERT_BADFILE)
		error_set(&x->error, ERROR_INVALID, "%s: a file *.crt in %s holds no certificate", r->shown_host, r->certs_dir);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		error_hint(&x->error, "put the certificate of its authority as ca.crt into /etc/containers/certs.d/%s/ or "
			   "~/.config/containers/certs.d/%s/, or trust it blindly with --tls-verify=false", r->shown_host,
			   r->shown_host);
	else if (code == CURLE_SSL_CONNECT_ERROR && !r->insecure)
		error_hint(&x->error, "if this registry speaks plain http: --tls-verify=false, or insecure = true for it in "
			   "registries.conf");
}

static enum exchange_next no_answer(struct exchange *x, CURLcode code)
{
	struct registry *r = x->registry;

	if (x->error.kind)
		return EXCHANGE_DONE;
	if (x->refused_by_taker)
		return failed(x, ERROR_FAILED, "the transfer was given up");
	if (x->too_long)
		return failed(x, ERROR_INVALID, x->headers_size > HEADERS_MAX ? "the answer's headers are too long" :
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
	explain(x, code);
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

/* --- judging */

bool exchange_may_retry(const struct exchange *x, int tries, int64_t *ret_pause_ms)
{
	bool worth = x->transport_failed ? x->code != CURLE_PEER_FAILED_VERIFICATION && x->code != CURLE_SSL_CONNECT_ERROR :
		     !x->error.kind && (x->status == 408 || x->status == 429 || x->status >= 500);
	int64_t pause = 500LL << (tries < 8 ? tries : 8);

	if (x->registry->retry_delay_ms > 0)
		pause = x->registry->retry_delay_ms;
	if (x->retry_after_s >= 0)
		pause = x->retry_after_s * 1000;
	*ret_pause_ms = pause < RETRY_PAUSE_MAX_MS ? pause : RETRY_PAUSE_MAX_MS;
	return worth;
}

/* Nobody is there, or the name is unknown: that does not get better by waiting. */
static bool is_final(const struct exchange *x)
{
	return x->transport_failed && (x->code == CURLE_COULDNT_CONNECT || x->code == CURLE_COULDNT_RESOLVE_HOST ||
				       x->code == CURLE_COULDNT_RESOLVE_PROXY);
}

bool exchange_pause(const struct exchange *x, int tries)
{
	struct timespec t;
	int64_t ms;

	if (tries > x->registry->retries || is_final(x) || !exchange_may_retry(x, tries, &ms))
		return false;
	t = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
	return true;
}

/* {"errors":[{"code":"...","message":"..."}]}, or the text itself when it is short and no markup. */
static char *own_words(const struct exchange *x)
{
	struct json *body = x->body.size ? json_parse(x->arena, x->body.data, x->body.size, "answer", NULL) : NULL;
	const struct json *errors = body ? json_get(body, "errors") : NULL;
	const char *message = NULL;

	if (errors && errors->kind == JSON_LIST && errors->list.n) {
		message = json_get_string(errors->list.v[0], "message");
		if (str_is_empty(message))
			message = json_get_string(errors->list.v[0], "code");
	} else if (body) {
		message = json_get_string(body, "details");
		message = message ? message : json_get_string(body, "message");
	} else if (x->body.size && x->body.size < 200 && x->body.data[0] != '<') {
		message = x->body.data;
	}
	return str_is_empty(message) ? NULL : registry_printable(x->arena, message, strlen(message));
}

int exchange_failure(const struct exchange *x, const char *what, struct error *err)
{
	const char *host = x->registry->shown_host, *said;
	enum error_kind kind = x->status == 401 ? ERROR_UNAUTHORIZED : x->status == 403 ? ERROR_DENIED :
			       x->status == 404 ? ERROR_NOT_FOUND : ERROR_NETWORK;

	if (x->error.kind) {
		if (err)
			*err = x->error;
		return error_frame(err, "%s", what);
	}
	said = own_words(x);
	if (x->status == 401)
		error_set(err, kind, "%s: unauthorized: %s", what, said ? said : "authentication required");
	else if (x->status == 403)
		error_set(err, kind, "%s: denied: %s", what, said ? said : "requested access to the resource is denied");
	else if (x->status == 404)
		error_set(err, kind, "%s: %s", what, said ? said : "not found");
	else if (x->status == 429)
		error_set(err, kind, "%s: too many requests: %s", what, said ? said : host);
	else
		error_set(err, kind, "%s: %s answers with status %ld%s%s", what, host, x->status, said ? ": " : "",
			  said ? said : "");
	if (x->status != 401 && x->status != 403)
		return -1;
	if (x->registry->username)
		return error_hint(err, "the credentials are refused or lack a right; renew them with: bryo login %s", host);
	return error_hint(err, x->registry->scopes.n ? "who pushes must be known: bryo login %s" :
			  "if the repository is private: bryo login %s", host);
}
