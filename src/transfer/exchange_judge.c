/* What an end means: why there was no answer, what a status says, whether to try again. */
#include <stdlib.h>
#include <time.h>

#include "transfer/exchange_inside.h"

#define RETRY_PAUSE_MAX_MS 60000

static void explain_silence(struct exchange *x)
{
	const char *host = x->registry->shown_host;
	double connected = 0, total = 0;

	curl_easy_getinfo(x->easy, CURLINFO_CONNECT_TIME, &connected);
	curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME, &total);
	if (connected <= 0)
		error_set(&x->error, ERROR_NETWORK, "%s: no connection within %ld seconds", host, EXCHANGE_CONNECT_S);
	else if (!x->take && !x->method && total >= (double)EXCHANGE_IN_MEMORY_S)
		error_set(&x->error, ERROR_NETWORK, "%s: no whole answer within %ld seconds", host, EXCHANGE_IN_MEMORY_S);
	else
		error_set(&x->error, ERROR_NETWORK, "%s: nothing, or less than %ld bytes a second, came for %ld seconds", host,
			  EXCHANGE_SPEED_MIN, x->patience_s ? x->patience_s : EXCHANGE_IDLE_S);
}

static void distrusted(struct exchange *x)
{
	const char *host = x->registry->shown_host;

	error_code(&x->error, "registry-tls");
	error_hint(&x->error, "put the certificate of its authority as ca.crt into /etc/containers/certs.d/%s/ or "
		   "~/.config/containers/certs.d/%s/, or trust it blindly with --tls-verify=false", host, host);
}

void exchange_explain(struct exchange *x, CURLcode code)
{
	struct registry *r = x->registry;

	error_set(&x->error, ERROR_NETWORK, "%s: %s", r->shown_host, curl_easy_strerror(code));
	if (code == CURLE_OPERATION_TIMEDOUT)
		explain_silence(x);
	if (code == CURLE_SSL_CACERT_BADFILE)
		error_set(&x->error, ERROR_INVALID, "%s: a file *.crt in %s holds no certificate", r->shown_host, r->certs_dir);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		distrusted(x);
	else if (code == CURLE_SSL_CONNECT_ERROR && !r->insecure)
		error_hint(&x->error, "if this registry speaks plain http: --tls-verify=false, or insecure = true for it in "
			   "registries.conf");
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_OPERATION_TIMEDOUT)
		error_code(&x->error, "registry-unreachable");
}

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
	if (x->status == 404 || x->status == 429)
		error_code(err, x->status == 404 ? "manifest-unknown" : "rate-limited");
	if (x->status != 401 && x->status != 403)
		return -1;
	error_code(err, "unauthorized");
	error_hint(err, "%s", x->registry->username ? "the credentials are refused or lack a right: renew them" :
		   x->registry->scopes.n ? "who pushes must be known" : "does the image exist? If its repository is private:");
	return error_fix(err, "bryo login %s", host);
}
